"""Keys of services: where they come from, that nobody else reads them, and that nothing is lost."""

from __future__ import annotations

import base64
import json
import logging
import os
import pickle
import shutil
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import portalocker
import pytest

from sfa_kernel import credentials
from sfa_kernel.cli import main
from sfa_kernel.errors import BusyError, ParameterError, SetupError, SfaError
from sfa_kernel.panels.engines import engine_handlers

PLANTED = "planted-5up3r-s3cret-0123456789"


@pytest.fixture
def store() -> Path:
    return Path(os.environ["XDG_CONFIG_HOME"]) / "sfa" / "credentials.json"


@pytest.fixture
def key_file() -> Path:
    return Path(os.environ["XDG_STATE_HOME"]) / "sfa-keys" / "credentials.key"


class Keyring:
    """A system's keyring, as the package of that name shows it."""

    def __init__(self, priority: float = 5) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.locked = False
        self._backend = SimpleNamespace(priority=priority, name="test Keyring")

    def get_keyring(self) -> SimpleNamespace:
        return self._backend

    def get_password(self, service: str, name: str) -> str | None:
        if self.locked:
            raise RuntimeError("locked")
        return self.entries.get((service, name))

    def set_password(self, service: str, name: str, value: str) -> None:
        if self.locked:
            raise RuntimeError("locked")
        self.entries[service, name] = value


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    ring = Keyring()
    monkeypatch.setitem(sys.modules, "keyring", ring)
    return ring


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)


def test_what_was_put_is_there_until_it_is_removed():
    assert credentials.get("lalal") is None
    credentials.put("lalal", f"  {PLANTED}\n")
    assert credentials.get("lalal") == PLANTED
    credentials.put("lalal", "another")
    assert credentials.get("lalal") == "another"
    credentials.remove("lalal")
    assert credentials.get("lalal") is None
    credentials.remove("lalal")


def test_the_environment_comes_first_and_is_left_alone(monkeypatch):
    credentials.put("lalal", PLANTED)
    monkeypatch.setenv("SFA_LALAL_KEY", "of-the-environment")
    assert credentials.get("lalal") == "of-the-environment"
    assert next((k.name, k.source, k.changed_at) for k in credentials.known()) == ("lalal", "environment", None)
    credentials.remove("lalal")
    assert credentials.get("lalal") == "of-the-environment"
    monkeypatch.setenv("SFA_LALAL_KEY", " ")
    assert credentials.get("lalal") is None


def test_known_says_where_from_and_since_when():
    none, *others = credentials.known()
    assert [other.name for other in others] == ["spotify_id", "spotify_secret"]
    assert (none.name, none.label, none.source, none.changed_at) == ("lalal", "lalal.ai", None, None)
    credentials.put("lalal", PLANTED)
    stored, *others = credentials.known()
    assert stored.source == "store"
    assert {other.source for other in others} == {None}
    assert stored.changed_at.utcoffset().total_seconds() == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_only_the_user_can_read_the_files(store, key_file):
    old = os.umask(0)
    try:
        credentials.put("lalal", PLANTED)
    finally:
        os.umask(old)
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600


def test_the_secret_is_nowhere_to_be_read(studio, store, key_file, caplog, capsys, monkeypatch):
    caplog.set_level(logging.DEBUG)
    said = []
    handlers = engine_handlers(studio)
    handlers["credentials.put"]({"name": "lalal", "value": PLANTED}, [])
    said.append(repr(handlers["credentials.list"]({}, [])))
    said.append(repr({"cloud": {"key": pickle.loads(pickle.dumps(credentials.get("lalal")))}}))  # noqa: S301 - our own
    said += [repr(credentials.known()), str(credentials.known()), credentials.protection(), repr(studio)]
    main(["--home", str(studio.home), "--verbose", "credentials"])
    for name, value in (("nobody", PLANTED), ("lalal", f"{PLANTED}\n{PLANTED}"), ("lalal", f"{PLANTED}é")):
        with pytest.raises(ParameterError) as refused:
            credentials.put(name, value)
        said += [str(refused.value), repr(refused.value)]
    document = json.loads(store.read_text())
    kept = document["credentials"]["lalal"]["locked"]
    document["credentials"]["lalal"]["locked"] = kept[:8][::-1] + kept[8:]
    store.write_text(json.dumps(document))
    with pytest.raises(SetupError) as damaged:
        credentials.get("lalal")
    said += [str(damaged.value), repr(damaged.value), repr(damaged.value.__context__)]
    said += [caplog.text, *capsys.readouterr()]
    files = [path for root in (studio.home, store.parents[1], key_file.parents[1]) for path in root.rglob("*")]
    assert store in files
    assert key_file in files
    for form in (PLANTED, base64.b64encode(PLANTED.encode()).decode(), PLANTED.encode().hex()):
        assert not [text for text in said if form in text]
        assert not [path for path in files if path.is_file() and form.encode() in path.read_bytes()]


def test_a_copy_of_the_settings_alone_opens_nothing(store, tmp_path, monkeypatch):
    credentials.put("lalal", PLANTED)
    shutil.copytree(store.parents[1], tmp_path / "copy")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "copy"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    assert credentials.known()[0].source == "store"
    with pytest.raises(SetupError, match=r"locked with another key.*set the key of lalal\.ai again"):
        credentials.get("lalal")
    credentials.put("lalal", "again")
    assert credentials.get("lalal") == "again"


def test_the_key_of_the_environment_protects_when_it_is_set(key_file, monkeypatch):
    key = base64.b64encode(bytes(range(32))).decode()
    monkeypatch.setenv("SFA_CREDENTIALS_KEY", key)
    assert "SFA_CREDENTIALS_KEY" in credentials.protection()
    assert key not in credentials.protection()
    credentials.put("lalal", PLANTED)
    assert not key_file.exists()
    assert credentials.get("lalal") == PLANTED
    monkeypatch.setenv("SFA_CREDENTIALS_KEY", base64.b64encode(bytes(32)).decode())
    with pytest.raises(SetupError, match="locked with another key"):
        credentials.get("lalal")


@pytest.mark.parametrize("key", ["short", "ä" * 44, base64.b64encode(b"x" * 31).decode()])
def test_a_key_that_is_none_is_said_to_be_none_and_not_repeated(key, monkeypatch):
    monkeypatch.setenv("SFA_CREDENTIALS_KEY", key)
    with pytest.raises(SetupError, match="32 bytes in base64") as refused:
        credentials.put("lalal", PLANTED)
    assert key not in str(refused.value)


def test_the_systems_keyring_protects_where_there_is_one(keyring, key_file, monkeypatch):
    assert "test Keyring" in credentials.protection()
    credentials.put("lalal", PLANTED)
    assert not key_file.exists()
    assert len(keyring.entries) == 1
    assert credentials.get("lalal") == PLANTED
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(SetupError, match="keyring"):
        credentials.get("lalal")


def test_a_keyring_that_only_pretends_is_not_used(key_file, monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", Keyring(priority=0))
    credentials.put("lalal", PLANTED)
    assert key_file.exists()
    assert str(key_file) in credentials.protection()


def test_a_locked_keyring_is_said_and_its_entry_not_replaced(keyring):
    credentials.put("lalal", PLANTED)
    keyring.locked = True
    for call in (lambda: credentials.get("lalal"), lambda: credentials.put("lalal", "another")):
        with pytest.raises(SetupError, match="keyring does not answer"):
            call()
    keyring.locked = False
    assert credentials.get("lalal") == PLANTED


def test_what_was_locked_before_a_keyring_came_still_opens(monkeypatch, keyring):
    monkeypatch.setitem(sys.modules, "keyring", None)
    credentials.put("lalal", PLANTED)
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    assert credentials.get("lalal") == PLANTED


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"format": 1}', '{"format": 1, "credentials": {"lalal": {"nonce": 1}}}', "\xff"],
)
def test_a_damaged_store_is_told_and_kept_as_it_is(store, text):
    store.parent.mkdir(parents=True, exist_ok=True)
    store.write_bytes(text.encode("latin-1"))
    for call in (
        lambda: credentials.get("lalal"),
        lambda: credentials.put("lalal", PLANTED),
        lambda: credentials.remove("lalal"),
        credentials.known,
    ):
        with pytest.raises(SetupError, match="damaged; nothing was changed"):
            call()
    assert store.read_bytes() == text.encode("latin-1")


def test_a_newer_store_is_not_called_damaged(store):
    store.parent.mkdir(parents=True, exist_ok=True)
    store.write_text('{"format": 2, "credentials": {}}')
    with pytest.raises(SetupError, match="newer version"):
        credentials.put("lalal", PLANTED)


def test_a_value_moved_to_another_name_does_not_open(store, monkeypatch):
    monkeypatch.setitem(credentials.SERVICES, "other", credentials.Service("Other", "SFA_OTHER_KEY"))
    credentials.put("lalal", PLANTED)
    document = json.loads(store.read_text())
    document["credentials"]["other"] = document["credentials"].pop("lalal")
    store.write_text(json.dumps(document))
    with pytest.raises(SetupError, match="damaged"):
        credentials.get("other")


def test_the_same_value_never_looks_the_same(store):
    looks = set()
    for _ in range(3):
        credentials.put("lalal", PLANTED)
        looks.add(json.loads(store.read_text())["credentials"]["lalal"]["locked"])
    assert len(looks) == 3


def test_many_who_write_at_once_lose_nothing(store, monkeypatch):
    names = [f"service{number}" for number in range(8)]
    for name in names:
        monkeypatch.setitem(credentials.SERVICES, name, credentials.Service(name, f"SFA_{name.upper()}_KEY"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: credentials.put(name, f"value-of-{name}"), names))
    assert [credentials.get(name) for name in names] == [f"value-of-{name}" for name in names]
    assert sorted(path.name for path in store.parent.iterdir()) == ["credentials.json", "credentials.lock"]


def test_processes_that_write_at_once_share_one_key():
    program = "import sys; from sfa_kernel import credentials; credentials.put('lalal', sys.argv[1])"
    writers = [subprocess.Popen([sys.executable, "-c", program, f"value-{n}"]) for n in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert credentials.get("lalal") in {"value-0", "value-1", "value-2"}


def test_who_waits_too_long_is_told(store, monkeypatch):
    monkeypatch.setattr(credentials, "PATIENCE", 0.0)
    credentials.put("lalal", PLANTED)
    with portalocker.Lock(store.with_suffix(".lock"), "ab"), pytest.raises(BusyError, match="Another process"):
        credentials.put("lalal", "another")
    assert credentials.get("lalal") == PLANTED


def test_a_folder_that_cannot_be_written_is_said(store):
    store.parent.parent.mkdir(parents=True, exist_ok=True)
    store.parent.write_text("a file in the way")
    with pytest.raises(SfaError, match="cannot be"):
        credentials.put("lalal", PLANTED)
    assert store.parent.read_text() == "a file in the way"


@pytest.mark.parametrize("value", ["", "  \n", "two\nlines", "x" * 5000, "with \x1b escapes"])
def test_what_cannot_be_a_key_is_refused(value, store):
    with pytest.raises(ParameterError):
        credentials.put("lalal", value)
    assert not store.exists()


def test_what_a_login_gave_is_kept_at_once_and_seen_by_nobody(studio, store):
    credentials.keep({"spotify_login": PLANTED, "spotify_pending": "a-verifier"})
    credentials.keep({"spotify_user_token": PLANTED[::-1], "spotify_pending": None})
    assert credentials.kept("spotify_login") == PLANTED
    assert credentials.kept("spotify_user_token") == PLANTED[::-1]
    assert credentials.kept("spotify_pending") is None
    assert PLANTED not in store.read_text() + repr(credentials.kept("spotify_login"))
    before = store.read_bytes()
    for value in ("two\nlines", "x" * 5000):
        with pytest.raises(ParameterError, match="cannot be kept"):
            credentials.keep({"spotify_login": "new", "spotify_user_token": value})
    assert store.read_bytes() == before
    assert not [known.name for known in credentials.known() if known.name in credentials.KEPT]
    handlers = engine_handlers(studio)
    for name in credentials.KEPT:
        for handler in ("credentials.put", "credentials.remove"):
            with pytest.raises(ParameterError):
                handlers[handler]({"name": name, "value": "mine"}, [])
    assert store.read_bytes() == before


def test_a_login_that_does_not_open_any_more_is_to_be_made_again(monkeypatch, tmp_path):
    credentials.keep({"spotify_login": PLANTED})
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(SetupError, match=r"the login at Spotify was locked with another key.*or log in again"):
        credentials.kept("spotify_login")


def test_an_unknown_service_names_those_there_are():
    for call in (credentials.get, credentials.remove):
        with pytest.raises(ParameterError, match="There is: lalal"):
            call("nobody")


def test_the_command_line_takes_the_key_from_standard_input(home, monkeypatch):
    def sfa(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "sfa_kernel", "--home", str(home), "credentials", *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=False)

    done = sfa("set", "lalal", stdin=f"{PLANTED}\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert "stored" in done.stdout
    assert str(credentials.protection()) in done.stdout
    assert credentials.get("lalal") == PLANTED
    listed = sfa("--json")
    assert json.loads(listed.stdout)["credentials"][0]["source"] == "store"
    assert PLANTED not in done.stdout + listed.stdout
    assert sfa("remove", "lalal").returncode == 0
    assert "none" in sfa("list").stdout
    refused = sfa("set", "nobody", stdin=PLANTED)
    assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1)
    assert PLANTED not in refused.stderr
    assert sfa("set", "lalal", PLANTED).returncode == 2
    assert not home.exists()  # a key is the user's, not a library's
