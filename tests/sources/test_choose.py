"""The recording that is the song is chosen, whatever else a search finds, and wherever it stands."""

from __future__ import annotations

import pytest

from sfa_kernel.sources.downloads.choose import Result, choose, ranked
from sfa_kernel.sources.song import Song

SONG = Song("spotify", "k", "Midnight City", artist="M83", album="Hurry Up, We're Dreaming", duration=243.0)


def found(title: str, duration: float | None = 243.0, channel: str = "Somebody") -> Result:
    return Result(title, channel, duration, f"https://x/{title}")


def test_the_song_is_found_behind_everything_else() -> None:
    results = [
        found("M83 - Midnight City (Live on KCRW)"),
        found("M83 - Midnight City (Eric Prydz Remix)"),
        found("Midnight City - M83 (Cover by Ann)"),
        found("M83 - Midnight City (slowed + reverb)"),
        found("M83 - Midnight City Karaoke"),
        found("M83 - Reunion"),
        found("M83 - Midnight City [10 hours]", 36000),
        found("M83 - Midnight City", 263),
        found("M83 'Midnight City' Official video", 244, "M83"),
    ]
    assert ranked(results, SONG) == [results[-1]]


def test_of_several_the_nearest_in_length_and_words_comes_first() -> None:
    far, near = found("M83 - Midnight City", 248), found("M83 - Midnight City", 243.4)
    wordy = found("M83 - Midnight City on repeat while it rains all night", 243.4)
    assert ranked([far, wordy, near], SONG)[0] == near


@pytest.mark.parametrize(
    ("title", "artist", "result"),
    [
        ("Live Forever", "Oasis", found("Oasis - Live Forever (Official Video)")),
        ("Levels - Radio Edit", "Avicii", found("Levels", channel="Avicii - Topic")),
        ("Bad Guy (with Justin Bieber)", "Billie Eilish, Justin Bieber", found("bad guy", channel="BillieEilishVEVO")),
        ("Heroes - 2017 Remaster", "David Bowie", found("David Bowie - Heroes")),
        ("Déjà Vu", "Beyoncé", found("Beyonce - Deja Vu")),
        ("夜に駆ける", "YOASOBI", found("YOASOBI「夜に駆ける」 Official Music Video")),
        ("Strobe - Live", "deadmau5", found("deadmau5 - Strobe (Live)")),
        ("Don't Stop", "Fleetwood Mac", found("Fleetwood Mac - Dont Stop")),
        ("Intro", "The xx", found("The xx - Intro")),
    ],
)
def test_a_song_is_known_by_other_spellings(title: str, artist: str, result: Result) -> None:
    assert choose([result], Song("spotify", "k", title, artist=artist, duration=243.0)) == result


@pytest.mark.parametrize(
    ("title", "artist", "result"),
    [
        ("Live Forever", "Oasis", found("Oasis - Live Forever (Live at Knebworth)")),
        ("Strobe - Live", "deadmau5", found("deadmau5 - Strobe")),
        ("Levels - Skrillex Remix", "Avicii", found("Avicii - Levels")),
        ("Hello", "Adele", found("Lionel Richie - Hello")),
        ("Hello", "Adele", found("Adele - Hello", None)),
        ("Hello", "Adele", found("Adele - Hello", 251)),
        ("Hello", "Adele", found("")),
    ],
)
def test_another_recording_is_none(title: str, artist: str, result: Result) -> None:
    assert choose([result], Song("spotify", "k", title, artist=artist, duration=243.0)) is None


def test_a_song_whose_length_nobody_knows_is_chosen_by_its_words() -> None:
    song = Song("file", "x.mp3", "Midnight City", artist="M83")
    assert choose([found("M83 - Wait"), found("M83 - Midnight City", None)], song) is not None
    assert choose([], song) is None


def test_a_title_by_itself_is_no_song() -> None:
    assert choose([found("Hello")], Song("file", "hello.mp3", "Hello")) is None
    assert choose([found("Hello")], Song("file", "hello.mp3", "Hello", duration=243.0)) is not None
