"""Native Instruments' stem files, which Traktor and Mixxx play: the song and four stems in one MP4.

Five stereo tracks of one length: the mix, which any player plays, and four parts that are not enabled. The box
``moov/udta/stem`` holds JSON with the name and the colour of each part, and a compressor and a limiter for the sum,
which are off here: the stems add up to the mix as it is. Both programs want exactly four parts.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sfa_kernel.errors import AudioError, ParameterError
from sfa_kernel.exporting import mp4
from sfa_kernel.exporting.material import spoken
from sfa_kernel.exporting.sound import BLOCK, INTEGER, common_gain, rate_for, stereo
from sfa_kernel.exporting.tagging import mp4_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from sfa_kernel.exporting.material import Item, Stem

__all__ = ["Part", "fold", "parts_of", "write_stem_file"]

# The four places in the order of the format, each with what belongs there, and their colours.
_PLACES = {
    "drums": ("drums",),
    "bass": ("bass",),
    "other": ("other", "music", "rest"),
    "vocals": ("vocals", "lead_vocals", "back_vocals", "voice"),
}
_COLORS = ("#009E73", "#D55E00", "#CC79A7", "#56B4E9")  # told apart by everybody, colour-blind people included

# Off, and without effect if somebody turns it on; whole numbers where some readers take no others.
_MASTERING = {
    "compressor": {
        "enabled": False,
        "input_gain": 0,
        "output_gain": 0,
        "threshold": 0,
        "dry_wet": 50,
        "attack": 0.003,
        "release": 0.3,
        "ratio": 2,
        "hp_cutoff": 300,
    },
    "limiter": {"enabled": False, "threshold": 0, "ceiling": 0, "release": 0.05},
}


@dataclass(frozen=True)
class Part:
    """One of the four parts: its name for people, and the stems that are summed in it; none are silence."""

    name: str
    stems: tuple[Stem, ...]


def fold(stems: Sequence[Stem]) -> tuple[Part, ...]:
    """Make four parts of a set of stems: drums, bass, other, vocals.

    A stem without a place of its own takes a free one, or else is summed into "other". A place that nothing takes is
    silent.

    Raises
    ------
    ParameterError
        When there are fewer than two stems: such a file would hold nothing but the song.
    """
    places: dict[str, list[Stem]] = {
        place: [stem for stem in stems if stem.name in names] for place, names in _PLACES.items()
    }
    homeless = [stem for stem in stems if not any(stem.name in names for names in _PLACES.values())]
    for stem in homeless:
        free = next((place for place in ("other", "bass", "drums", "vocals") if not places[place]), "other")
        places[free].append(stem)
    if sum(map(bool, places.values())) < 2:
        raise ParameterError(
            "A stem file needs two stems or more.", hint="Separate the song into more stems, or export the one."
        )
    return tuple(Part(_name(place, found), tuple(found)) for place, found in places.items())


def parts_of(item: Item) -> tuple[Part, ...]:
    """The four parts of a song's stems.

    Raises
    ------
    NotFoundError
        When it has no stems.
    ParameterError
        When they are of a region, or too few.
    """
    stem_set = item.stems()
    if stem_set.start is not None:
        raise ParameterError(
            f"These stems of {item.song.title!r} are a preview of a region.", hint="Separate the whole song."
        )
    return fold(stem_set.stems)


def _name(place: str, stems: Sequence[Stem]) -> str:
    name = stems[0].name if len(stems) == 1 else place
    return spoken(name).capitalize() if stems else "Empty"


def write_stem_file(item: Item, target: Path, *, codec: str, at: Callable[[float], None]) -> float:
    """Write one.

    Parameters
    ----------
    item
        A song and its stems.
    target
        Ends in ``.mp4``.
    codec
        ``"aac"``, or ``"alac"``, which Traktor reads on macOS only.
    at
        Told the share that is done, 0..1; may raise.

    Returns
    -------
    float
        The factor by which mix and stems were turned down to fit the format; 1.0 as a rule.

    Raises
    ------
    ParameterError
        When the stems are of a region, or too few.
    AudioError
        When a file cannot be read or written, or the stems are not as long as the song.
    """
    parts, stems = parts_of(item), item.stems().stems
    files = [item.song.file, *(stem.file for stem in stems)]
    gain = common_gain(files) if codec in INTEGER else 1.0
    with ExitStack() as stack:
        from sfa_kernel.audio import AudioReader, probe

        rate = rate_for(codec, probe(stems[0].file).sample_rate)
        readers = {file: stack.enter_context(AudioReader(file, sample_rate=rate)) for file in files}
        writer = stack.enter_context(mp4.Mp4Writer(target, rate, 1 + len(parts), codec=codec))
        sounds = {file: reader.blocks(BLOCK) for file, reader in readers.items()}
        frames = max(1, readers[item.song.file].frames)
        done = 0
        for blocks in _together(sounds, item.song.title):
            turned = {file: stereo(block) * np.float32(gain) for file, block in blocks.items()}
            mix = turned[item.song.file]
            writer.write([mix, *(_sum([turned[stem.file] for stem in part.stems], mix) for part in parts)])
            done += mix.shape[1]
            at(min(1.0, done / frames))
    manifest = {
        "version": 1,
        "mastering_dsp": _MASTERING,
        "stems": [{"name": part.name, "color": color} for part, color in zip(parts, _COLORS, strict=True)],
    }
    mp4.write_user_data(target, [mp4_tags(item.tags()), mp4.box(b"stem", json.dumps(manifest).encode())])
    return gain


def _together(
    sounds: dict[Path, Iterator[NDArray[np.float32]]], title: str
) -> Iterator[dict[Path, NDArray[np.float32]]]:
    """One block of each at a time."""
    while True:
        blocks = {file: next(sound, None) for file, sound in sounds.items()}
        present = {file: block for file, block in blocks.items() if block is not None}
        if not present:
            return
        if len(present) < len(blocks) or len({block.shape[1] for block in present.values()}) > 1:
            raise AudioError(f"The stems of {title!r} are not as long as the song.", hint="Separate it again.")
        yield present


def _sum(blocks: Sequence[NDArray[np.float32]], mix: NDArray[np.float32]) -> NDArray[np.float32]:
    total = np.zeros_like(mix)
    for block in blocks:
        total += block
    return total
