"""Scripts and presets: kept, changed, taken away and brought back, from Python and from a page alike."""

from __future__ import annotations

import json
import math
import queue
from typing import TYPE_CHECKING, Any

import pytest

from sfa_kernel.control.script import Script, ScriptEvent
from sfa_kernel.errors import InputError, NotFoundError, ParameterError
from sfa_kernel.panels.presets import preset_handlers
from sfa_kernel.panels.scripts import script_handlers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sfa_kernel.studio import Studio

SCRIPT = Script([ScriptEvent(1.0, "deck.1.play", 1)], duration=5.0)
EQ = {"deck.1.eq.low": -26.0, "deck.1.kill.high": 1}


@pytest.fixture
def ask(studio: Studio) -> Callable[..., Any]:
    handlers = script_handlers(studio) | preset_handlers(studio)
    return lambda method, **params: handlers[method](params, [])


def told(studio: Studio, topic: str) -> queue.Queue[str]:
    heard: queue.Queue[str] = queue.Queue()
    studio.bus.subscribe(topic, lambda event: heard.put(event.topic))
    return heard


def test_a_script_is_kept_changed_and_brought_back(studio: Studio, ask: Callable[..., Any]) -> None:
    heard = told(studio, "scripts")
    made = ask("scripts.save", id=None, name="Opener", document=SCRIPT.document())["script"]
    assert heard.get(timeout=10) == "scripts"
    assert (made["name"], made["duration"], made["events"]) == ("Opener", 5.0, 1)
    longer = SCRIPT.add(2.0, "deck.1.play", 0)
    ask("scripts.save", id=made["id"], name="Closer", document=longer.document())
    assert ask("scripts.get", id=made["id"])["document"] == longer.document()
    assert studio.scripts["closer"].script == longer
    assert [row["name"] for row in ask("scripts.list")["scripts"]] == ["Closer"]

    ask("scripts.remove", id=made["id"])
    assert ask("scripts.list")["scripts"] == []
    for method in ("scripts.get", "scripts.remove", "scripts.render"):
        with pytest.raises(NotFoundError):
            ask(method, id=made["id"])
    ask("scripts.restore", id=made["id"])
    assert [one.name for one in studio.scripts] == ["Closer"]


def test_a_wrong_script_leaves_the_one_that_is_there(studio: Studio, ask: Callable[..., Any]) -> None:
    saved = studio.scripts.save("Opener", SCRIPT)
    wrong = SCRIPT.document() | {"events": [{"time": 0, "control": "no.such", "value": 1}]}
    odd = [SCRIPT.document() | {"events": [{"time": 0, "control": one, "value": 1}]} for one in ([], "x" * 100_000)]
    huge = SCRIPT.document() | {"duration": 10**400}
    text = SCRIPT.document() | {"controls": {"deck.1.track": "\ud800"}}
    for params in (*({"name": "x", "document": one} for one in (wrong, *odd, huge, text)), {"document": wrong}):
        with pytest.raises(ParameterError) as refused:
            ask("scripts.save", id=str(saved.id), **params)
        assert len(str(refused.value)) < 300
    with pytest.raises(ParameterError):
        ask("scripts.save", id=str(saved.id), name=" ", document=SCRIPT.document())
    assert (studio.scripts[0].name, saved.script) == ("Opener", SCRIPT)


def test_a_script_travels_as_a_file(studio: Studio, tmp_path: Path) -> None:
    saved = studio.scripts.save("Opener", SCRIPT)
    file = saved.export(tmp_path / "opener.json")
    with pytest.raises(ParameterError, match="is there already"):
        saved.export(file)
    assert studio.scripts.load(file).script == SCRIPT
    assert [one.name for one in studio.scripts] == ["opener", "Opener"]
    saved.delete()
    with pytest.raises(NotFoundError):
        saved.export(tmp_path / "gone.json")
    assert not (tmp_path / "gone.json").exists()
    saved.restore()
    file.write_bytes(b"\xff\xfe")
    for path in (file, tmp_path / "nothing.json"):
        with pytest.raises(InputError):
            studio.scripts.load(path)


def test_presets_are_kept_for_whoever_sits_here(
    studio: Studio, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    heard = told(studio, "presets")
    assert ask("presets.save", kind="eq", name="no bass", value=EQ) == {
        "presets": [{"kind": "eq", "name": "no bass", "value": EQ}]
    }
    assert heard.get(timeout=10) == "presets"
    ask("presets.save", kind="eq", name="no bass", value={"deck.1.eq.low": -99})
    assert studio.presets["eq", "no bass"] == {"deck.1.eq.low": -26.0}
    monkeypatch.setenv("LOGNAME", "grace")
    assert len(studio.presets) == 0
    with pytest.raises(NotFoundError):
        ask("presets.remove", kind="eq", name="no bass")
    monkeypatch.setenv("LOGNAME", "ada")
    assert ask("presets.remove", kind="eq", name="no bass") == {"presets": []}


@pytest.mark.parametrize(
    ("kind", "name", "values"),
    [
        ("colours", "x", EQ),
        ("eq", " ", EQ),
        ("eq", "x", {}),
        ("eq", "x", {"deck.1.fx.1.mix": 0.5}),
        ("effects", "x", {"deck.1.fx.1.kind": "wobble"}),
        ("eq", "x", {"no.such": 1}),
        ("mapping", "x", {"cc 7": ["a", "list"]}),
        ("mapping", "x", {"cc 7": math.nan}),
        ("mapping", "x", {"cc 7": "\ud800"}),
        (["eq"], "x", EQ),
    ],
)
def test_a_preset_of_what_no_control_takes_is_refused(studio: Studio, kind: str, name: str, values: Any) -> None:
    with pytest.raises(ParameterError):
        studio.presets.save(kind, name, values)
    assert len(studio.presets) == 0


def test_presets_travel_as_json_and_none_is_overwritten(studio: Studio, tmp_path: Path) -> None:
    studio.presets.save("eq", "club", EQ)
    studio.presets.save("mapping", "knobs", {"cc 7 channel 1": "deck.1.volume"})
    file = studio.presets.export(tmp_path / "presets.json")
    assert studio.presets.load(file) == 0
    studio.presets.save("eq", "club", {"deck.1.eq.low": 0})
    assert studio.presets.load(file) == 1
    assert studio.presets["eq", "club"] == {"deck.1.eq.low": 0}
    assert studio.presets["eq", "club (2)"] == EQ
    assert studio.presets.load(file) == 0  # it is there by now
    studio.presets.remove("eq", "club")
    assert studio.presets.get(("eq", "club")) is None
    assert studio.presets.load(file) == 1  # of the same values as another, under its own name
    assert studio.presets.get(("eq", "club")) == EQ

    document = json.loads(file.read_text())
    document["presets"].append({"kind": "eq", "name": "bad", "value": {"no.such": 1}})
    for text in (json.dumps(document), "[]", "", json.dumps(document | {"version": 2})):
        before = dict(studio.presets)
        with pytest.raises(ParameterError):
            studio.presets.from_json(text)
        assert dict(studio.presets) == before


def test_only_what_belongs_to_a_kind_is_captured(studio: Studio) -> None:
    studio.presets.capture("eq", "now", EQ | {"deck.1.volume": 0.3, "mixer.limiter": 0})
    assert studio.presets["eq", "now"] == EQ
