"""What a person gets: one file of the right name, or an archive whose manifest is true."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sfa_kernel import audio
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.exporting import Exported, Item, export, outline, wish
from tests.exporting.conftest import FRAMES, RATE, silent, tone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    MakeItem = Callable[..., Item]


def made(items: Sequence[Item], tmp_path: Path, what: str, **options: Any) -> Exported:
    folder = tmp_path / "scratch"
    folder.mkdir(exist_ok=True)
    return export(items, wish(what, **options), folder, at=silent)


def unpacked(exported: Exported, tmp_path: Path) -> tuple[list[str], dict[str, Any], Path]:
    """The names in an archive, its manifest, and the folder it was unpacked to."""
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(exported.file) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
        names = archive.namelist()
    return names, json.loads((folder / "manifest.json").read_text("utf-8")), folder


@pytest.mark.parametrize("form", ["flac", "wav", "mp3", "ogg", "m4a"])
def test_one_stem_is_one_tagged_file(form: str, make_item: MakeItem, tmp_path: Path) -> None:
    item = make_item()
    exported = made([item], tmp_path, "stem", stem="vocals", format=form)
    assert exported.name == f"Ärtist - Søng (vocals).{form}"
    assert list((tmp_path / "scratch").iterdir()) == [exported.file]
    assert audio.read_tags(exported.file).title == "Søng (vocals)"
    sound, rate = audio.decode(exported.file)
    true = audio.decode(item.stem("vocals").file)[0]
    assert (sound.shape, rate) == ((2, FRAMES), RATE)
    if form in ("flac", "wav"):
        assert np.array_equal(sound, true)
    else:
        assert 10 * np.log10(np.sum(true**2) / np.sum((sound - true) ** 2)) > 20


def test_the_fields_of_a_name(make_item: MakeItem) -> None:
    template = "{artist}, {title}, {album}, {year}, {genre}, {bpm}, {key}, {camelot}, {stem}, {engine}, {model}"
    (name,) = (outline([make_item()], wish("stem", stem="bass", template=template)).name,)
    assert name == "Ärtist, Søng, Album, 2024, House, 127.35, F# minor, 11A, bass, demucs, htdemucs_ft.flac"


def test_all_stems_come_with_a_manifest_that_is_true(make_item: MakeItem, tmp_path: Path) -> None:
    item = make_item()
    exported = made([item], tmp_path, "stems")
    assert exported.name == "Ärtist - Søng (stems).zip"
    assert list((tmp_path / "scratch").iterdir()) == [exported.file]
    names, manifest, folder = unpacked(exported, tmp_path)
    assert names == [f"Ärtist - Søng ({stem}).flac" for stem in ("vocals", "drums", "bass", "other")] + [
        "manifest.json"
    ]
    (song,) = manifest["songs"]
    assert (song["title"], song["engine"], song["model"], song["settings"]) == (
        "Søng",
        "demucs",
        "htdemucs_ft",
        {"overlap": 0.25},
    )
    assert song["sha256"] == item.song.content_hash
    assert song["report"]["residual_db"] == -96.0
    assert manifest["program"]["version"]
    total = np.zeros((2, FRAMES), np.float32)
    for row in song["files"]:
        path = folder / row["file"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["sha256"]
        assert (path.stat().st_size, row["frames"], row["sample_rate_hz"], row["channels"], row["gain_db"]) == (
            row["bytes"],
            FRAMES,
            RATE,
            2,
            0,
        )
        total += audio.decode(path)[0]
    assert np.abs(total - audio.decode(item.song.file)[0]).max() < 1e-6


def test_stems_beyond_full_scale_are_turned_down_together(make_item: MakeItem, tmp_path: Path) -> None:
    loud = {"vocals": tone("vocals", level=1.6), "drums": tone("drums")}
    item = make_item(loud, suffix=".wav")
    _, manifest, folder = unpacked(made([item], tmp_path, "stems"), tmp_path)
    files = manifest["songs"][0]["files"]
    gains = {row["gain_db"] for row in files}
    assert len(gains) == 1
    gain = 10 ** (gains.pop() / 20)
    assert gain == pytest.approx(1 / 1.6, rel=0.01)
    for row in files:
        sound = audio.decode(folder / row["file"])[0]
        assert np.abs(sound - gain * loud[row["stem"]]).max() < 1e-4
    lossless = made([item], tmp_path, "stem", stem="vocals", format="wav")
    assert np.array_equal(audio.decode(lossless.file)[0], loud["vocals"])


def test_several_songs_are_one_archive_in_which_nothing_is_lost(make_item: MakeItem, tmp_path: Path) -> None:
    twins = [make_item(["vocals", "rest"], title="Song"), make_item(["vocals", "rest"], title="SONG")]
    exported = made(twins, tmp_path, "stems", template="{title} ({stem})")
    assert exported.name == "2 songs (stems).zip"
    names, manifest, _ = unpacked(exported, tmp_path)
    assert names == [
        "Song (stems)/Song (vocals).flac",
        "Song (stems)/Song (rest).flac",
        "SONG (stems) (2)/SONG (vocals).flac",
        "SONG (stems) (2)/SONG (rest).flac",
        "manifest.json",
    ]
    assert [song["title"] for song in manifest["songs"]] == ["Song", "SONG"]
    vocals = outline(twins, wish("stem", stem="vocals", template="{title}"))
    assert vocals.name == "2 songs (vocals).zip"
    assert [piece.name for piece in vocals.pieces] == ["Song.flac", "SONG (2).flac"]


def test_stems_tell_their_names_whatever_the_template(make_item: MakeItem) -> None:
    plan = outline([make_item(["vocals", "rest"])], wish("stems", template="{title}"))
    assert (plan.name, [piece.name for piece in plan.pieces]) == (
        "Søng.zip",
        ["Søng (vocals).flac", "Søng (rest).flac"],
    )


def test_hostile_tags_stay_inside_the_archive(make_item: MakeItem, tmp_path: Path) -> None:
    items = [make_item(["vocals", "rest"], title="../../x", artist="/etc"), make_item(["vocals", "rest"], title="\0")]
    with zipfile.ZipFile(made(items, tmp_path, "stems", template="{artist}/{title}").file) as archive:
        for name in archive.namelist():
            assert name.count("/") <= 1
            assert not {part for part in name.split("/") if part in ("", ".", "..")}


def test_the_manifest_names_the_tracks_of_stem_files(make_item: MakeItem, tmp_path: Path) -> None:
    exported = made([make_item(["vocals", "rest"]), make_item()], tmp_path, "stem.mp4", format="alac")
    names, manifest, _ = unpacked(exported, tmp_path)
    assert names == ["Ärtist - Søng.stem.mp4", "Ärtist - Søng (2).stem.mp4", "manifest.json"]
    assert manifest["songs"][0]["files"][0]["tracks"] == [["mix"], [], [], ["rest"], ["vocals"]]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"what": "song"}, "no export 'song'.*stem, stems, stem.mp4, analysis"),
        ({"what": "stem"}, "No stem is named"),
        ({"what": "stems", "format": "aiff"}, "no format for stems.*flac, wav"),
        ({"what": "stem.mp4", "format": "flac"}, "no format for stem.mp4.*aac, alac"),
        ({"what": "stems", "template": "{foo}"}, "no field 'foo'"),
    ],
)
def test_wishes_that_nobody_can_meet(options: dict[str, str], problem: str) -> None:
    with pytest.raises(ParameterError, match=problem):
        wish(**options)


def test_what_is_missing_is_told(make_item: MakeItem) -> None:
    item = make_item()
    with pytest.raises(NotFoundError, match=r"have no guitar. Choose from vocals, drums"):
        outline([item], wish("stem", stem="guitar"))
    with pytest.raises(NotFoundError, match=r"has no stems yet. Separate it first"):
        outline([replace(item, stem_set=None)], wish("stems"))
    assert item.stem_set is not None
    preview = replace(item, stem_set=replace(item.stem_set, start=10.0, end=20.0))
    with pytest.raises(ParameterError, match=r"a preview of a region. Separate the whole song"):
        outline([preview], wish("stem.mp4"))
    with pytest.raises(NotFoundError, match="no analysis yet"):
        outline([item], wish("analysis"))
    with pytest.raises(ParameterError, match="No song is named"):
        outline([], wish("stems"))


def test_memory_does_not_grow_with_length(make_item: MakeItem, tmp_path: Path) -> None:
    item = make_item({name: np.tile(tone(name), 30) for name in ("vocals", "drums")}, suffix=".wav")
    tracemalloc.start()
    try:
        made([item], tmp_path, "stems")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 30 * FRAMES * 4  # one channel of one stem
