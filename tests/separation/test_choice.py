"""Some stems, a region, another format: each is cut from the same cloth as the whole."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from sfa_kernel.audio import decode
from sfa_kernel.errors import AudioError, ParameterError, RetryableJobError, SetupError
from sfa_kernel.progress import Steps
from sfa_kernel.separation import child, engines, request, separate
from sfa_kernel.separation.interface import Engine, Model, Parts, Place
from tests.disks import run_on_small_disk
from tests.separation.songs import song


@pytest.fixture(scope="module")
def pop(tmp_path_factory):
    truth = song("pop", seed=3, seconds=12)
    path = tmp_path_factory.mktemp("pop") / "song.wav"
    soundfile.write(path, truth.mix.T, truth.sample_rate, subtype="FLOAT")
    return path


@pytest.fixture(scope="module")
def whole(pop, tmp_path_factory):
    result = separate(pop, tmp_path_factory.mktemp("whole"))
    return {name: decode(path)[0] for name, path in result.stems.items()}


@pytest.mark.parametrize("stems", ["vocals", "other", "drums,bass", "bass,other"])
def test_some_stems_are_those_of_the_whole_set_and_the_rest_completes_them(pop, whole, tmp_path, stems):
    result = separate(pop, tmp_path, stems=stems)
    names = stems.split(",")
    assert list(result.stems) == [*names, "rest"]
    read = {name: decode(path)[0] for name, path in result.stems.items()}
    for name in names:
        np.testing.assert_allclose(read[name], whole[name], atol=3e-7)
    np.testing.assert_allclose(sum(read.values()), decode(pop)[0], atol=3e-7)
    assert result.residual_db < -80


def test_a_region_of_what_a_cut_off_file_only_promises_is_said_to_be_damaged(pop, tmp_path):
    """The header still tells the length that the file once had."""
    path = tmp_path / "cut.flac"
    samples, rate = decode(pop)
    soundfile.write(path, samples.T, rate)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioError, match="at 11 s: it is damaged or cut off"):
        separate(path, tmp_path / "stems", region=(11.0, 12.0))
    assert not (tmp_path / "stems").exists()


def test_a_region_is_cut_to_the_sample_and_sounds_as_in_the_whole(pop, whole, tmp_path):
    result = separate(pop, tmp_path, region=(5.0, 8.0))
    assert (result.start, result.frames) == (5.0, 3 * 44100)
    mix = decode(pop)[0][:, 5 * 44100 : 8 * 44100]
    read = {name: decode(path)[0] for name, path in result.stems.items()}
    np.testing.assert_allclose(read.pop("mix"), mix, atol=3e-7)
    np.testing.assert_allclose(sum(read.values()), mix, atol=1e-6)
    for name, stem in read.items():
        part = whole[name][:, 5 * 44100 : 8 * 44100]
        assert np.corrcoef(part[0], stem[0])[0, 1] > 0.8, name


def test_a_region_that_reaches_beyond_the_end_ends_with_the_song(pop, tmp_path):
    assert separate(pop, tmp_path, region=(10, 99)).frames == 2 * 44100


def test_a_region_behind_the_end_is_refused(pop, tmp_path):
    with pytest.raises(ParameterError, match=r"has nothing at 12 s: it lasts 12\.0 s"):
        separate(pop, tmp_path / "stems", region=(12, 15))
    assert not (tmp_path / "stems").exists()


@pytest.mark.parametrize(("name", "subtype"), [("wav", "FLOAT"), ("ogg", "VORBIS"), ("mp3", "MPEG_LAYER_III")])
def test_other_formats(pop, tmp_path, name, subtype):
    result = separate(pop, tmp_path, region=(2, 4), format=name)
    for path in result.stems.values():
        info = soundfile.info(path)
        assert (path.suffix, info.subtype, info.samplerate) == (f".{name}", subtype, 44100)
        assert abs(decode(path)[0].shape[1] - 2 * 44100) < 2400


def test_stems_in_a_format_with_loss_take_no_others_away(pop, tmp_path):
    made = separate(pop, tmp_path, region=(2, 4), format="wav")
    separate(pop, tmp_path, region=(2, 4), format="ogg")
    assert all(path.exists() for path in made.stems.values())
    separate(pop, tmp_path, region=(2, 4))
    assert {path.suffix for path in tmp_path.iterdir()} == {".flac", ".ogg"}


def test_an_unknown_format_names_the_choices(pop, tmp_path):
    with pytest.raises(ParameterError, match="flac, wav, ogg, mp3"):
        separate(pop, tmp_path, format="aiff")


# -- in a process of its own -------------------------------------------------------------------------------------


def in_child(path, folder, **asked):
    folder.mkdir()
    (folder / "scratch").mkdir()
    seen = []
    done = child.in_child(path, folder, request(**asked), Place(folder / "scratch"), "flac", Steps(seen.append))
    return done, seen


def test_a_process_of_its_own_makes_the_same(pop, whole, tmp_path):
    done, seen = in_child(pop, tmp_path / "out")
    assert seen == sorted(set(seen))
    assert len(seen) > 20
    for name, path in done.stems.items():
        np.testing.assert_array_equal(decode(path)[0], whole[name])
    assert set(done.levels) == set(whole)
    assert done.report.residual_db < -80


def test_its_errors_come_as_they_are(tmp_path):
    (tmp_path / "notes.mp3").write_text("no sound here")
    with pytest.raises(AudioError, match=r"notes\.mp3"):
        in_child(tmp_path / "notes.mp3", tmp_path / "out")


def test_its_death_is_told(pop, tmp_path, monkeypatch):
    monkeypatch.setattr(child.sys, "executable", "/bin/false")
    with pytest.raises(RetryableJobError, match="ended with exit status 1"):
        in_child(pop, tmp_path / "out")


def test_its_death_is_told_also_when_it_comes_in_the_middle_of_a_word(pop, tmp_path, monkeypatch):
    program = tmp_path / "program"
    program.write_text('#!/bin/sh\nread order\nprintf \'{"at": 0.5}\\n{"resul\'\nexit 3\n')
    program.chmod(0o700)
    monkeypatch.setattr(child.sys, "executable", str(program))
    with pytest.raises(RetryableJobError, match="ended with exit status 3"):
        in_child(pop, tmp_path / "out")


def test_a_full_disk_is_told_as_one(pop, tmp_path):
    (tmp_path / "disk").mkdir()
    script = """
from sfa_kernel.errors import DiskFullError
from sfa_kernel.progress import Steps
from sfa_kernel.separation import child, request
from sfa_kernel.separation.interface import Place

(home / "scratch").mkdir()
try:
    child.in_child(Path(sys.argv[2]), home, request(), Place(home / "scratch"), "wav", Steps(lambda percent: None))
except DiskFullError as error:
    print("told")
"""
    done = run_on_small_disk(script, tmp_path / "disk", str(pop), megabytes=2)
    assert done.stdout == "told\n", done.stderr


# -- engines of other kinds --------------------------------------------------------------------------------------


@pytest.fixture
def register(monkeypatch):
    def register(split, **kwargs):
        model = Model("", "", "", ("vocals", "music"), **kwargs.pop("model", {}))
        engine = Engine("mine", "Mine", "", (model,), split, **kwargs)
        monkeypatch.setattr(engines, "ENGINES", {**engines.ENGINES, "mine": engine})

    return register


def test_what_cannot_run_says_why_and_leaves_nothing(register, pop, tmp_path):
    register(None, ready=lambda model, place: (False, "It is not installed."))
    with pytest.raises(SetupError, match="It is not installed"):
        separate(pop, tmp_path / "stems", engine="mine")
    assert not (tmp_path / "stems").exists()


def test_an_engine_that_stops_short_or_goes_on_is_brought_to_the_songs_length(register, pop, tmp_path):
    def split(song, task, at):
        pieces = list(song.blocks())[:-1]
        return Parts(("vocals", "music"), iter(np.stack([0.25 * piece, 0.5 * piece]) for piece in pieces))

    register(split)
    result = separate(pop, tmp_path, engine="mine")
    assert all(soundfile.info(path).frames == 12 * 44100 for path in result.stems.values())

    def longer(song, task, at):
        pieces = [*song.blocks(), np.ones((2, 5000), np.float32)]
        return Parts(("vocals", "music"), iter(np.stack([0.25 * piece, 0.5 * piece]) for piece in pieces))

    register(longer)
    result = separate(pop, tmp_path, engine="mine")
    assert all(soundfile.info(path).frames == 12 * 44100 for path in result.stems.values())
    assert result.residual_db == pytest.approx(-12.0, abs=0.1)  # a quarter of the mix is in neither


def test_a_rest_that_the_engine_gives_itself_is_kept(register, pop, tmp_path):
    def split(song, task, at):
        return Parts(("vocals", "rest"), (np.stack([0.5 * b, 0.25 * b]) for b in song.blocks()))

    register(split, model={"complete": False, "usual": ("vocals",)})
    result = separate(pop, tmp_path, engine="mine")
    assert list(result.stems) == ["vocals", "rest"]
    np.testing.assert_allclose(decode(result.stems["rest"])[0], 0.25 * decode(pop)[0], atol=3e-7)


def test_what_the_engine_notes_is_told(register, pop, tmp_path):
    def split(song, task, at):
        task.place.notes.update(minutes=2.0, device="cloud")
        return Parts(("vocals", "music"), (np.stack([0.5 * b, 0.5 * b]) for b in song.blocks()))

    register(split)
    result = separate(pop, tmp_path, engine="mine")
    assert (result.minutes, result.device) == (2.0, "cloud")
