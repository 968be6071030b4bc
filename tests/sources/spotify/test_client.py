"""What is asked of Spotify's Web API, over real connections to a service that answers as it does."""

from __future__ import annotations

import json
import logging
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfa_kernel.credentials import Secret
from sfa_kernel.errors import FatalJobError, NotFoundError, RateLimitedError, ServiceError, SetupError
from sfa_kernel.sources.spotify import shapes
from sfa_kernel.sources.spotify.client import Client
from sfa_kernel.sources.spotify.links import LIKED, Link
from sfa_kernel.sources.spotify.shapes import Listing, Page
from tests.sources.spotify.server import ME, Spotify, identifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sfa_kernel.sources.song import Song

SHAPES = pytest.mark.parametrize(("shape", "embedded"), [("new", True), ("new", False), ("old", True), ("old", False)])
TOKEN = "a-planted-t0ken-of-nobody"  # noqa: S105 - nobody's


def songs_of(client: Client, listing: Listing) -> list[Song]:
    return [song for page in client.pages(listing) for song in page.songs]


def test_a_song_has_all_that_is_known_of_it(spotify: Spotify, client: Client) -> None:
    track = spotify.song("Été", "Łukasz", seconds=200.4)
    track["artists"] += spotify.song("x", "Beyoncé")["artists"]
    listing = client.look(Link("track", track["id"]))
    assert (listing.kind, listing.name, listing.owner, listing.total) == ("track", "Été", "Łukasz, Beyoncé", 1)
    assert listing.page is not None
    (song,) = listing.page.songs
    assert song.service == "spotify"
    assert song.key == track["id"]
    assert (song.title, song.artist, song.album) == ("Été", "Łukasz, Beyoncé", "Été (Single)")
    assert (song.year, song.duration, song.isrc) == (1998, 200.4, "QZTST2600001")
    assert song.url == f"https://open.spotify.com/track/{track['id']}"
    assert song.cover_url is not None
    assert song.cover_url.endswith("-640")  # the widest
    assert list(client.pages(listing)) == [listing.page]
    assert [asked.path for asked in spotify.asked] == [f"/v1/tracks/{track['id']}"]
    assert spotify.asked[0].authorization.startswith("Bearer access-")


def test_the_songs_of_an_album_know_their_album(spotify: Spotify, client: Client) -> None:
    tracks = spotify.songs(120)
    key = spotify.album("Long", tracks, ("Ada", "Bob"))
    listing = client.look(Link("album", key))
    assert (listing.name, listing.owner, listing.total, listing.year) == ("Long", "Ada, Bob", 120, 1998)
    songs = songs_of(client, listing)
    assert [song.key for song in songs] == [track["id"] for track in tracks]
    assert {(song.album, song.year, song.cover_url) for song in songs} == {("Long", 1998, listing.cover_url)}
    assert [song.track_number for song in songs] == list(range(1, 121))
    assert [asked.address for asked in spotify.asked] == [
        f"/v1/albums/{key}",
        f"/v1/albums/{key}/tracks?offset=50&limit=50",
        f"/v1/albums/{key}/tracks?offset=100&limit=50",
    ]


@SHAPES
def test_a_long_playlist_comes_whole_in_either_shape(
    spotify: Spotify, client: Client, shape: Any, embedded: bool
) -> None:
    spotify.shape, spotify.embedded = shape, embedded
    tracks = spotify.songs(520)
    key = spotify.playlist("All night", tracks)
    listing = client.look(Link("playlist", key))
    assert (listing.name, listing.owner, listing.total) == ("All night", ME["display_name"], 520)
    assert listing.description == "All of All night & more"
    assert (listing.snapshot, listing.note) == ("AAAA0001", None)
    pages = list(client.pages(listing))
    assert [song.key for page in pages for song in page.songs] == [track["id"] for track in tracks]
    assert sum(page.skipped for page in pages) == 0
    # What each page gave as the next is what was asked for, to the letter.
    followed = [page.next for page in pages if page.next]
    assert [f"{spotify.accounts_url}{asked.address}" for asked in spotify.asked][-len(followed) :] == followed


@SHAPES
def test_what_is_no_song_that_could_come_is_counted(
    spotify: Spotify, client: Client, shape: Any, embedded: bool
) -> None:
    spotify.shape, spotify.embedded = shape, embedded
    one, two = spotify.songs(2)
    key = spotify.playlist("Odds", [one, None, "local", "episode", "nameless", two])
    listing = client.look(Link("playlist", key))
    assert listing.page is not None
    assert [song.title for song in listing.page.songs] == ["Song 0001", "Song 0002"]
    assert (listing.total, listing.page.skipped) == (6, 4)


@pytest.mark.parametrize("shape", ["new", "old"])
def test_a_playlist_whose_songs_are_withheld_says_so(spotify: Spotify, client: Client, shape: Any) -> None:
    spotify.shape = shape
    listing = client.look(Link("playlist", spotify.playlist("Kept", spotify.songs(3), owner="bob", hidden=True)))
    assert (listing.name, listing.owner, listing.page) == ("Kept", "Bob", None)
    assert listing.note is not None
    assert "only to its owner" in listing.note
    assert list(client.pages(listing)) == []


def test_a_playlist_without_songs_is_no_mistake(spotify: Spotify, client: Client) -> None:
    listing = client.look(Link("playlist", spotify.playlist("Nothing yet", [])))
    assert (listing.total, listing.page, listing.note) == (0, Page(()), None)


def test_who_is_logged_in_and_what_is_theirs(spotify: Spotify, client: Client) -> None:
    spotify.saved = [*spotify.songs(120), None]
    links = {spotify.playlist(f"Set {n}", spotify.saved[:n]) for n in range(130)}
    account = client.me()
    assert (account.id, account.name) == (ME["id"], ME["display_name"])
    liked = client.look(LIKED)
    assert (liked.kind, liked.total, len(songs_of(client, liked))) == ("liked", 121, 120)
    mine = list(client.my_playlists())
    assert {listing.id for listing in mine} == links
    assert mine[7].total == 7
    assert mine[7].snapshot == "AAAA0001"


def test_paging_goes_on_from_what_was_written_down(spotify: Spotify, client: Client) -> None:
    listing = client.look(Link("playlist", spotify.playlist("All", spotify.songs(250))))
    again = Listing.from_dict(json.loads(json.dumps(listing.to_dict())))
    assert again == listing
    assert again.page is not None
    assert again.page.next is not None
    before = len(spotify.asked)
    page = client.page(again, again.page.next)
    assert Page.from_dict(json.loads(json.dumps(page.to_dict()))) == page
    assert page.songs[0].title == "Song 0101"
    assert len(spotify.asked) == before + 1


def test_the_address_of_the_next_page_is_followed_only_to_the_service(spotify: Spotify, client: Client) -> None:
    listing = client.look(Link("playlist", spotify.playlist("All", spotify.songs(2))))
    asked = len(spotify.asked)
    for address in (
        "https://example.com/v1/playlists/x/items",
        f"https://127.0.0.1:{spotify.port}/v1/playlists/x/items",
        f"{spotify.accounts_url}/v2/playlists",
        f"http://127.0.0.1:{spotify.port}@example.com/v1/playlists",
    ):
        with pytest.raises(ServiceError, match="elsewhere"):
            client.page(listing, address)
    assert len(spotify.asked) == asked


def test_a_list_without_an_end_ends(spotify: Spotify, client: Client) -> None:
    key = spotify.playlist("Ring", spotify.songs(150))
    spotify.fail(f"/v1/playlists/{key}/items", "ring", 100)
    spotify.fail("/v1/me/playlists", "ring", 100)
    for walk in (client.pages(client.playlist(key)), client.my_playlists()):
        with pytest.raises(ServiceError, match="without an end"):
            list(walk)
    assert len(spotify.asked) < 6


# -- what goes wrong ----------------------------------------------------------------------------------------------


def test_a_token_that_is_too_old_is_renewed_once(spotify: Spotify, client: Client) -> None:
    key = spotify.songs(1)[0]["id"]
    client.track(key)
    spotify.expire()
    client.track(key)
    assert [asked.status for asked in spotify.asked] == [200, 401, 200]
    assert spotify.asked[1].authorization != spotify.asked[2].authorization
    spotify.fail("/v1/tracks", "401", 2)
    with pytest.raises(SetupError, match="does not accept the login"):
        client.track(key)
    assert len(spotify.asked) == 5


def test_a_short_wait_is_waited_and_a_long_one_is_told(spotify: Spotify, client: Client, naps: list[float]) -> None:
    key = spotify.songs(1)[0]["id"]
    spotify.fail("/v1/tracks", "429:3", 2)
    assert client.track(key).name == "Song 0001"
    assert naps == [3.0, 3.0]
    for asked, said, seconds in (
        ("429:11", "11 seconds", 11.0),
        ("429:600", "10 minutes", 600.0),
        ("429:86400", "24 hours", 86400.0),
        ("429:", "30 seconds", 30.0),
        ("429:Mon, 01 Jan 99999999999 00:00:00 GMT", "30 seconds", 30.0),
    ):
        spotify.fail("/v1/tracks", asked)
        with pytest.raises(RateLimitedError, match=f"wait {said}") as limited:
            client.track(key)
        assert limited.value.retry_after == seconds
    assert naps == [3.0, 3.0]


def test_short_waits_that_never_end_are_told_too(spotify: Spotify, client: Client, naps: list[float]) -> None:
    spotify.fail("/v1/tracks", "429:0", 1000)
    with pytest.raises(RateLimitedError):
        client.track(spotify.songs(1)[0]["id"])
    assert sum(naps) <= 10


@pytest.mark.parametrize(
    ("kind", "error", "sentence", "advice"),
    [
        ("premium", SetupError, "only while its owner has Spotify Premium", "an account with Premium"),
        ("unregistered", SetupError, "not on the list of those who may use", "under User Management"),
        ("scope", SetupError, "does not allow us to see the playlist", "agree to all"),
        ("forbidden", FatalJobError, "does not show us this playlist: Forbidden", ""),
        ("404", NotFoundError, "no playlist at this link", "once you are logged in"),
        ("301", SetupError, "not at this address", "spotify_url"),
        ("418", FatalJobError, "refuses: trouble", ""),
        ("204", ServiceError, "do not understand: it answered 204", ""),
    ],
)
def test_each_refusal_has_its_sentence(
    spotify: Spotify, client: Client, kind: str, error: type, sentence: str, advice: str
) -> None:
    spotify.fail("/v1/playlists", kind)
    with pytest.raises(error, match=sentence) as refused:
        client.look(Link("playlist", spotify.playlist("Set", [])))
    assert advice in refused.value.hint
    assert refused.value.message.count(".") == 1
    assert len(spotify.asked) == 1


def test_what_is_not_there_is_said_to_be(spotify: Spotify, client: Client) -> None:
    for kind, word in (("track", "song"), ("album", "album"), ("playlist", "playlist")):
        with pytest.raises(NotFoundError, match=f"shows us no {word} at this link"):
            client.look(Link(kind, identifier("nothing")))  # type: ignore[arg-type]
    secret = spotify.playlist("Mine", spotify.songs(1), public=False)
    with (
        Client(spotify.url, lambda _: Secret(spotify.access_token(user=False)), pauses=()) as application,
        pytest.raises(NotFoundError, match="private"),
    ):
        application.playlist(secret)


def test_the_application_alone_has_no_liked_songs(spotify: Spotify) -> None:
    with (
        Client(spotify.url, lambda _: Secret(spotify.access_token(user=False)), pauses=()) as application,
        pytest.raises(SetupError, match=r"liked songs only to who is logged in.*Log in"),
    ):
        application.look(LIKED)


@pytest.mark.parametrize("kind", ["500", "502", "503", "408", "cut", "half", "slow"])
def test_trouble_that_passes_is_not_noticed(spotify: Spotify, client: Client, naps: list[float], kind: str) -> None:
    spotify.fail("/v1/tracks", kind, 1 if kind == "slow" else 2)
    assert client.track(spotify.songs(1)[0]["id"]).name == "Song 0001"
    assert naps == [0.01, 0.02][: len(spotify.asked) - 1]


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("500", "in trouble: it answered 500"),
        ("cut", "connection to Spotify broke"),
        ("slow", "did not answer in time"),
    ],
)
def test_trouble_that_stays_is_told(spotify: Spotify, client: Client, kind: str, sentence: str) -> None:
    spotify.fail("/v1/me", kind, 3)
    with pytest.raises(ServiceError, match=sentence):
        client.me()
    assert len(spotify.asked) == 3


def test_a_long_playlist_survives_a_bad_day(spotify: Spotify, client: Client, naps: list[float]) -> None:
    tracks = spotify.songs(520)
    listing = client.look(Link("playlist", spotify.playlist("All night", tracks)))
    pages = client.pages(listing)
    songs = list(next(pages).songs)
    for kind in ("401", "429:2", "half", "503"):
        spotify.fail("/v1/playlists", kind)
        songs += next(pages).songs
    spotify.expire()
    songs += [song for page in pages for song in page.songs]
    assert [song.key for song in songs] == [track["id"] for track in tracks]
    assert 2.0 in naps


def test_nobody_there_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with Client(url, lambda _: Secret("t"), pauses=()) as client, pytest.raises(ServiceError, match="be reached"):
            client.me()
    with pytest.raises(SetupError, match="no address of Spotify"):
        Client("api.spotify.com", lambda _: Secret("t"))


def test_an_answer_without_an_end_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sfa_kernel.sources.spotify.client.LONGEST_ANSWER", 100_000)
    for client in talker(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n", b"[" * 5000):
        with pytest.raises(ServiceError, match="without an end"):
            client.me()


def test_an_answer_that_trickles_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sfa_kernel.sources.spotify.client.LONGEST_CALL", 0.2)
    for client in talker(b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n", b" "):
        with pytest.raises(ServiceError, match="did not answer in time"):
            client.me()


def talker(head: bytes, piece: bytes) -> Iterator[Client]:
    """A client of a service that answers one request with the same piece again and again."""

    def talk() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(10_000)
            connection.sendall(head)
            try:
                while not over.wait(0.001):
                    connection.sendall(piece)
            except OSError:
                pass

    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=talk)
        thread.start()
        with Client(f"http://127.0.0.1:{listening.getsockname()[1]}/v1", lambda _: Secret("t"), pauses=()) as client:
            yield client
        over.set()
        thread.join()


@pytest.mark.parametrize("kind", ["html", "list", "garbage"])
def test_strange_answers_are_told_and_break_nothing(spotify: Spotify, client: Client, kind: str) -> None:
    key = identifier("any")
    spotify.fail("/v1/", kind, 100)
    for call in (
        lambda: client.track(key),
        lambda: client.album(key),
        lambda: client.playlist(key),
        client.liked,
        client.me,
        lambda: list(client.my_playlists()),
    ):
        with pytest.raises(ServiceError, match="in a way we do not understand"):
            call()


KEYS = ("id", "name", "items", "item", "track", "tracks", "next", "total", "album", "artists", "images", "url", "owner")
KEYS += ("type", "duration_ms", "external_ids", "isrc", "release_date", "snapshot_id", "description", "width")
HOSTILE = {
    "id": identifier("hostile"),
    "name": "../../x\0\u202e" + "🎧" * 1000,
    "type": "track",
    "duration_ms": float("inf"),
    "track_number": -1,
    "artists": [{"name": "CON"}, None, {"name": 7}, {"name": "أنا"}, "x"],
    "album": {
        "name": ["x"],
        "release_date": "0000",
        "images": [{"url": "file:///etc/passwd"}, {"url": "javascript:x"}],
    },
    "external_ids": {"isrc": "'; DROP TABLE songs"},
}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(identifier("x")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=20,
)


@given(JSON)
def test_any_answer_is_read_or_told(document: Any) -> None:
    for read in (shapes.track, shapes.album, shapes.playlist, shapes.page, shapes.liked, shapes.listings):
        try:
            found = read(document)
        except ServiceError:
            continue
        if isinstance(found, Listing):
            assert Listing.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_hostile_texts_are_made_harmless() -> None:
    song = shapes.song(HOSTILE)
    assert song is not None
    assert song.title.isprintable()
    assert "\u202e" not in song.title
    assert len(song.title) <= 300
    assert song.artist == "CON, أنا"
    assert (song.album, song.year, song.duration, song.isrc, song.cover_url) == ("", None, None, None, None)
    assert song.track_number is None


@pytest.mark.parametrize(
    "change",
    [
        {"id": "../../../etc/passwd-22"},
        {"id": None},
        {"id": 7},
        {"name": None},
        {"name": "\u202e \0"},
        {"is_local": True},
        {"type": "episode"},
        {"uri": "spotify:episode:x"},
    ],
)
def test_a_song_without_what_it_needs_is_none(change: dict[str, Any]) -> None:
    assert shapes.song({**HOSTILE, **change}) is None


@pytest.mark.parametrize("broken", [None, 7, "x", [], {}, {"items": None}, {"items": {"items": []}}])
def test_a_page_that_is_none_is_told(broken: Any) -> None:
    with pytest.raises(ServiceError):
        shapes.page(broken)
    assert shapes.page({"items": [broken, {"track": broken}, {"item": [broken]}]}) == Page((), 3)


def test_no_token_is_ever_told(spotify: Spotify, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = []
    with Client(spotify.url, lambda _: Secret(TOKEN), timeout=0.3, pauses=(0.01,)) as client:
        said.append(repr(client))
        for kind in ("", "500", "cut", "half", "slow", "forbidden", "429:99", "html"):
            spotify.fail("/v1/me", kind, 2)
            with pytest.raises((SetupError, FatalJobError, ServiceError, RateLimitedError)) as refused:
                client.me()
            error: BaseException | None = refused.value
            while error is not None:
                said += [str(error), repr(error)]
                error = error.__cause__ or error.__context__
    assert any(TOKEN in asked.authorization for asked in spotify.asked)
    assert TOKEN not in caplog.text + "\n".join(said)
