"""A service on this machine that behaves as Spotify's accounts and Web API do, for tests and a look at the studio.

    python -m tests.sources.spotify.server --port 8124

then, for a studio, SFA_SPOTIFY_URL=http://127.0.0.1:8124/v1, SFA_SPOTIFY_ACCOUNTS_URL=http://127.0.0.1:8124,
SFA_SPOTIFY_CLIENT_ID and SFA_SPOTIFY_CLIENT_SECRET as it prints them. Whoever opens its page of login agrees.

It answers in the shape that applications get since 2026 ("new") or in the one before ("old"), checks what it is asked
as the real one does, and keeps everything it was asked.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import secrets
import signal
import struct
import threading
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

CLIENT_ID = "0123456789abcdef0123456789abcdef"
CLIENT_SECRET = "a-client-secret-of-nobody-here"  # noqa: S105 - nobody's
ME = {"id": "ada", "display_name": "Ada Łovelace"}
SCOPES = {"playlist-read-private", "playlist-read-collaborative", "user-library-read"}
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def identifier(text: str) -> str:
    """An id of 22 letters and digits, always the same for a text."""
    number, out = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest(), "big"), ""
    for _ in range(22):
        number, letter = divmod(number, 62)
        out += _LETTERS[letter]
    return out


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    authorization: str
    form: dict[str, str]
    address: str  # path and query as they came
    status: int | None = None  # what was answered; None: nothing


@dataclass
class Fault:
    """What goes wrong with the next requests whose path begins so."""

    path: str
    kind: str
    times: int


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Playlist:
    """A playlist; ``version`` is to be counted up when its items change."""

    id: str
    name: str
    items: list[dict[str, Any] | Literal["local", "episode", "nameless"] | None]
    owner: dict[str, str]
    hidden: bool = False  # only its head is shown to us
    public: bool = True
    version: int = 1


@dataclass
class Spotify:
    """The service; to be used as a context.

    Attributes
    ----------
    shape
        How playlists are told: ``"new"`` (``items``) or ``"old"`` (``tracks``).
    embedded
        Whether a playlist comes with its first items.
    page_size
        The most items that a page has.
    token_life
        For how long an access token is good [s].
    rotate
        Whether a refresh gives a new refresh token, after which the old one is dead.
    agrees
        Whether the person agrees when asked.
    asked
        Every request, in order.
    """

    shape: Literal["new", "old"] = "new"
    embedded: bool = True
    page_size: int = 100
    token_life: int = 3600
    rotate: bool = True
    agrees: bool = True
    port: int = 0
    clock: Callable[[], float] = time.time
    asked: list[Asked] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    tracks: dict[str, dict[str, Any]] = field(default_factory=dict)
    albums: dict[str, dict[str, Any]] = field(default_factory=dict)
    playlists: dict[str, Playlist] = field(default_factory=dict)
    saved: list[dict[str, Any] | None] = field(default_factory=list)  # liked songs

    def __enter__(self) -> Spotify:
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._released = threading.Event()
        self._access: dict[str, tuple[float, bool]] = {}  # until when, and whether somebody is logged in
        self.refresh_tokens: set[str] = set()
        self._codes: dict[str, dict[str, str]] = {}
        self._server = _Server(("127.0.0.1", self.port), _handler(self))
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def accounts_url(self) -> str:
        """Where its accounts are: the setting spotify_accounts_url."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Where its Web API is: the setting spotify_url."""
        return f"{self.accounts_url}/v1"

    # What there is

    def song(self, name: str, artist: str = "Nobody", *, seconds: float = 180.0, **fields: Any) -> dict[str, Any]:
        """A new track on an album of its own; ``fields`` go over its own."""
        number = len(self.tracks) + 1
        record = self._record(f"{name} (Single)", [artist])
        track = {
            "id": identifier(f"track {number} {name}"),
            "name": name,
            "type": "track",
            "uri": f"spotify:track:{identifier(f'track {number} {name}')}",
            "duration_ms": round(seconds * 1000),
            "explicit": False,
            "track_number": 1,
            "disc_number": 1,
            "is_local": False,
            "external_ids": {"isrc": f"QZTST26{number:05}"},
            "external_urls": {"spotify": f"https://open.spotify.com/track/{identifier(f'track {number} {name}')}"},
            "artists": self._artists([artist]),
            "album": record,
            **fields,
        }
        self.tracks[track["id"]] = track
        return track

    def songs(self, count: int, *, seconds: float = 180.0) -> list[dict[str, Any]]:
        """Many tracks: "Song 0001" by "Artist 1", ..., each a tenth of a second longer than the one before."""
        return [self.song(f"Song {n:04}", f"Artist {n % 40}", seconds=seconds + n / 10) for n in range(1, count + 1)]

    def album(self, name: str, songs: list[dict[str, Any]], artists: tuple[str, ...] = ("Nobody",)) -> str:
        """A new album of tracks that are there; its id."""
        record = {**self._record(name, list(artists)), "total_tracks": len(songs), "songs": songs}
        for number, song in enumerate(songs, 1):
            song["track_number"] = number
            song["album"] = {key: value for key, value in record.items() if key != "songs"}
        self.albums[record["id"]] = record
        return str(record["id"])

    def playlist(
        self, name: str, items: list[Any], *, owner: str = "ada", hidden: bool = False, public: bool = True
    ) -> str:
        """A new playlist of tracks, None, "local", "episode" and "nameless"; its id."""
        key = identifier(f"playlist {len(self.playlists)} {name}")
        person = ME if owner == "ada" else {"id": owner, "display_name": owner.title()}
        self.playlists[key] = Playlist(key, name, list(items), person, hidden, public)
        return key

    def _record(self, name: str, artists: list[str]) -> dict[str, Any]:
        key = identifier(f"album {len(self.albums)} {len(self.tracks)} {name}")
        sizes = (64, 640, 300)
        return {
            "id": key,
            "name": name,
            "type": "album",
            "album_type": "album",
            "release_date": "1998-05-01",
            "release_date_precision": "day",
            "total_tracks": 1,
            "images": [{"url": f"{self.accounts_url}/image/{key}-{n}", "width": n, "height": n} for n in sizes],
            "artists": self._artists(artists),
        }

    @staticmethod
    def _artists(names: list[str]) -> list[dict[str, Any]]:
        return [{"id": identifier(name), "name": name, "uri": f"spotify:artist:{identifier(name)}"} for name in names]

    # What goes wrong

    def fail(self, path: str, kind: str, times: int = 1) -> None:
        """Let the next requests whose path begins so go wrong.

        ``kind`` is a status ("500", "401", "404", "301"), "429:SECONDS" or "429:" (without them), "cut" (no answer),
        "half" (broken in the middle), "slow" (a second late), "hold" (until `release`), "html", "list", "garbage",
        "ring" (a page whose next is itself), "premium", "unregistered", "scope", "forbidden".
        """
        with self._lock:
            self.faults.append(Fault(path, kind, times))

    def release(self) -> None:
        """Let go on what is held."""
        self._released.set()

    def expire(self) -> None:
        """Let all access tokens be too old."""
        with self._lock:
            self._access = dict.fromkeys(self._access, (0.0, False))

    def forget_logins(self) -> None:
        """Let all refresh tokens be dead, as after six months."""
        with self._lock:
            self.refresh_tokens.clear()

    def log_in(self) -> str:
        """A refresh token, as after a login."""
        with self._lock:
            return self._new_refresh_token()

    def access_token(self, *, user: bool = True) -> str:
        """A good access token: of somebody who is logged in, or of the application."""
        with self._lock:
            return str(self._new_access(user=user)["access_token"])

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so that changes with a request."""
        with self._changed:
            assert self._changed.wait_for(condition, 60), [asked.address for asked in self.asked][-20:]

    def count(self, path: str) -> int:
        """How many requests had this very path."""
        with self._lock:
            return sum(asked.path == path for asked in self.asked)

    # What it answers

    def note(self, asked: Asked) -> str:
        """Keep a request; what is to go wrong with it."""
        with self._changed:
            self.asked.append(asked)
            self._changed.notify_all()
            for fault in self.faults:
                if fault.times > 0 and asked.path.startswith(fault.path):
                    fault.times -= 1
                    return fault.kind
        return ""

    def wait_for_release(self) -> None:
        self._released.wait(60)

    def answer(self, asked: Asked) -> Answer:
        with self._lock:
            if asked.path == "/authorize" and asked.method == "GET":
                return self._authorize(asked.query)
            if asked.path == "/api/token" and asked.method == "POST":
                return self._token(asked.form, asked.authorization)
            if asked.path.startswith("/v1/") and asked.method == "GET":
                return self._api(asked)
            return Answer(404, {"error": {"status": 404, "message": "Service not found"}})

    # Accounts

    def _authorize(self, query: dict[str, str]) -> Answer:
        target = urlsplit(query.get("redirect_uri", ""))
        # A loopback address is registered without its port.
        if (target.scheme, target.hostname, target.path) != ("http", "127.0.0.1", "/callback"):
            return Answer(400, "INVALID_CLIENT: Insecure redirect URI")
        if query.get("client_id") != CLIENT_ID:
            return Answer(400, "INVALID_CLIENT: Invalid client")
        if query.get("response_type") != "code" or query.get("code_challenge_method") != "S256":
            return Answer(400, "response_type must be code")
        if not query.get("code_challenge") or not query.get("state"):
            return Answer(400, "code_challenge and state")
        if not self.agrees:
            back = {"error": "access_denied", "state": query["state"]}
        else:
            code = secrets.token_urlsafe(60)
            self._codes[code] = query
            back = {"code": code, "state": query["state"]}
        return Answer(302, "", {"location": f"{query['redirect_uri']}?{urlencode(back)}"})

    def _token(self, form: dict[str, str], authorization: str) -> Answer:
        grant = form.get("grant_type")
        if grant == "client_credentials":
            expected = "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
            if not hmac.compare_digest(expected, authorization):
                return _refused("invalid_client", "Invalid client secret")
            return Answer(200, self._new_access(user=False))
        if form.get("client_id") != CLIENT_ID:
            return _refused("invalid_client", "Invalid client")
        if grant == "authorization_code":
            asked = self._codes.pop(form.get("code", ""), None)
            if asked is None or asked["redirect_uri"] != form.get("redirect_uri"):
                return _refused("invalid_grant", "Invalid authorization code")
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if base64.urlsafe_b64encode(digest).decode().rstrip("=") != asked["code_challenge"]:
                return _refused("invalid_grant", "code_verifier was incorrect")
            return Answer(200, {**self._new_access(user=True), "refresh_token": self._new_refresh_token()})
        if grant == "refresh_token":
            token = form.get("refresh_token", "")
            if token not in self.refresh_tokens:
                return _refused("invalid_grant", "Refresh token revoked")
            if not self.rotate:
                return Answer(200, self._new_access(user=True))
            self.refresh_tokens.discard(token)
            return Answer(200, {**self._new_access(user=True), "refresh_token": self._new_refresh_token()})
        return _refused("unsupported_grant_type", "grant_type parameter is missing or strange")

    def _new_access(self, *, user: bool) -> dict[str, Any]:
        token = "access-" + secrets.token_urlsafe(100)
        self._access[token] = (self.clock() + self.token_life, user)
        told = {"access_token": token, "token_type": "Bearer", "expires_in": self.token_life}
        return {**told, "scope": " ".join(sorted(SCOPES))} if user else told

    def _new_refresh_token(self) -> str:
        token = "refresh-" + secrets.token_urlsafe(90)
        self.refresh_tokens.add(token)
        return token

    # Web API

    def _api(self, asked: Asked) -> Answer:
        scheme, _, token = asked.authorization.partition(" ")
        if scheme != "Bearer" or token not in self._access:
            return _error(401, "Invalid access token")
        until, user = self._access[token]
        if until < self.clock():
            return _error(401, "The access token expired")
        parts = asked.path.removeprefix("/v1/").split("/")
        offset, limit = int(asked.query.get("offset", 0)), int(asked.query.get("limit", 50))
        if not 1 <= limit <= 100 or offset < 0:
            return _error(400, "Invalid limit")
        match parts:
            case ["me", *_] if not user:
                return _error(401, "Valid user authentication required")
            case ["me"]:
                return Answer(200, {**ME, "type": "user", "uri": "spotify:user:ada"})
            case ["me", "tracks"]:
                items = [{"added_at": "2026-01-01T00:00:00Z", "track": song} for song in self.saved]
                return self._paged(asked, items, offset, min(limit, 50))
            case ["me", "playlists"]:
                heads: list[Any] = [self._head(playlist) for playlist in self.playlists.values()]
                return self._paged(asked, heads, offset, min(limit, 50))
            case ["tracks", key]:
                return Answer(200, self.tracks[key]) if key in self.tracks else _missing(key)
            case ["albums", key] if key in self.albums:
                return self._album(asked, self.albums[key])
            case ["albums", key, "tracks"] if key in self.albums:
                return self._paged(asked, self._simple(self.albums[key]["songs"]), offset, min(limit, 50))
            case ["playlists", key] if key in self.playlists:
                return self._playlist(asked, self.playlists[key], user=user)
            case ["playlists", key, "items" | "tracks" as name] if key in self.playlists:
                if (name == "items") != (self.shape == "new"):
                    return _error(404, "Service not found")
                if self.playlists[key].hidden:
                    return _error(403, "Forbidden")
                return self._paged(asked, self._entries(self.playlists[key]), offset, limit)
            case [_, key, *_]:
                return _missing(key)
        return _error(404, "Service not found")

    def _album(self, asked: Asked, record: dict[str, Any]) -> Answer:
        address = f"/v1/albums/{record['id']}/tracks"
        songs = self._paging(address, {}, self._simple(record["songs"]), 0, min(50, self.page_size))
        return Answer(200, {**{key: value for key, value in record.items() if key != "songs"}, "tracks": songs})

    @staticmethod
    def _simple(songs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        # In an album, songs have neither album nor codes.
        return [{key: song[key] for key in song if key not in ("album", "external_ids")} for song in songs]

    def _playlist(self, asked: Asked, playlist: Playlist, *, user: bool) -> Answer:
        if not playlist.public and not user:
            return _missing(playlist.id)
        head = self._head(playlist)
        name = "items" if self.shape == "new" else "tracks"
        if playlist.hidden:
            del head[name]
        elif self.embedded:
            address = f"/v1/playlists/{playlist.id}/{name}"
            query = {"additional_types": "track"}
            head[name] = self._paging(address, query, self._entries(playlist), 0, min(100, self.page_size))
        return Answer(200, head)

    def _head(self, playlist: Playlist) -> dict[str, Any]:
        name = "items" if self.shape == "new" else "tracks"
        return {
            "id": playlist.id,
            "name": playlist.name,
            "description": f"All of {playlist.name} &amp; more",
            "owner": {**playlist.owner, "type": "user"},
            "public": playlist.public,
            "collaborative": False,
            "snapshot_id": f"AAAA{playlist.version:04}",
            "images": None,
            "type": "playlist",
            "uri": f"spotify:playlist:{playlist.id}",
            name: {"href": f"{self.url}/playlists/{playlist.id}/{name}", "total": len(playlist.items)},
        }

    def _entries(self, playlist: Playlist) -> list[dict[str, Any]]:
        return [self._entry(item) for item in playlist.items]

    def _entry(self, item: Any) -> dict[str, Any]:
        name = "item" if self.shape == "new" else "track"
        told: dict[str, Any] = {"added_at": "2026-01-01T00:00:00Z", "added_by": {"id": "ada"}, "is_local": False}
        if item == "local":
            song = {"id": None, "name": "Mine", "type": "track", "uri": "spotify:local:::Mine:100", "is_local": True}
            return {**told, "is_local": True, name: {**song, "artists": [{"id": None, "name": ""}], "album": {}}}
        if item == "episode":
            key = identifier("episode")
            return {**told, name: {"id": key, "name": "Talk", "type": "episode", "uri": f"spotify:episode:{key}"}}
        if item == "nameless":
            return {**told, name: {**next(iter(self.tracks.values())), "name": "", "artists": []}}
        return {**told, name: item and {**item, "track": True, "episode": False}}

    def _paged(self, asked: Asked, items: list[Any], offset: int, limit: int) -> Answer:
        query = {key: value for key, value in asked.query.items() if key not in ("offset", "limit")}
        return Answer(200, self._paging(asked.path, query, items, offset, min(limit, self.page_size)))

    def _paging(self, path: str, query: dict[str, str], items: list[Any], offset: int, limit: int) -> dict[str, Any]:
        def at(first: int) -> str:
            return f"{self.accounts_url}{path}?{urlencode({'offset': first, 'limit': limit, **query})}"

        return {
            "href": at(offset),
            "items": items[offset : offset + limit],
            "limit": limit,
            "next": at(offset + limit) if offset + limit < len(items) else None,
            "offset": offset,
            "previous": at(max(0, offset - limit)) if offset else None,
            "total": len(items),
        }


def _refused(code: str, words: str) -> Answer:
    return Answer(400, {"error": code, "error_description": words})


def _error(status: int, message: str, **headers: str) -> Answer:
    return Answer(status, {"error": {"status": status, "message": message}}, headers)


def _missing(key: str) -> Answer:
    good = len(key) == 22 and key.isalnum()
    return _error(404, "Resource not found") if good else _error(400, "Invalid base62 id")


def _faulty(kind: str) -> Answer | None:
    """The answer that a fault is; None when it is none."""
    name, _, seconds = kind.partition(":")
    if name == "429":
        return _error(429, "API rate limit exceeded", **({"retry-after": seconds} if seconds else {}))
    if name == "401":
        return _error(401, "The access token expired")
    if name == "301":
        return Answer(301, "", {"location": "https://example.org/"})
    if name.isdigit():
        return _error(int(name), "trouble")
    return {
        "html": Answer(200, "<html>Welcome to this network</html>"),
        "list": Answer(200, []),
        "garbage": Answer(200, {"id": 7, "name": ["x"], "items": {"items": 3}, "tracks": "many", "next": 5}),
        "premium": _error(403, "Active premium subscription required for the owner of the app."),
        "unregistered": Answer(
            403, "Check settings on developer.spotify.com/dashboard, the user may not be registered."
        ),
        "scope": _error(403, "Insufficient client scope"),
        "forbidden": _error(403, "Forbidden"),
    }.get(name)


def picture() -> bytes:
    """A small PNG."""
    rows = b"".join(b"\0" + bytes((200, 40, 90)) * 16 for _ in range(16))

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # somebody hung up


def _handler(service: Spotify) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve("GET")

        def do_POST(self) -> None:
            self._serve("POST")

        def _serve(self, method: str) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode("utf-8", "replace")
            asked = Asked(
                method=method,
                path=parts.path,
                query=dict(parse_qsl(parts.query)),
                authorization=self.headers.get("authorization", ""),
                form=dict(parse_qsl(body, keep_blank_values=True)),
                address=self.path,
            )
            with suppress(BrokenPipeError, ConnectionResetError):
                self._respond(asked, service.note(asked))

        def _respond(self, asked: Asked, fault: str) -> None:
            if fault == "slow":
                time.sleep(1.0)
            if fault == "hold":
                service.wait_for_release()
            if fault == "cut":
                self.close_connection = True
                return
            if asked.path.startswith("/image/"):
                answer = Answer(200, picture())
            elif fault == "ring":
                answer = Answer(200, {"items": [], "next": f"{service.accounts_url}{asked.address}"})
            else:
                answer = _faulty(fault) or service.answer(asked)
            asked.status = answer.status
            if isinstance(answer.body, bytes):
                content, kind = answer.body, "image/png"
            elif isinstance(answer.body, str):
                content, kind = answer.body.encode(), "text/html; charset=utf-8"
            else:
                content, kind = json.dumps(answer.body).encode(), "application/json; charset=utf-8"
            self.send_response(answer.status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(content)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if fault == "half":
                self.wfile.write(content[: len(content) // 2])
                self.close_connection = True
                return
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def furnish(service: Spotify) -> dict[str, str]:
    """Something to look at; the links by what they are."""
    many = service.songs(520)
    odd = [service.song("../../etc/passwd\0", "CON"), service.song("שלום 🎧 " + "long " * 80, "مرحبا")]
    service.saved = many[:60]
    return {
        "album": f"spotify:album:{service.album('Twelve Songs', many[:12])}",
        "song": f"spotify:track:{many[0]['id']}",
        "short playlist": f"spotify:playlist:{service.playlist('Warm-up', many[:5])}",
        "playlist of 520": f"spotify:playlist:{service.playlist('All night', many)}",
        "odd playlist": f"spotify:playlist:{service.playlist('Odds', [*odd, None, 'local', 'episode', many[0]])}",
        "hidden playlist": f"spotify:playlist:{service.playlist('Kept', many[:9], owner='bob', hidden=True)}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8124)
    parser.add_argument("--shape", choices=("new", "old"), default="new")
    parser.add_argument("--token-life", type=int, default=3600, help="of an access token [s]")
    parser.add_argument("--denies", action="store_true", help="the person does not agree to the login")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it tidies up
    with Spotify(
        shape=chosen.shape, token_life=chosen.token_life, agrees=not chosen.denies, port=chosen.port
    ) as service:
        print(f"SFA_SPOTIFY_URL={service.url} SFA_SPOTIFY_ACCOUNTS_URL={service.accounts_url}")
        print(f"SFA_SPOTIFY_CLIENT_ID={CLIENT_ID} SFA_SPOTIFY_CLIENT_SECRET={CLIENT_SECRET}")
        for name, link in furnish(service).items():
            print(f"{name}: {link}")
        print("ready", flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
