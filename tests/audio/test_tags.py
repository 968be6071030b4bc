from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING

import av
import pytest

from sfa_kernel.audio import read_tags
from sfa_kernel.audio.text import clean_text
from tests.audio.making import SAMPLE_RATE, music, write, write_av

if TYPE_CHECKING:
    from pathlib import Path

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
TEXTS = {"title": "Nächte ♫", "artist": "Die Band", "album": "Erstes", "genre": "House", "comment": "live"}


def picture_block(image: bytes, mime: bytes = b"image/png") -> bytes:
    """The picture of FLAC and, in base 64, of Vorbis comments."""
    head = struct.pack(">I", 3) + struct.pack(">I", len(mime)) + mime + struct.pack(">I", 0)
    return head + struct.pack(">IIII", 1, 1, 32, 0) + struct.pack(">I", len(image)) + image


def id3(frames: dict[str, bytes]) -> bytes:
    body = b"".join(
        name.encode() + struct.pack(">I", len(content)) + b"\0\0" + content for name, content in frames.items()
    )
    size = bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + size + body


def text_frame(text: str) -> bytes:
    return b"\1" + text.encode("utf-16")


def remux(source: Path, path: Path, container: str, metadata: dict[str, str]) -> Path:
    """Copy the sound and put tags beside it."""
    with av.open(str(source)) as old, av.open(str(path), "w", format=container) as new:
        sound = old.streams.audio[0]
        stream = new.add_stream_from_template(sound)
        # Ogg keeps its comments with the stream, the others with the file.
        (stream if container in {"ogg", "opus"} else new).metadata.update(metadata)
        for packet in old.demux(sound):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    return path


def add_cover(path: Path, image: bytes) -> Path:
    """Put a cover into the list of tags of an M4A whose index stands at the end."""
    content = bytearray(path.read_bytes())
    data = struct.pack(">I4sII", 16 + len(image), b"data", 14, 0) + image
    cover = struct.pack(">I4s", 8 + len(data), b"covr") + data
    inner = content.rindex(b"ilst") - 4
    end = inner + int.from_bytes(content[inner : inner + 4], "big")
    for name in (b"moov", b"udta", b"meta", b"ilst"):
        at = content.rindex(name, 0, inner + 8) - 4
        content[at : at + 4] = (int.from_bytes(content[at : at + 4], "big") + len(cover)).to_bytes(4, "big")
    content[end:end] = cover
    path.write_bytes(content)
    return path


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same tags and cover in each kind of file."""
    folder = tmp_path_factory.mktemp("tagged")
    sound = music(0.3)
    plain = write(folder / "plain.mp3", sound, SAMPLE_RATE).read_bytes()
    frames = {
        "TIT2": text_frame(TEXTS["title"]),
        "TPE1": text_frame(TEXTS["artist"]),
        "TALB": text_frame(TEXTS["album"]),
        "TCON": text_frame(TEXTS["genre"]),
        "COMM": b"\1eng" + "\0".encode("utf-16") + TEXTS["comment"].encode("utf-16"),
        "TYER": text_frame("1998"),
        "TRCK": text_frame("7/12"),
        "TBPM": text_frame("127.5"),
        "TKEY": text_frame("Am"),
        "APIC": b"\0image/png\0\3\0" + PNG,
    }
    mp3 = folder / "a.mp3"
    mp3.write_bytes(id3(frames) + plain)
    comments = TEXTS | {"date": "1998-05-01", "tracknumber": "7", "bpm": "127.5", "initialkey": "Am"}
    with_picture = comments | {"METADATA_BLOCK_PICTURE": base64.b64encode(picture_block(PNG)).decode()}
    flac = remux(write(folder / "plain.flac", sound, SAMPLE_RATE), folder / "b.flac", "flac", comments)
    content = flac.read_bytes()
    end = 8 + int.from_bytes(content[5:8], "big")  # behind the first block, which describes the stream
    block = picture_block(PNG)
    flac.write_bytes(content[:end] + b"\6" + len(block).to_bytes(3, "big") + block + content[end:])
    ogg = remux(write(folder / "plain.ogg", sound, SAMPLE_RATE), folder / "c.ogg", "ogg", with_picture)
    at_48k = write(folder / "plain.opus", music(0.3, sample_rate=48000), 48000, format="OGG", subtype="OPUS")
    opus = remux(at_48k, folder / "d.opus", "opus", with_picture)
    aac = write_av(folder / "plain.m4a", sound, SAMPLE_RATE, codec="aac", container="ipod")
    m4a = add_cover(remux(aac, folder / "e.m4a", "ipod", TEXTS | {"date": "1998", "track": "7/12"}), PNG)
    return {"mp3": mp3, "flac": flac, "ogg": ogg, "opus": opus, "m4a": m4a}


@pytest.mark.parametrize("kind", ["mp3", "flac", "ogg", "opus", "m4a"])
def test_every_format_tells_its_tags_and_cover(kind: str, tagged: dict[str, Path], tmp_path: Path) -> None:
    nameless = tmp_path / "upload.bin"  # the content tells the kind
    nameless.write_bytes(tagged[kind].read_bytes())
    tags = read_tags(nameless)
    assert {name: getattr(tags, name) for name in TEXTS} == TEXTS
    assert tags.year == 1998
    assert tags.track_number == 7
    assert (tags.cover, tags.cover_mime) == (PNG, "image/png")
    assert "cover=" not in repr(tags)
    if kind != "m4a":  # FFmpeg writes neither into M4A
        assert tags.bpm == 127.5
        assert tags.key == "Am"


@pytest.mark.parametrize(
    ("name", "title", "artist", "track"),
    [
        ("Artist - Title.mp3", "Title", "Artist", None),
        ("Some_Band_-_Their_Song.wav", "Their Song", "Some Band", None),
        ("03 - Artist - Title (Mix).flac", "Title (Mix)", "Artist", 3),
        ("1-07 Title.flac", "Title", None, 7),
        ("12. Title.wav", "Title", None, 12),
        ("Saber-FinalStep.mp3", "Saber-FinalStep", None, None),
        ("A - B - C.mp3", "B - C", "A", None),
        ("99 Luftballons.mp3", "Luftballons", None, 99),  # a number first is a track number; tags know better
        ("1999.mp3", "1999", None, None),
        ("7.mp3", "7", None, None),
        ("....mp3", "...", None, None),
        ("\u202e\x07.mp3", "Untitled", None, None),
        ("x" * 400 + ".mp3", "x" * 300, None, None),
    ],
)
def test_without_tags_the_name_tells(
    name: str, title: str, artist: str | None, track: int | None, tmp_path: Path
) -> None:
    path = write(tmp_path / "upload.wav", music(0.05), SAMPLE_RATE)
    tags = read_tags(path, name=name)
    assert (tags.title, tags.artist, tags.track_number) == (title, artist, track)
    assert (tags.album, tags.year, tags.bpm, tags.key, tags.cover) == (None,) * 5


def test_the_files_own_name_is_the_default(tmp_path: Path) -> None:
    path = write(tmp_path / "Artist - Title.wav", music(0.05), SAMPLE_RATE)
    assert (read_tags(path).artist, read_tags(path).title) == ("Artist", "Title")


def with_frames(path: Path, frames: dict[str, bytes]) -> Path:
    plain = write(path.with_name("plain.mp3"), music(0.1), SAMPLE_RATE).read_bytes()
    path.write_bytes(id3(frames) + plain)
    return path


def test_a_title_tag_is_not_given_an_artist_from_another_name(tmp_path: Path) -> None:
    path = with_frames(tmp_path / "Folder Name - 4.mp3", {"TIT2": text_frame("Real Title")})
    assert (read_tags(path).title, read_tags(path).artist) == ("Real Title", None)
    path = with_frames(tmp_path / "Somebody - real title.mp3", {"TIT2": text_frame("Real Title")})
    assert (read_tags(path).title, read_tags(path).artist) == ("Real Title", "Somebody")


@pytest.mark.parametrize(
    ("written", "isrc"), [("us-s1z 99 00001", "USS1Z9900001"), ("GBAYE0601498", "GBAYE0601498"), ("no code", None)]
)
def test_a_recording_has_a_code(tmp_path: Path, written: str, isrc: str | None) -> None:
    path = with_frames(tmp_path / "song.mp3", {"TSRC": text_frame(written)})
    assert read_tags(path).isrc == isrc


def test_texts_are_cleaned_and_bounded(tmp_path: Path) -> None:
    frames = {
        "TIT2": text_frame("A\x00B\x1b[31m\nC\u202eD\u200bE"),
        "TPE1": text_frame("x" * 5000),
        "TALB": text_frame("\x01\x02"),
        "TBPM": text_frame("0"),
        "TYER": text_frame("soon"),
        "TRCK": text_frame("-"),
    }
    tags = read_tags(with_frames(tmp_path / "a.mp3", frames))
    assert not any(ord(character) < 32 or character in "\u202e\u200b" for character in tags.title)
    assert tags.title.startswith("A")
    assert tags.artist == "x" * 300
    assert (tags.album, tags.bpm, tags.year, tags.track_number) == (None, None, None, None)


@pytest.mark.parametrize(
    ("image", "mime"),
    [
        (b"\xff\xd8\xff\xe0 rest", "image/jpeg"),
        (b"GIF89a rest", "image/gif"),
        (b"RIFF\0\0\0\0WEBPrest", "image/webp"),
        (b"<svg onload='alert(1)'/>", None),
        (b"<html></html>", None),
        (b"", None),
        (PNG + bytes(17 << 20), None),
    ],
)
def test_a_cover_is_an_image_whatever_it_claims(image: bytes, mime: str | None, tmp_path: Path) -> None:
    tags = read_tags(with_frames(tmp_path / "a.mp3", {"APIC": b"\0image/png\0\3\0" + image}))
    assert tags.cover_mime == mime
    assert (tags.cover is None) == (mime is None)


def test_broken_tags_never_raise(tagged: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "Artist - Title.mp3"
    for file in tagged.values():
        content = file.read_bytes()
        for at in range(0, min(len(content), 1500), 37):
            path.write_bytes(content[:at] + b"\xff\x7f\xff\xff" + content[at + 4 :])
            assert read_tags(path).title
            path.write_bytes(content[: at + 1])
            assert read_tags(path).title


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("  a \t\r\n b  ", "a b"),
        ("a\0b", "a b"),
        ("a\u2028b\u2029c", "a b c"),
        ("\u202eevil\u202c \u2066x\u2069\ufeff", "evil x"),
        ("e\u0301", "\u00e9"),
        ("x\udcffy", "x\ufffdy"),
        ("👩\u200d🎤 ♫", "👩\u200d🎤 ♫"),
        ("नमस्ते שלום", "नमस्ते שלום"),
        ("", ""),
    ],
)
def test_clean_text(given: str, cleaned: str) -> None:
    assert clean_text(given) == cleaned


def test_clean_text_is_bounded() -> None:
    assert clean_text("x" * 10_000_000) == "x" * 300
    assert clean_text("ab " * 10, 4) == "ab a"
