"""Songs that sound alike are near each other, and found among many."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import numpy as np
import pytest
import soundfile

from sfa_kernel.analysis import Analysis, analyze
from sfa_kernel.analysis.curves import Curve, Curves
from sfa_kernel.analysis.embedding import EMBEDDING_SIZE, EMBEDDING_VERSION, GROUPS, embed, why
from sfa_kernel.analysis.wheel import fitting_keys, key_code, key_number
from sfa_kernel.catalog import embeddings, trash
from sfa_kernel.errors import NotFoundError, ParameterError
from sfa_kernel.panels.analysis import analysis_handlers
from tests.analysis.songs import make_song
from tests.sounds import write_song

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sfa_kernel.catalog import Connection
    from sfa_kernel.catalog.embeddings import EmbeddingRow
    from sfa_kernel.library import Track
    from sfa_kernel.studio import Studio

CLUB = (("intro", 4), ("drop", 10), ("break", 4), ("drop", 6))
BALL = (("verse", 12), ("chorus", 12), ("bridge", 6))


def of(**song: Any) -> NDArray[np.float32]:
    made = make_song(**song)
    return embed(analyze(made.samples, made.sample_rate))


@pytest.fixture(scope="module")
def sounds() -> dict[str, NDArray[np.float32]]:
    house: dict[str, Any] = {"tempo": 124, "groove": "house", "form": CLUB, "seed": 1}
    song = make_song(**house)
    squeezed = io.BytesIO()
    soundfile.write(squeezed, song.samples.T, song.sample_rate, format="OGG", subtype="VORBIS")
    squeezed.seek(0)
    samples, rate = soundfile.read(squeezed, dtype="float32")
    return {
        "house": embed(analyze(song.samples, song.sample_rate)),
        "as ogg": embed(analyze(np.ascontiguousarray(samples.T), rate)),
        "transposed": of(**house, tonic="B"),
        "other house": of(tempo=127, groove="house", form=CLUB, seed=5, varied=True),
        "techno": of(tempo=130, groove="techno", form=CLUB, seed=2, varied=True),
        "waltz": of(tempo=150, groove="waltz", form=BALL, seed=4, mode="major", varied=True),
        "other waltz": of(tempo=160, groove="waltz", form=BALL, seed=6, mode="major", varied=True),
    }


def by_distance(sounds: dict[str, NDArray[np.float32]], name: str) -> list[str]:
    others = [other for other in sounds if other != name]
    return sorted(others, key=lambda other: float(np.linalg.norm(sounds[other] - sounds[name])))


def test_the_same_song_in_another_format_or_key_is_nearest(sounds: dict[str, NDArray[np.float32]]) -> None:
    assert set(by_distance(sounds, "house")[:2]) == {"as ogg", "transposed"}


def test_club_music_is_nearer_to_club_music_than_to_a_waltz(sounds: dict[str, NDArray[np.float32]]) -> None:
    for name in ("house", "other house", "techno"):
        assert {"waltz", "other waltz"} == set(by_distance(sounds, name)[-2:])
    assert by_distance(sounds, "waltz")[0] == "other waltz"


def test_why_names_the_groups_in_which_songs_are_alike_and_differ(sounds: dict[str, NDArray[np.float32]]) -> None:
    assert why(sounds["house"], sounds["house"]) == "Alike in everything."
    sentence = why(sounds["house"], sounds["waltz"])
    assert sentence.endswith(".")
    assert any(group in sentence for group in GROUPS)
    loud, quiet = Analysis(duration=10, lufs=-6.0, energy=9, tempo=120), Analysis(duration=10, lufs=-24.0, tempo=170)
    sentence = why(embed(loud), embed(quiet))
    assert sentence.startswith("Alike in rhythm, timbre, harmony and form; differs in ")
    assert "level (calmer)" in sentence
    assert "tempo" in sentence


def test_what_is_not_known_counts_as_usual() -> None:
    silence = embed(Analysis(duration=10, energy=6))
    assert silence.shape == (EMBEDDING_SIZE,)
    assert silence.dtype == np.float32
    assert not silence.any()
    assert np.isfinite(
        embed(Analysis(duration=0, key="A minor", curves=Curves({"onsets": Curve(np.zeros((0, 3)), 43)})))
    ).all()


def test_double_time_is_the_same_tempo() -> None:
    fast, slow, other = (embed(Analysis(duration=60, tempo=tempo)) for tempo in (174.0, 87.0, 120.0))
    assert np.linalg.norm(fast - slow) == 0
    assert np.linalg.norm(fast - other) > 0.5


def test_keys_that_mix_lie_round_the_wheel() -> None:
    codes = [f"{hour}{mode}" for hour in range(1, 13) for mode in "AB"]
    assert [key_number(code) for code in codes] == list(range(24))
    assert [key_code(number) for number in range(24)] == codes
    assert (key_number(None), key_code(None)) == (None, None)

    def fitting(code: str) -> set[str | None]:
        return {key_code(number) for number in fitting_keys(key_number(code) or 0)}

    assert fitting("8A") == {"8A", "8B", "7A", "9A"}
    assert fitting("1A") == {"1A", "1B", "12A", "2A"}
    assert fitting("12B") == {"12B", "12A", "11B", "1B"}


# -- in the catalogue ---------------------------------------------------------------------------------------------


def fill(connection: Connection, vectors: NDArray[np.float32]) -> list[UUID]:
    """As many tracks, with these vectors, tempi from 80 up, and keys round the wheel."""
    connection.execute(
        "INSERT INTO tracks SELECT uuid(), 'hash' || range, 'Song ' || range, '', '', '', NULL, '', '', '', NULL, "
        "'wav', 'pcm', 44100, 2, 180, 1, now() + to_seconds(range), NULL, NULL, NULL FROM range(?)",
        [len(vectors)],
    )
    ids = [row[0] for row in connection.execute("SELECT id FROM tracks ORDER BY added_at").fetchall()]
    connection.execute(
        "INSERT INTO embeddings "
        "SELECT unnest(?::UUID[]), ?, unnest(?::FLOAT[]), unnest(?::TINYINT[]), unnest(?::FLOAT[32][])",
        [
            ids,
            EMBEDDING_VERSION,
            [80 + number % 100 for number in range(len(ids))],
            [number % 24 for number in range(len(ids))],
            vectors.tolist(),
        ],
    )
    return ids


def test_the_nearest_of_20_000_are_truly_the_nearest(studio: Studio) -> None:
    vectors = np.random.default_rng(3).normal(size=(20_000, EMBEDDING_SIZE)).round(2).astype(np.float32)
    with studio.catalog.write() as connection:
        ids = fill(connection, vectors)
    distances = np.linalg.norm(vectors - vectors[77], axis=1)
    true = [ids[row] for row in np.argsort(distances) if row != 77]
    found = studio.similar(studio.track(ids[77]), limit=25)
    assert [row["track"].id for row in found] == true[:25]
    assert [row["distance"] for row in found] == pytest.approx(np.sort(distances)[1:26], abs=1e-3)
    # What was removed is not found, however near it was; nor is what another version embedded.
    studio.remove(true[0], true[3])
    with studio.catalog.write() as connection:
        connection.execute("UPDATE embeddings SET version = version + 1 WHERE track_id = ?", [true[1]])
    rest = [track_id for track_id in true if track_id not in (true[0], true[1], true[3])]
    assert [row["track"].id for row in studio.similar(ids[77], limit=25)] == rest[:25]


def test_tempo_and_key_are_filtered_in_the_same_question(studio: Studio) -> None:
    vectors = np.random.default_rng(4).normal(size=(2_000, EMBEDDING_SIZE)).astype(np.float32)
    with studio.catalog.write() as connection:
        ids = fill(connection, vectors)
        connection.execute("UPDATE embeddings SET key = NULL WHERE track_id = ?", [ids[1]])
    song = studio.track(ids[key_number("8A") or 0])
    found = studio.similar(song, limit=1000, tempo=(120, 124))
    assert {row["bpm"] for row in found} == {120, 121, 122, 123, 124}
    assert len(found) == 100
    found = studio.similar(song, limit=1000, tempo=(160, 170), octaves=True)
    assert {row["bpm"] for row in found} == {*range(160, 171), *range(80, 86)}
    found = studio.similar(song, limit=1000, keys="compatible")
    assert {row["camelot"] for row in found} == {"8A", "8B", "7A", "9A", None}
    found = studio.similar(song, limit=3, tempo=(120, 124), keys="compatible")
    assert len(found) == 3
    assert all(120 <= row["bpm"] <= 124 and row["camelot"] in ("8A", "8B", "7A", "9A", None) for row in found)


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": 0},
        {"limit": 100_000},
        {"limit": "all"},
        {"keys": "wrong"},
        {"tempo": (128, 120)},
        {"tempo": (0, 120)},
        {"tempo": 120},
        {"tempo": ("slow", "fast")},
    ],
)
def test_a_filter_that_cannot_be_met_is_refused(studio: Studio, wrong: dict[str, Any]) -> None:
    with studio.catalog.write() as connection:
        (track_id,) = fill(connection, np.zeros((1, EMBEDDING_SIZE), np.float32))
    with pytest.raises(ParameterError):
        studio.similar(track_id, **wrong)


# -- of analysed songs --------------------------------------------------------------------------------------------


@pytest.fixture
def songs(studio: Studio, tmp_path: Path) -> list[Track]:
    for name, tempo in (("one", 120), ("two", 126), ("three", 90)):
        studio.add(write_song(tmp_path / f"{name}.wav", seconds=12, bpm=tempo, seed=tempo))
    studio.analyze().wait(60)
    return list(studio.tracks)


def known(studio: Studio, track: Track) -> EmbeddingRow | None:
    with studio.catalog.read() as connection:
        return embeddings.find(connection, track.id)


def test_analysed_songs_are_compared_and_a_correction_counts(studio: Studio, songs: list[Track]) -> None:
    one, two, three = songs
    found = studio.similar(one)
    assert {row["track"] for row in found} == {two, three}
    assert set(found[0]) == {"track", "distance", "bpm", "camelot", "why"}
    assert [row["track"] for row in studio.similar(one, tempo=(125, 127))] == [two]
    before = known(studio, two)
    assert before is not None
    two.correct("grid", tempo=133.0, first_beat=0.0)
    two.correct("key", key="C# major")
    row = known(studio, two)
    assert row is not None
    assert (row.bpm, key_code(row.key)) == (133.0, "3B")
    assert studio.similar(one, tempo=(125, 127)) == []
    # It also holds when the song is analysed again.
    studio.analyze(two, force=True).wait(60)
    again = known(studio, two)
    assert again is not None
    assert (again.bpm, again.key) == (row.bpm, row.key)
    two.undo_correction()
    two.undo_correction()
    after = known(studio, two)
    assert after is not None
    assert after.bpm == pytest.approx(before.bpm)
    assert after.key == before.key
    assert after.vector == pytest.approx(before.vector, abs=0.05)


def test_removed_songs_are_left_out_until_they_come_back(studio: Studio, songs: list[Track]) -> None:
    one, two, three = songs
    studio.remove(two)
    assert [row["track"] for row in studio.similar(one)] == [three]
    studio.restore(two)
    assert len(studio.similar(one)) == 2
    studio.remove(two)
    with studio.catalog.write() as connection:
        connection.execute("UPDATE tracks SET removed_at = now() - INTERVAL 1 DAY WHERE id = ?", [two.id])
        trash.purge(connection, connection.execute("SELECT now()").fetchall()[0][0])
    assert known(studio, two) is None


def test_a_song_from_before_the_embeddings_is_compared_all_the_same(studio: Studio, songs: list[Track]) -> None:
    one = songs[0]
    asked = studio.similar(one)
    with studio.catalog.write() as connection:
        connection.execute("DELETE FROM embeddings WHERE track_id = ?", [one.id])
    found = studio.similar(one)
    assert [row["track"] for row in found] == [row["track"] for row in asked]
    # Curves are kept in half precision.
    assert [row["distance"] for row in found] == pytest.approx([row["distance"] for row in asked], abs=0.05)


def test_a_song_without_an_analysis_cannot_be_compared(studio: Studio, tmp_path: Path) -> None:
    song = studio.add(write_song(tmp_path / "song.wav", seconds=4))[0]
    with pytest.raises(NotFoundError, match="has not been analysed"):
        studio.similar(song)
    with pytest.raises(NotFoundError):
        studio.similar(uuid4())


def test_the_page_asks_for_similar_songs(studio: Studio, songs: list[Track]) -> None:
    similar = analysis_handlers(studio)["analysis.similar"]
    answer = similar({"id": str(songs[0].id), "tempo": [125, 127], "keys": "any", "limit": 5}, [])
    (row,) = answer["rows"]
    assert row["track"]["id"] == str(songs[1].id)
    assert row["distance"] > 0
    assert row["why"].endswith(".")
    assert len(similar({"id": str(songs[0].id), "tempo": None}, [])["rows"]) == 2
