"""Stem files for Traktor and Mixxx, read by a parser of the tests' own, by FFmpeg's programs and by its libraries."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from sfa_kernel import audio
from sfa_kernel.errors import AudioError, ParameterError
from sfa_kernel.exporting import Item, Stem
from sfa_kernel.exporting.nistems import fold, write_stem_file
from tests.exporting import boxes
from tests.exporting.conftest import FRAMES, RATE, silent, tone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    MakeItem = Callable[..., Item]

FOUR = ("Drums", "Bass", "Other", "Vocals")


def written(item: Item, tmp_path: Path, codec: str = "alac") -> Path:
    path = tmp_path / "song.stem.mp4"
    write_stem_file(item, path, codec=codec, at=silent)
    return path


def manifest(path: Path) -> dict[str, Any]:
    """What a player reads of the parts."""
    return dict(json.loads(boxes.read(path).one("moov/udta/stem").content))


def tracks(path: Path) -> list[NDArray[np.float32]]:
    """The sound of each track [shape=(2, n)]."""
    sounds = []
    with av.open(str(path)) as container:
        count = len(container.streams.audio)
    for number in range(count):
        with av.open(str(path)) as container:
            resampler = av.AudioResampler("fltp", "stereo", None)
            frames = [r.to_ndarray() for f in container.decode(audio=number) for r in resampler.resample(f)]
            sounds.append(np.concatenate(frames, axis=1))
    return sounds


def heard(sound: NDArray[np.float32]) -> set[str]:
    """The stems whose tone is in the left channel."""
    from tests.exporting.conftest import TONES

    spectrum = np.abs(np.fft.rfft(sound[0, :RATE] * np.hanning(RATE)))
    return {name for name, hertz in TONES.items() if spectrum[round(hertz)] > 0.01 * RATE}


@pytest.mark.parametrize("codec", ["aac", "alac"])
def test_the_file_is_five_stereo_tracks_of_one_length_and_a_manifest(
    codec: str, make_item: MakeItem, tmp_path: Path
) -> None:
    path = written(make_item(), tmp_path, codec)
    file = boxes.read(path)
    assert next(box.name for box in file.boxes) == "ftyp"
    assert [box.name for box in file.boxes].count("moov") == 1
    headers = [box.content for box in file.all("moov/trak/tkhd")]
    assert [header[3] & 1 for header in headers] == [1, 0, 0, 0, 0]  # only the mix is enabled
    assert [struct.unpack_from(">I", header, 12)[0] for header in headers] == [1, 2, 3, 4, 5]
    lengths = {box.content for box in file.all("moov/trak/edts/elst")}
    assert len(lengths) == 1
    scale = struct.unpack_from(">I", file.one("moov/mvhd").content, 12)[0]
    assert struct.unpack_from(">I", file.all("moov/trak/edts/elst")[0].content, 8)[0] / scale == FRAMES / RATE
    entries = [box.content for box in file.all("moov/trak/mdia/minf/stbl/stsd")]
    assert {entry[12:16] for entry in entries} == {b"mp4a" if codec == "aac" else b"alac"}
    assert {struct.unpack_from(">H", entry, 32)[0] for entry in entries} == {2}  # channels
    assert [box.name for box in file.one("moov/udta").boxes] == ["meta", "stem"]

    found = manifest(path)
    assert found["version"] == 1
    assert [stem["name"] for stem in found["stems"]] == list(FOUR)
    assert all(stem["color"].startswith("#") and len(stem["color"]) == 7 for stem in found["stems"])
    assert found["mastering_dsp"]["compressor"]["enabled"] is False
    assert found["mastering_dsp"]["limiter"]["enabled"] is False
    tags = audio.read_tags(path)
    assert (tags.title, tags.artist, tags.album, tags.key, tags.cover_mime) == (
        "Søng",
        "Ärtist",
        "Album",
        "F#m",
        "image/png",
    )


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="FFmpeg's programs are not installed")
@pytest.mark.parametrize("codec", ["aac", "alac"])
def test_ffmpeg_reads_the_tracks_and_the_tags(codec: str, make_item: MakeItem, tmp_path: Path) -> None:
    path = written(make_item(), tmp_path, codec)
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", path],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(told.stdout)
    sounds = [stream for stream in found["streams"] if stream["codec_type"] == "audio"]
    assert [stream["disposition"]["default"] for stream in sounds] == [1, 0, 0, 0, 0]
    assert {(s["codec_name"], s["channels"], s["sample_rate"], s["duration_ts"], s["start_pts"]) for s in sounds} == {
        (codec, 2, str(RATE), FRAMES, 0)
    }
    assert (found["format"]["tags"]["title"], found["format"]["tags"]["date"]) == ("Søng", "2024")
    assert told.stderr == ""


def test_each_track_is_its_stem_to_the_sample(make_item: MakeItem, tmp_path: Path) -> None:
    item = make_item()
    mix, drums, bass, other, vocals = tracks(written(item, tmp_path))
    step = 2.0**-23
    for name, sound in {"drums": drums, "bass": bass, "other": other, "vocals": vocals}.items():
        assert np.abs(sound - audio.decode(item.stem(name).file)[0]).max() <= step
    assert np.abs(mix - audio.decode(item.song.file)[0]).max() <= step
    assert np.abs(mix - (drums + bass + other + vocals)).max() <= 5 * step


def test_aac_is_near_the_sound_and_nothing_is_shifted(make_item: MakeItem, tmp_path: Path) -> None:
    item = make_item()
    for sound, source in zip(
        tracks(written(item, tmp_path, "aac")),
        [item.song.file, *(item.stem(name.lower()).file for name in FOUR)],
        strict=True,
    ):
        true = audio.decode(source)[0]
        error = sound[:, :FRAMES] - true
        assert 10 * np.log10(np.sum(true**2) / np.sum(error**2)) > 25


@pytest.mark.parametrize(
    ("stems", "names", "parts"),
    [
        (
            ("vocals", "drums", "bass", "other", "guitar", "piano"),
            FOUR,
            [{"drums"}, {"bass"}, {"other", "guitar", "piano"}, {"vocals"}],
        ),
        (("vocals", "rest"), ("Empty", "Empty", "Rest", "Vocals"), [set(), set(), {"rest"}, {"vocals"}]),
        (
            ("vocals", "guitar", "rest"),
            ("Empty", "Guitar", "Rest", "Vocals"),
            [set(), {"guitar"}, {"rest"}, {"vocals"}],
        ),
        (("drums", "bass"), ("Drums", "Bass", "Empty", "Empty"), [{"drums"}, {"bass"}, set(), set()]),
    ],
)
def test_other_sets_of_stems_become_four_parts_too(
    stems: tuple[str, ...], names: tuple[str, ...], parts: list[set[str]], make_item: MakeItem, tmp_path: Path
) -> None:
    path = written(make_item(stems), tmp_path)
    assert tuple(stem["name"] for stem in manifest(path)["stems"]) == names
    assert [heard(sound) for sound in tracks(path)] == [set(stems), *parts]


def test_lead_and_backing_vocals_are_one_part(tmp_path: Path) -> None:
    parts = fold([Stem(name, tmp_path) for name in ("lead_vocals", "back_vocals", "rest")])
    assert [(part.name, len(part.stems)) for part in parts][2:] == [("Rest", 1), ("Vocals", 2)]
    assert fold([Stem("lead_vocals", tmp_path), Stem("rest", tmp_path)])[3].name == "Lead vocals"


def test_mono_songs_and_rare_sample_rates_become_what_players_take(make_item: MakeItem, tmp_path: Path) -> None:
    mono = {name: tone(name, rate=22050, frames=22050)[:1] for name in ("vocals", "drums")}
    path = written(make_item(mono, rate=22050), tmp_path)
    sounds = tracks(path)
    assert {sound.shape for sound in sounds} == {(2, 44100)}
    assert np.array_equal(sounds[0][0], sounds[0][1])
    assert audio.probe(path).sample_rate == 44100
    high = {name: tone(name, rate=96000, frames=9600) for name in ("vocals", "drums")}
    assert audio.probe(written(make_item(high, rate=96000), tmp_path)).sample_rate == 48000


def test_a_song_that_exceeds_full_scale_is_turned_down_with_its_stems(make_item: MakeItem, tmp_path: Path) -> None:
    loud = {name: tone(name, level=1.2) for name in ("vocals", "drums")}
    item = make_item(loud, suffix=".wav")
    gain = write_stem_file(item, tmp_path / "a.mp4", codec="alac", at=silent)
    assert gain < 1 / 1.2
    mix, drums, _, _, vocals = tracks(tmp_path / "a.mp4")
    assert np.abs(mix).max() <= 1
    assert np.abs(mix - drums - vocals).max() < 1e-6
    assert np.abs(vocals - gain * loud["vocals"]).max() < 1e-6


def test_what_cannot_be_a_stem_file_is_told(make_item: MakeItem, tmp_path: Path) -> None:
    item = make_item()
    assert item.stem_set is not None
    preview = replace(item, stem_set=replace(item.stem_set, start=10.0, end=20.0))
    with pytest.raises(ParameterError, match="preview of a region"):
        written(preview, tmp_path)
    with pytest.raises(ParameterError, match="two stems or more"):
        written(make_item(["vocals"]), tmp_path)
    short = make_item()
    audio.encode(short.stem("bass").file, tone("bass", frames=RATE), RATE)
    with pytest.raises(AudioError, match="not as long as the song"):
        written(short, tmp_path)
    assert not list(tmp_path.glob("*.mp4"))


def test_progress_rises_and_stopping_leaves_nothing(make_item: MakeItem, tmp_path: Path) -> None:
    told: list[float] = []
    write_stem_file(make_item(), tmp_path / "a.mp4", codec="alac", at=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0

    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_stem_file(make_item(), tmp_path / "b.mp4", codec="aac", at=stop)
    assert not (tmp_path / "b.mp4").exists()
