"""What a file is called: by the template, on any file system, never over another one."""

from __future__ import annotations

import pytest

from sfa_kernel.errors import ParameterError
from sfa_kernel.exporting.names import FIELDS, TEMPLATE, check_template, file_name, numbered

SONG = {"artist": "Artist", "title": "Title", "stem": "vocals"}


def name(title: str, template: str = "{title}", **fields: str) -> str:
    return file_name(template, {**SONG, "title": title, **fields}, ".flac")


def test_the_usual_name() -> None:
    assert file_name(TEMPLATE, SONG, ".flac") == "Artist - Title (vocals).flac"


def test_every_field_can_be_named() -> None:
    template = " ".join(f"{{{field}}}" for field in FIELDS)
    assert file_name(check_template(template), {field: field for field in FIELDS}, "") == " ".join(FIELDS)


@pytest.mark.parametrize(
    ("template", "fields", "expected"),
    [
        (TEMPLATE, {"title": "Title", "stem": "vocals"}, "Title (vocals)"),
        (TEMPLATE, {"artist": "Artist", "title": "Title"}, "Artist - Title"),
        ("{title} [{key}] {bpm}", {"title": "Title"}, "Title"),
        ("{artist}", {}, "Untitled"),
        ("{{{title}}}", {"title": "Title"}, "{Title}"),
        ("{title}", {"title": "A - B (live)"}, "A - B (live)"),
    ],
)
def test_what_is_unknown_leaves_no_brackets_and_dashes(template: str, fields: dict[str, str], expected: str) -> None:
    assert file_name(check_template(template), fields, "") == expected


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{composer}", "no field 'composer'"),
        ("{}", "no field ''"),
        ("{title.__class__}", "no field"),
        ("{title[0]}", "no field"),
        ("{title!r}", "how title is written"),
        ("{title:>999999999}", "how title is written"),
        ("{title", "without its other one"),
        ("", "1 to 200 characters"),
        ("x" * 201, "1 to 200 characters"),
    ],
)
def test_a_template_that_cannot_be_filled_is_told(template: str, problem: str) -> None:
    with pytest.raises(ParameterError, match=problem):
        check_template(template)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("../../x", "x"),
        ("..\\..\\x", "x"),
        ("/etc/passwd", "etc-passwd"),
        ("C:\\Windows", "C--Windows"),
        ("a\0b\nc", "a b c"),
        ("What?*<>|", "What"),
        (".hidden", "hidden"),
        ("Ends with dots...", "Ends with dots"),
        ("CON", "CON_"),
        ("lpt1.tar", "lpt1_.tar"),
        ("Console", "Console"),
        ("🎛️ Beat", "🎛️ Beat"),
        ("שיר", "שיר"),
        ("abc\u202egpj", "abcgpj"),
        ("\udcff", "\ufffd"),
        ("", "Untitled"),
    ],
)
def test_hostile_tags_make_harmless_names(title: str, expected: str) -> None:
    assert name(title) == f"{expected}.flac"


@pytest.mark.parametrize("title", ["x" * 300, "é" * 300, "👩‍👩‍👧‍👦" * 100, "x" * 100])
def test_a_long_name_is_cut_where_it_is_long(title: str) -> None:
    made = name(title, TEMPLATE, artist="The artist " * 20)
    assert len(made.encode()) <= 200
    assert made.endswith(" (vocals).flac")
    assert name("", "y" * 200).endswith("yyy.flac")


def test_names_that_are_taken_get_a_number_before_the_suffix() -> None:
    taken: set[str] = set()
    names = [numbered(one, ".stem.mp4", taken) for one in ("Song.stem.mp4", "song.stem.mp4", "Song.stem.mp4")]
    assert names == ["Song.stem.mp4", "song (2).stem.mp4", "Song (3).stem.mp4"]
