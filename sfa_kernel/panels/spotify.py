"""Answers what a page asks of links and of a person's account at Spotify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sfa_kernel.sources.spotify.links import parse

if TYPE_CHECKING:
    from sfa_kernel.panels.library import Handler
    from sfa_kernel.runs import Run
    from sfa_kernel.spotify import Preview
    from sfa_kernel.studio import Studio

__all__ = ["spotify_handlers"]

SHOWN = 500  # songs of a preview


def spotify_handlers(studio: Studio) -> dict[str, Handler]:
    """Handlers of links and of the account."""

    def parse_link(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        link = parse(str(params.get("text", "")))
        return {"link": link.uri, "kind": link.kind}

    def look(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return {"jobs": _ids(studio.spotify.look(_link(params)))}

    def preview(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        found = studio.spotify.preview(_link(params))
        return {"preview": None if found is None else _preview(found)}

    def bring_in(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        download = params.get("download") is True
        # A page remembers the stages; of songs that stay at Spotify there is nothing to do.
        stages = params.get("stages") or () if download else ()
        run = studio.spotify.add(_link(params), download=download, stages=stages)
        return {"jobs": _ids(run), "batch": str(run.batch_id) if run.batch_id else None}

    def state(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        now = studio.spotify.state
        names = ("client", "secret", "login", "name", "error", "redirect")
        return {name: getattr(now, name) for name in names}

    def login(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        return {"url": studio.spotify.login().url}

    def paste(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        studio.spotify.paste(str(params.get("url", "")))
        return {}

    def logout(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        studio.spotify.logout()
        return {}

    def playlists(params: dict[str, Any], buffers: list[memoryview]) -> dict[str, Any]:
        account = studio.spotify
        asked = _ids(account.refresh()) if params.get("refresh") is True else []
        fetched_at = account.playlists_at
        return {
            "playlists": [
                {**row, "playlist": str(row["playlist"]) if row["playlist"] else None} for row in account.playlists
            ],
            "fetched_at": fetched_at.isoformat() if fetched_at else None,
            "jobs": asked,
        }

    return {
        "links.parse": parse_link,
        "links.look": look,
        "links.preview": preview,
        "links.import": bring_in,
        "spotify.state": state,
        "spotify.login": login,
        "spotify.paste": paste,
        "spotify.logout": logout,
        "spotify.playlists": playlists,
    }


def _link(params: dict[str, Any]) -> str:
    return str(params.get("link", ""))


def _ids(run: Run) -> list[str]:
    return [str(job_id) for job_id in run.ids]


def _preview(found: Preview) -> dict[str, Any]:
    names = ("link", "kind", "name", "owner", "url", "total", "skipped", "note", "here")
    return {
        **{name: getattr(found, name) for name in names},
        "songs": found.songs[:SHOWN],
        "fetched_at": found.fetched_at.isoformat(),
    }
