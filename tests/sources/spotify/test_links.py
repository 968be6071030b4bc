"""Every form of a link that people paste, and what is said of all else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfa_kernel.errors import ParameterError
from sfa_kernel.sources.spotify.links import LIKED, Link, looks_like_link, parse

ID = "37i9dQZF1DXcBWIGoYBM5M"
OTHER = "4aawyAB9vmqN3uQ7FjRGTy"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"https://open.spotify.com/track/{ID}", "track"),
        (f"https://open.spotify.com/track/{ID}?si=0a1b2c3d4e5f&context=spotify%3Aplaylist%3A{OTHER}", "track"),
        (f"https://open.spotify.com/intl-de/album/{ID}?si=x", "album"),
        (f"https://open.spotify.com/intl-pt-BR/track/{ID}", "track"),
        (f"http://open.spotify.com/playlist/{ID}/", "playlist"),
        (f"HTTPS://OPEN.SPOTIFY.COM/playlist/{ID}#0:30", "playlist"),
        (f"open.spotify.com/playlist/{ID}", "playlist"),
        (f"  <https://open.spotify.com/playlist/{ID}>\n", "playlist"),
        (f'"https://play.spotify.com/album/{ID}"', "album"),
        (f"https://open.spotify.com/embed/track/{ID}?utm_source=oembed", "track"),
        (f"https://open.spotify.com/user/ada%20l/playlist/{ID}", "playlist"),
        (f"https://open.spotify.com:443/track/{ID}", "track"),
        (f"spotify:track:{ID}", "track"),
        (f"SPOTIFY:album:{ID}", "album"),
        (f"spotify:playlist:{ID}?si=x", "playlist"),
        (f"spotify:user:ada:playlist:{ID}", "playlist"),
        (f"spotify:user:ada%3Alovelace:playlist:{ID}", "playlist"),
        (f"spotify://playlist/{ID}", "playlist"),
        (f"track:{ID}", "track"),
        (f"album:{ID}", "album"),
    ],
)
def test_every_form_leads_to_the_same(text: str, kind: str) -> None:
    link = parse(text)
    assert (link.kind, link.id) == (kind, ID)
    assert link.uri == f"spotify:{kind}:{ID}"
    assert link.url == f"https://open.spotify.com/{kind}/{ID}"
    assert parse(link.uri) == parse(link.url) == link
    assert looks_like_link(text)


@pytest.mark.parametrize(
    "text",
    [
        "liked",
        "https://open.spotify.com/collection/tracks?si=x",
        "https://open.spotify.com/intl-fr/collection/tracks",
        "spotify:collection",
        "spotify:collection:tracks",
        "spotify:user:ada:collection",
        LIKED.uri,
        LIKED.url,
    ],
)
def test_the_liked_songs_have_links_too(text: str) -> None:
    assert parse(text) == LIKED


def test_an_id_by_itself_needs_its_kind() -> None:
    assert parse(ID, "playlist") == Link("playlist", ID)
    assert parse(f"spotify:track:{ID}", "track") == Link("track", ID)
    for text, kind, reason in (
        (ID, None, f"Say which, as in track:{ID}"),
        (f"spotify:album:{ID}", "track", "leads to an album, not to a song"),
        ("liked", "playlist", "leads to the liked songs, not to a playlist"),
        (ID, "liked", "have no id"),
    ):
        with pytest.raises(ParameterError, match=reason):
            parse(text, kind)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "There is no link"),
        ("  \n", "There is no link"),
        ("Never Gonna Give You Up", "no single link"),
        (f"spotify:track:{ID} spotify:track:{OTHER}", "one link at a time"),
        (f"spotify:track:{ID}\0", "no single link"),
        ("x" * 3000, "no single link"),
        ("song.mp3", "“song.mp3” is no link of Spotify"),
        (f"https://open.spotify.com/artist/{ID}", "leads to an artist"),
        (f"spotify:artist:{ID}", "leads to an artist"),
        (f"https://open.spotify.com/show/{ID}", "leads to a podcast"),
        (f"https://open.spotify.com/episode/{ID}?si=x", "an episode of a podcast"),
        ("https://open.spotify.com/user/ada", "leads to a person"),
        ("spotify:user:ada", "leads to a person"),
        ("spotify:local:Artist:Album:Title:213", "a file on somebody's computer"),
        ("https://open.spotify.com/search/house", "leads to a search"),
        ("https://open.spotify.com/", "leads to no song"),
        ("https://open.spotify.com/genre/0JQ5", "leads to a genre"),
        ("spotify:", "leads to no song"),
        ("https://spotify.link/AbCdEfGhIj", "short link.*Open it in a browser"),
        ("spotify.link/AbCdEfGhIj", "short link"),
        ("https://spotify.app.link/x?_p=c", "short link"),
        (f"https://example.com/track/{ID}", "“example.com” is not Spotify"),
        (f"https://open.spotify.com.example.com/track/{ID}", "is not Spotify"),
        (f"open.spotify.com.example.com/track/{ID}", "is no link of Spotify"),
        (f"https://open.spotify.com@example.com/track/{ID}", "“example.com” is not Spotify"),
        (f"https://me:secret@open.spotify.com/track/{ID}", "no address that Spotify gives"),
        (f"https://open.spotify.com:8080/track/{ID}", "no address that Spotify gives"),
        ("https://open.spotify.com:port/track", "no address of the web"),
        ("https://[::1/track", "no address of the web"),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", "“www.youtube.com” is not Spotify"),
        (f"ftp://open.spotify.com/track/{ID}", "is no link of Spotify"),
        ("https://open.spotify.com/track/", "does not say which track"),
        ("spotify:album", "does not say which album"),
        (f"spotify:track:{ID[:-1]}", "no id of a track: it has 22"),
        (f"spotify:track:{ID}x", "no id of a track"),
        (f"spotify:track:{ID[:-1]}ö", "no id of a track"),
        (f"https://open.spotify.com/track/{ID}/{OTHER}", "no id of a track"),
        (f"https://open.spotify.com/track/..%2f..%2f{ID}", "no id of a track"),
        ("spotify:track:../../../../../etc/passwd", "no id of a track"),
    ],
)
def test_all_else_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ParameterError, match=reason) as refused:
        parse(text)
    assert len(str(refused.value)) < 400
    assert str(refused.value).isprintable()
    assert "secret" not in str(refused.value)


@given(
    st.text(max_size=60) | st.from_regex(r"(spotify:|https://open\.spotify\.com/|open\.spotify\.com)[\w:/?%#@.-]{0,40}")
)
def test_any_text_is_a_link_or_refused(text: str) -> None:
    try:
        link = parse(text)
    except ParameterError:
        return
    assert parse(link.uri) == link


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("https://example.com/set.m3u8", True),
        ("spotify:artist:x", True),
        ("spotify.link/abc", True),
        ("track:short", False),
        ("liked", False),
        (ID, False),
        ("/music/spotify:track.mp3", False),
        ("C:\\music\\song.mp3", False),
        ("my spotify.com mix.m3u8", False),
        ("spotify.com mix.m3u8", False),
        ("", False),
    ],
)
def test_names_of_files_are_told_from_links(text: str, is_one: bool) -> None:
    assert looks_like_link(text) is is_one
