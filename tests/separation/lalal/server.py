"""A service on this machine that behaves as lalal.ai's API v1 is specified, for tests and for a look at the studio.

    python -m tests.separation.lalal.server --port 8123

It keeps everything in memory and one temporary folder. What it calls stems is the song, shared out by fixed numbers
and given back a little late, so that it can be told whether they were put in their place. What an uploaded file's name
says becomes of its tasks: one with "refused" in it fails, one with "lost" is forgotten, one with "batchless" is not
taken in a batch.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import re
import signal
import tempfile
import threading
import time
from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from uuid import uuid4

import numpy as np
import soundfile

from tests.separation.lalal.specification import BODIES, LEGAL_PACKS, PHOENIX_ONLY, problems

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "a-license-key-of-nobody"
DAY = 86400
CHECKS_A_MINUTE = 30
SHARES = {  # of the middle of the song
    "vocals": 0.3,
    "drum": 0.2,
    "bass": 0.15,
    "piano": 0.1,
    "electric_guitar": 0.05,
    "acoustic_guitar": 0.04,
    "synthesizer": 0.03,
    "strings": 0.02,
    "wind": 0.01,
    "voice": 0.6,
    "music": 0.4,
    "vocals@0": 0.2,
    "vocals@1": 0.1,
}
OWN_PACK = {"name": "My own voice", "pack_id": "f5dc9452-9374-4418-9288-02825bbd0016", "created": 1672531199}


@dataclass
class Source:
    id: str
    name: str
    path: Path
    seconds: float
    expires: float
    deleted: bool = False


@dataclass
class Task:
    id: str
    service: str
    source: Source
    presets: dict[str, Any]
    minutes: int
    created: float
    step: int = 0  # how often it was asked for since it began
    cancelled: bool = False


@dataclass
class Fault:
    """What goes wrong with the next calls of a path."""

    path: str
    kind: str  # "500", "503", "429", "cut" (no answer), "deaf" (done, but no answer), "slow"; in a batch a code
    times: int


@dataclass
class Answer:
    status: int
    body: dict[str, Any]


@dataclass
class Service:
    """The service; to be used as a context.

    Attributes
    ----------
    minutes
        What the account has.
    steps
        How far a task is at each check in turn; 100 is done.
    late
        How late tracks are [frames].
    clock
        Tells the time [s since 1970].
    link_life
        For how long the address of a result is good [s].
    back_voices
        Whether there are any.
    batches
        Whether the account may order in batches.
    """

    minutes: float = 100.0
    steps: tuple[int, ...] = (0, 30, 70, 100)
    late: int = 0
    clock: Callable[[], float] = time.time
    link_life: float = 3600.0
    back_voices: bool = True
    batches: bool = True
    port: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    checks: list[tuple[float, list[str]]] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    cut_after: deque[int] = field(default_factory=deque)  # bytes of the next results before the connection breaks
    tasks: dict[str, Task] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)

    def __enter__(self) -> Service:
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._keys: dict[str, Task] = {}
        self._links: dict[str, tuple[float, str, str]] = {}
        self._made: dict[tuple[str, str], bytes] = {}
        self._recent: deque[float] = deque()
        self._folder = tempfile.TemporaryDirectory()
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self))
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._folder.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fail(self, path: str, kind: str, times: int = 1) -> None:
        """Let the next calls of a path go wrong."""
        with self._lock:
            self.faults.append(Fault(path, kind, times))

    def expire_links(self) -> None:
        """Let all addresses given so far be no longer good."""
        with self._lock:
            self._links.clear()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so that changes with a call."""
        with self._changed:
            assert self._changed.wait_for(condition, 60), self.calls

    def fault(self, path: str) -> str:
        with self._lock:
            for fault in self.faults:
                if fault.path == path and fault.times > 0:
                    fault.times -= 1
                    return fault.kind
        return ""

    def called(self, path: str) -> None:
        with self._changed:
            self.calls[path] += 1
            self._changed.notify_all()

    # What the calls do

    def upload(self, headers: Message, body: Path) -> Answer:
        disposition = headers.get("content-disposition")
        if disposition is None:
            return _invalid([{"loc": ["header", "Content-Disposition"], "msg": "Field required", "type": "missing"}])
        if headers.get("content-type") != "application/octet-stream":
            return _invalid([{"loc": ["header", "Content-Type"], "msg": "Not binary", "type": "value_error"}])
        parsed = Message()
        parsed["content-disposition"] = disposition
        better = re.search(r"filename\*=UTF-8''(\S+)", disposition)  # of two names the one that has all characters
        name = unquote(better[1]) if better else parsed.get_filename()
        if parsed.get_content_disposition() != "attachment" or not name:
            return _invalid([{"loc": ["header", "Content-Disposition"], "msg": "No name", "type": "value_error"}])
        try:
            seconds = soundfile.info(str(body)).duration
        except soundfile.SoundFileError:
            return Answer(400, {"detail": "The file is not a media file.", "code": "invalid_file"})
        with self._lock:
            source = Source(str(uuid4()), name, body, seconds, self.clock() + DAY)
            self.sources[source.id] = source
            self.names.append(name)
        return Answer(
            200,
            {
                "id": source.id,
                "name": name,
                "size": body.stat().st_size,
                "duration": int(seconds),
                "expires": int(source.expires),
            },
        )

    def call(self, path: str, body: Any) -> Answer:
        """Answer a call that has a body of JSON or none."""
        if path in BODIES and (wrong := problems(path, body)):
            return _invalid(wrong)
        with self._lock:
            if path == "limits/minutes_left/":
                return Answer(200, {"minutes_left": self.minutes})
            if path == "voice_packs/list/":
                return Answer(200, {"packs": [OWN_PACK]})
            if path == "check/":
                return self._check(body["task_ids"])
            if path == "cancel/":
                return Answer(200, {"result": {task: self._cancel(task) for task in body["task_ids"]}})
            if path == "cancel/all/":
                running = [task.id for task in self.tasks.values() if self._status(task) == "progress"]
                return Answer(200, {"result": {task: self._cancel(task) for task in running}})
            if path == "delete/":
                return self._delete(body["source_id"])
            service = path.rstrip("/").rsplit("/", 1)[-1]
            if path.startswith("split/batch/"):
                if not self.batches:
                    return Answer(400, {"detail": "Batches are for others.", "code": "batch_not_avaliable"})
                return Answer(200, {"results": [self._batched(service, item) for item in body["items"]]})
            return self._start(service, body)

    def _batched(self, service: str, item: dict[str, Any]) -> dict[str, Any]:
        source = self.sources.get(item["source_id"])
        if source is not None and "batchless" in source.name:
            answer = Answer(400, {"detail": "Batches are for others.", "code": "batch_not_avaliable"})
        elif code := self.fault(f"batched {item['presets']['stem']}"):
            answer = Answer(400, {"detail": "No.", "code": code})
        else:
            answer = self._start(service, item)
        if answer.status == 200:
            return {"status": "success", "source_id": item["source_id"], **answer.body}
        body = answer.body
        return {"status": "error", "error": body["detail"], "code": body["code"], "source_id": item["source_id"]}

    def _start(self, service: str, order: dict[str, Any]) -> Answer:
        key = order.get("idempotency_key")
        before = self._keys.get(key) if key else None
        if before is not None:
            if before.step > 0 or before.cancelled:
                return Answer(400, {"detail": "Idempotency key has already been used.", "code": "idempotency_key_used"})
            return Answer(200, {"task_id": before.id})
        source = self.sources.get(order["source_id"])
        if source is None or source.deleted or source.expires < self.clock():
            return Answer(400, {"detail": "The file has already been deleted.", "code": "not_found"})
        presets = order["presets"]
        stems = presets.get("stem_list", [presets.get("stem")])
        if any(stem in PHOENIX_ONLY for stem in stems) and presets.get("splitter", "auto") not in ("auto", "phoenix"):
            return Answer(400, {"detail": f"Stem {stems[0]} is available only for phoenix.", "code": "wrong_splitter"})
        if service == "change_voice" and presets["voice_pack_id"] not in (*LEGAL_PACKS, OWN_PACK["pack_id"]):
            return Answer(400, {"detail": "Voice pack not found.", "code": "not_found"})
        minutes = math.ceil(source.seconds / 60) * len(stems)
        if minutes > self.minutes:
            return Answer(400, {"detail": "Duration limit exceeded.", "code": "exceeded_duration"})
        self.minutes -= minutes
        task = Task(str(uuid4()), service, source, presets, minutes, self.clock())
        self.tasks[task.id] = task
        self.orders.append({"service": service, **order})
        if key:
            self._keys[key] = task
        return Answer(200, {"task_id": task.id})

    def _check(self, ids: list[str]) -> Answer:
        now = self.clock()
        while self._recent and self._recent[0] <= now - 60:
            self._recent.popleft()
        if len(self._recent) >= CHECKS_A_MINUTE:
            return Answer(429, {"detail": "Too many requests"})
        self._recent.append(now)
        self.checks.append((now, list(ids)))
        if any(self.tasks[task].created + DAY < now for task in ids if task in self.tasks):
            return Answer(400, {"detail": "The task is too old to be checked."})
        return Answer(200, {"result": {task: self._shown(task) for task in ids}})

    def _shown(self, name: str) -> dict[str, Any]:
        task = self.tasks.get(name)
        if task is None:
            return {"status": "server_error", "error": "Failed to extract information about task"}
        told = {"source_id": task.source.id, "presets": {**task.presets, "label": task.service}}
        status = self._status(task)
        if status == "server_error":
            detail = "['The file has not been uploaded properly or has already been deleted. Please upload it again.']"
            return {"status": status, "error": detail}
        if status == "error":
            detail = "Unable to detect voice/vocals in the uploaded files"
            return {**told, "status": status, "error": {"code": "inference_error", "detail": detail, "id": "17"}}
        if status == "progress":
            progress = self.steps[task.step]
            task.step += 1
            if task.step < len(self.steps) or progress < 100:
                return {**told, "status": status, "progress": progress}
            status = self._status(task)
        if status == "cancelled":
            return {**told, "status": status}
        tracks = [self._track(task, label, kind) for label, kind in self._labels(task)]
        return {**told, "status": "success", "result": {"tracks": tracks, "duration": int(task.source.seconds)}}

    def _status(self, task: Task) -> str:
        if task.cancelled:
            return "cancelled"
        if "lost" in task.source.name and task.step:
            return "server_error"
        if "refused" in task.source.name and task.step:
            return "error"
        return "success" if task.step >= len(self.steps) else "progress"

    def _labels(self, task: Task) -> list[tuple[str, str]]:
        presets = task.presets
        if task.service == "change_voice":
            return [("converted_mix", "back")]
        if presets.get("multivocal"):
            back = [("vocals@1", "stem"), ("mix_no_lead", "back")] if self.back_voices else []
            return [("vocals@0", "stem"), ("no_vocals", "back"), *back]
        if task.service == "multistem":
            return [*((stem, "stem") for stem in presets["stem_list"]), ("no_multistem", "back")]
        return [(presets["stem"], "stem"), (f"no_{presets['stem']}", "back")]

    def _track(self, task: Task, label: str, kind: str) -> dict[str, Any]:
        token = uuid4().hex
        self._links[token] = (self.clock() + self.link_life, task.id, label)
        return {"type": kind, "label": label, "url": f"{self.url}/d/{task.id}/{label}?signature={token}"}

    def _cancel(self, name: str) -> dict[str, str]:
        task = self.tasks.get(name)
        if task is None or self._status(task) != "progress":
            return {"status": "server_error", "error": "Task is not in progress state"}
        task.cancelled = True
        return {"status": "success"}

    def _delete(self, name: str) -> Answer:
        source = self.sources.get(name)
        if source is None:
            return Answer(400, {"detail": "Source file not found.", "code": "not_found"})
        source.deleted = True
        for task in self.tasks.values():
            if task.source is source and self._status(task) == "progress":
                task.cancelled = True
        return Answer(200, {})

    # Its results

    def result(self, path: str) -> bytes | None:
        """A track; None when its address is not good, or not any more."""
        with self._lock:
            until, name, label = self._links.get(path.rpartition("signature=")[2], (0.0, "", ""))
            if until < self.clock():
                return None
            if self.tasks[name].source.deleted:
                return None
            if (name, label) not in self._made:
                self._made[name, label] = self._encoded(self.tasks[name], label)
            return self._made[name, label]

    def _encoded(self, task: Task, label: str) -> bytes:
        samples, rate = soundfile.read(str(task.source.path), always_2d=True)
        middle = samples.mean(axis=1, keepdims=True) * np.ones_like(samples)
        parts = [name for name, kind in self._labels(task) if kind == "stem"]
        shares = {name: SHARES[name] * middle for name in parts}
        if task.service == "change_voice":
            track = 0.8 * samples
        elif label in shares:
            track = shares[label]
        else:
            away = [shares["vocals@0"]] if label == "mix_no_lead" else list(shares.values())
            track = samples - sum(away)
        track = np.concatenate([np.zeros((max(0, self.late), track.shape[1])), track[max(0, -self.late) :]])
        out = io.BytesIO()
        kind = (task.presets.get("encoder_format") or "flac").upper()
        soundfile.write(out, track, rate, format=kind, subtype="PCM_24" if kind in ("FLAC", "WAV") else None)
        return out.getvalue()

    def store(self) -> Path:
        return Path(self._folder.name) / uuid4().hex


def _invalid(detail: list[dict[str, Any]]) -> Answer:
    return Answer(422, {"detail": detail})


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            path = self.path.removeprefix("/api/v1/")
            self.received: Path | bytes = b""
            try:
                self._receive(path)
                answer = self._answer(path)
                service.called(path)  # before the answer, so that whoever has it finds the call counted
                if answer is None:
                    self.close_connection = True
                else:
                    self._send(answer)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def _receive(self, path: str) -> None:
            left = int(self.headers.get("content-length", 0))
            if path != "upload/":
                self.received = self.rfile.read(left)
                return
            self.received = service.store()
            with self.received.open("wb") as file:
                while left > 0 and (piece := self.rfile.read(min(left, 1 << 16))):
                    file.write(piece)
                    left -= len(piece)
            if left:
                raise ConnectionResetError

        def _answer(self, path: str) -> Answer | None:
            """What to say; None to hang up."""
            fault = service.fault(path)
            if fault == "slow":
                time.sleep(1.0)
            if fault == "cut":
                return None
            if fault.isdigit():
                return Answer(int(fault), {"detail": "trouble"})
            if "x-license-key" not in self.headers:
                return Answer(403, {"detail": "Provide license key in 'X-License-Key' header"})
            if self.headers["x-license-key"] != KEY:
                return Answer(403, {"detail": "License key is not valid"})
            if not self.path.startswith("/api/v1/") or path not in _PATHS:
                return Answer(404, {"detail": "Not Found"})
            answer = self._done(path)
            return None if fault == "deaf" else answer

        def _done(self, path: str) -> Answer:
            if isinstance(self.received, Path):
                return service.upload(self.headers, self.received)
            try:
                body = json.loads(self.received) if path in BODIES else None
            except ValueError:
                return _invalid([{"loc": ["body"], "msg": "JSON decode error", "type": "json_invalid"}])
            return service.call(path, body)

        def _send(self, answer: Answer) -> None:
            body = json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.send_header("x-request-id", uuid4().hex)
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            assert "x-license-key" not in self.headers, "the key is for the service only"
            if self.path.startswith("/moved/"):
                self.send_response(302)
                self.send_header("location", self.path.replace("/moved/", "/d/"))
                self.send_header("content-length", "0")
                self.end_headers()
                return
            content = service.result(self.path)
            service.called("a result")
            fault = service.fault("a result")
            if content is None or fault.isdigit():
                self.send_response(int(fault) if fault else 403)
                self.send_header("content-length", "0")
                self.end_headers()
                return
            mark = f'"{hash(content):x}"'
            first = self._first(content, mark)
            self.send_response(206 if first else 200)
            self.send_header("etag", mark)
            self.send_header("content-type", "audio/flac")
            self.send_header("content-length", str(len(content) - first))
            if first:
                self.send_header("content-range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            end = first + service.cut_after.popleft() if service.cut_after else len(content)
            with suppress(OSError):  # it did not wait for us
                self.wfile.write(content[first:end])
            if end < len(content):
                self.close_connection = True

        def _first(self, content: bytes, mark: str) -> int:
            wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", ""))
            if not wanted or self.headers.get("if-range", mark) != mark or int(wanted[1]) >= len(content):
                return 0
            service.ranges.append(wanted[0])
            return int(wanted[1])

        def log_message(self, *_: object) -> None:
            pass

    return Handler


_PATHS = {*BODIES, "upload/", "cancel/all/", "limits/minutes_left/", "voice_packs/list/"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--minutes", type=float, default=100.0, help="what the account has")
    parser.add_argument("--late", type=int, default=441, help="how late tracks are [frames]")
    parser.add_argument("--steps", default="0,30,70,100", help="how far a task is at each check in turn")
    parser.add_argument("--no-batches", action="store_true", help="an account that may not order in batches")
    chosen = parser.parse_args()
    steps = tuple(int(step) for step in chosen.steps.split(","))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it tidies up
    with Service(
        minutes=chosen.minutes, steps=steps, late=chosen.late, port=chosen.port, batches=not chosen.no_batches
    ) as service:
        print(f"{service.url} (license key: {KEY})", flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
