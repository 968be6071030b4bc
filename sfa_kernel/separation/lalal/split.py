"""The engine: a song goes up to lalal.ai, its stems come down and are put in step with it."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from sfa_kernel.errors import FatalJobError, RetryableJobError, ServiceError, SfaError
from sfa_kernel.separation.interface import REST, Parts
from sfa_kernel.separation.lalal.align import fitted, lag
from sfa_kernel.separation.lalal.board import INTERVAL, Board, Ordered, account
from sfa_kernel.separation.lalal.client import Client, LinkExpired, NoBatches, Refusal
from sfa_kernel.separation.lalal.services import Order, orders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sfa_kernel.separation.interface import Place, Song, Task

__all__ = ["abandon", "split"]

logger = logging.getLogger(__name__)

Array = np.ndarray[Any, np.dtype[Any]]

UPLOADED, WORKED, FETCHED = 0.2, 0.85, 0.97  # shares of the whole by then

_URL = "https://www.lalal.ai"
# What the service takes as it is; anything else is sent as FLAC.
_SUFFIXES = frozenset({".aac", ".aiff", ".avi", ".flac", ".m4a", ".mkv", ".mp3", ".mp4", ".ogg", ".wav"})
_TRIES = (1.0, 2.0, 4.0)  # s before each further try of a call
_STOP_SECONDS = 5.0  # how long a stop may take
_BLOCK = 65536
_LOOK = 0.2  # s between two questions whether to stop


def split(song: Song, task: Task, at: Callable[[float], None]) -> Parts:
    """Have a song separated by lalal.ai.

    ``task.place.cloud`` holds ``key`` (the license key), ``url``, ``board`` (folder shared by all processes of a
    library; without it nothing is remembered), and if need be ``owner`` (who orders, for `abandon`),
    ``delete_source`` (whether the service shall not keep the song) and ``interval`` (between two calls [s]).

    ``task.place.notes`` gets ``minutes`` (billed), ``minutes_left`` (of the account afterwards, when the service
    told), ``device``.

    Parameters
    ----------
    song, task, at
        See `sfa_kernel.separation.interface`.

    Returns
    -------
    Parts
        The stems, and as the rest the service's own remainder when one order made them all.

    Raises
    ------
    SetupError
        When the license key is missing or not accepted.
    ParameterError
        When the stems do not go together.
    FatalJobError
        When the account has too few minutes left, or the service refuses.
    RetryableJobError
        When the service is in trouble, or asks us to wait. What was ordered goes on, and the next try finds it.
    """
    way = _Way(at)
    way.to(0.0)
    wanted = orders(task.model, task.stems, task.settings)
    cloud, notes = task.place.cloud, task.place.notes
    notes["device"] = "lalal.ai"
    with _client(cloud, sleep=way.rest) as client:
        desk = _Desk(_board(task.place), client, cloud, way)
        file = _file(song, task.place.scratch, way)
        content = _content(file)
        orders_by_name = {_name(content, order): order for order in wanted}
        try:
            placed = desk.place(orders_by_name, content, file, math.ceil(song.frames / song.sample_rate / 60))
            notes["minutes"] = desk.billed(placed)
            answers = desk.wait(orders_by_name, placed, content)
            tracks = desk.fetch(orders_by_name, placed, answers, task.place.scratch)
        except RetryableJobError:
            raise  # the tasks go on: another try will find them
        except BaseException:
            _stop(task.place, orders_by_name, content)
            raise
        with suppress(SfaError):  # it is good to know, no more
            notes["minutes_left"] = client.minutes_left()

    def finish() -> None:
        for name in orders_by_name:
            desk.board.delivered(name)
        if cloud.get("delete_source"):
            _delete(task.place, orders_by_name, content)

    return _parts(song, task, wanted, tracks, way, finish)


def abandon(cloud: Mapping[str, Any], owner: str) -> list[str]:
    """Stop what was ordered for an owner whose process was killed, when nobody will come for it.

    Parameters
    ----------
    cloud
        As `split` was given it.
    owner
        The ``owner`` that was in it.

    Returns
    -------
    list of str
        The tasks that were stopped; those that were done already are not among them.

    Raises
    ------
    SfaError
        When the service could not be asked.
    """
    board = Board(Path(cloud["board"]) / account(cloud.get("url", _URL), cloud["key"]), owner=owner)
    return _cancel(board, cloud, board.of(owner))


class _Way:
    """How far the work is; can be asked whether to stop without going on."""

    def __init__(self, at: Callable[[float], None]) -> None:
        self._at = at
        self._share = 0.0

    def to(self, share: float) -> None:
        self._share = max(share, self._share)
        self._at(self._share)

    def tick(self) -> None:
        self._at(self._share)

    def between(self, start: float, end: float) -> Callable[[float], None]:
        return lambda share: self.to(start + (end - start) * share)

    def rest(self, seconds: float) -> None:
        """Wait, and stop soon when asked."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.tick()
            time.sleep(min(left, _LOOK))


@dataclass
class _Desk:
    """Where one song's orders are placed, waited for and fetched."""

    board: Board
    client: Client
    cloud: Mapping[str, Any]
    way: _Way

    def place(self, wanted: Mapping[str, Order], content: str, file: Path, length: int) -> dict[str, Ordered]:
        """See to it that everything is ordered, whatever was before; ``length`` is that of the song [minutes]."""
        with self.board.alone(content, self.way.tick):
            placed = {name: found for name in wanted if (found := self.board.ordered(name)) is not None}
            unplaced = {name: order for name, order in wanted.items() if name not in placed or not placed[name].task}
            if unplaced:
                self._afford(float(sum(order.charged for order in unplaced.values()) * length))
                if any(name not in placed for name in unplaced):
                    source = self._source(content, file)
                for name, order in unplaced.items():
                    if name not in placed:
                        placed[name] = Ordered(
                            key=str(uuid4()),
                            at=time.time(),
                            source=source,
                            minutes=float(order.charged * length),
                            owner=self.cloud.get("owner", ""),
                        )
                        # Before it is sent: when this process dies, the next one sends it with the same key.
                        self.board.put_ordered(name, placed[name])
                self._submit(unplaced, placed, content)
        self.way.to(UPLOADED)
        return placed

    def billed(self, placed: Mapping[str, Ordered]) -> float:
        """Minutes that were spent for this separation: not those of stems that another has had already."""
        owner = self.cloud.get("owner", "")
        return sum(
            (
                ordered.minutes
                for ordered in placed.values()
                if not ordered.delivered or (owner and ordered.owner == owner)
            ),
            0.0,
        )

    def _afford(self, need: float) -> None:
        left = self.client.minutes_left()
        if left < need:
            raise FatalJobError(
                f"This needs {need:g} minutes of lalal.ai, and the account has {left:g} left.",
                hint="Buy minutes, choose fewer stems, or a region of the song.",
            )

    def _source(self, content: str, file: Path) -> str:
        """The song as the service names it; uploaded unless it is there already."""
        found = self.board.source(content)
        if found is None:
            found = self.client.upload(file, at=self.way.between(0.02, UPLOADED))
            self.board.put_source(content, found)
        return found.id

    def _submit(self, unplaced: Mapping[str, Order], placed: dict[str, Ordered], content: str) -> None:
        """Send orders, and note what becomes of each before anything is raised."""
        failed: list[SfaError] = []
        single = list(unplaced)
        batch = [name for name in unplaced if unplaced[name].service == "stem_separator"]
        if len(batch) > 1:
            for name, answer in zip(batch, self._batch(batch, unplaced, placed), strict=True):
                if isinstance(answer, str):
                    placed[name] = self._taken(name, placed[name], answer)
                    single.remove(name)
                elif not isinstance(answer.error, ServiceError | NoBatches):  # those are tried again by themselves
                    failed.append(answer.error)
                    self.board.forget(order=name)
                    single.remove(name)
        for name in single if not failed else ():
            order = unplaced[name]
            try:
                task = self.client.submit(
                    order.service, placed[name].source, order.presets, idempotency_key=placed[name].key
                )
            except FatalJobError as error:
                failed.append(error)
                self.board.forget(order=name)
                break
            placed[name] = self._taken(name, placed[name], task)
        if failed:
            self.board.forget(content=content)  # that may have been the reason, and to send it again costs nothing
            raise failed[0]

    def _batch(
        self, names: list[str], unplaced: Mapping[str, Order], placed: Mapping[str, Ordered]
    ) -> list[str | Refusal]:
        items = [(placed[name].source, unplaced[name].presets, placed[name].key) for name in names]
        try:
            return self.client.submit_batch("stem_separator", items)
        except NoBatches as error:
            return [Refusal("batch_not_avaliable", error.message)] * len(names)

    def _taken(self, name: str, ordered: Ordered, task: str) -> Ordered:
        taken = replace(ordered, task=task)
        self.board.put_ordered(name, taken)
        return taken

    def wait(
        self, wanted: Mapping[str, Order], placed: Mapping[str, Ordered], content: str
    ) -> dict[str, dict[str, str]]:
        """Wait until all is done; for each order the addresses of its tracks by label."""
        whole = sum(order.charged for order in wanted.values())

        def heard(answers: Mapping[str, Any]) -> None:
            done = sum(order.charged * _progress(answers.get(placed[name].task, {})) for name, order in wanted.items())
            self.way.to(UPLOADED + (WORKED - UPLOADED) * done / whole)

        tasks = {ordered.task: ordered.at for ordered in placed.values()}
        answers = self.board.wait(tasks, self.client.check, heard)
        return {name: self._links(name, answers[placed[name].task], content) for name in wanted}

    def _links(self, name: str, answer: Mapping[str, Any], content: str) -> dict[str, str]:
        status = answer["status"]
        if status == "success":
            with suppress(KeyError, TypeError):
                return {str(track["label"]): str(track["url"]) for track in answer["result"]["tracks"]}
            raise ServiceError("lalal.ai answered in a way we do not understand: there are no tracks.")
        self.board.forget(order=name)
        if status == "cancelled":
            # Not to be tried again by itself: whoever stopped it does not want to pay for it.
            raise FatalJobError("The task was cancelled at lalal.ai.", hint="Start it again to order it anew.")
        if status == "server_error":
            self.board.forget(content=content)
            raise ServiceError(f"lalal.ai lost the task: {_words(answer)}.")
        raise FatalJobError(f"lalal.ai could not do it: {_words(answer)}.")

    def fetch(
        self,
        wanted: Mapping[str, Order],
        placed: Mapping[str, Ordered],
        links: dict[str, dict[str, str]],
        scratch: Path,
    ) -> list[dict[str, Path]]:
        """Download all tracks; for each order its files by label."""
        count = sum(len(order.labels) for order in wanted.values())
        done = 0
        found = []
        for number, (name, order) in enumerate(wanted.items()):
            files: dict[str, Path] = {}
            for label in order.labels:
                if label in links[name]:
                    files[label] = scratch / f"{number}-{len(files)}.flac"
                    part = (WORKED + (FETCHED - WORKED) * (done + end) / count for end in (0, 1))
                    self._download(name, placed[name], links, label, files[label], self.way.between(*part))
                elif label not in order.optional:
                    raise FatalJobError(f"lalal.ai did not give the track {label!r}.")
                done += 1
            found.append(files)
        self.way.to(FETCHED)
        return found

    def _download(
        self,
        name: str,
        ordered: Ordered,
        links: dict[str, dict[str, str]],
        label: str,
        path: Path,
        at: Callable[[float], None],
    ) -> None:
        try:
            self.client.download(links[name][label], path, at=at)
            return
        except LinkExpired:
            logger.info("The address of a result of lalal.ai has expired: asking for another.")
        answer = self.board.wait({ordered.task: ordered.at}, self.client.check, lambda _: self.way.tick())
        links[name] = self._links(name, answer[ordered.task], "")
        try:
            self.client.download(links[name].get(label, ""), path, at=at)
        except LinkExpired as error:
            self.board.forget(order=name)
            raise FatalJobError(
                "lalal.ai no longer has the result.", hint="Start it again to order it anew: it will be billed again."
            ) from error


def _client(
    cloud: Mapping[str, Any],
    *,
    timeout: float = 60.0,
    pauses: tuple[float, ...] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Client:
    return Client(
        cloud.get("url", _URL),
        cloud.get("key"),
        timeout=timeout,
        pauses=_TRIES if pauses is None else pauses,
        sleep=sleep,
    )


def _board(place: Place) -> Board:
    cloud = place.cloud
    folder = Path(cloud.get("board") or place.scratch / "board")
    return Board(
        folder / account(cloud.get("url", _URL), cloud["key"]),
        owner=cloud.get("owner", ""),
        interval=cloud.get("interval", INTERVAL),
    )


def _file(song: Song, scratch: Path, way: _Way) -> Path:
    """What is sent: the song's own file, or a FLAC of what is to be heard, a WAV at rates that FLAC cannot have."""
    from sfa_kernel.audio import AudioWriter, holds_rate, probe

    file = song.file
    if file is not None and file.suffix.lower() in _SUFFIXES and probe(file).channels == song.channels:
        return file
    path = scratch / ("song.flac" if holds_rate(".flac", song.sample_rate) else "song.wav")
    with AudioWriter(path, song.sample_rate, song.channels) as writer:
        for block in song.blocks():
            writer.write(block)
            way.tick()
    return path


def _content(file: Path) -> str:
    from sfa_kernel.audio import content_hash

    return content_hash(file)


def _name(content: str, order: Order) -> str:
    """A name for what is ordered: the same for the same of the same content."""
    what = json.dumps([content, order.service, dict(order.presets)], sort_keys=True)
    return hashlib.sha256(what.encode()).hexdigest()


def _progress(answer: Mapping[str, Any]) -> float:
    if answer.get("status") == "success":
        return 1.0
    percent = answer.get("progress", 0)
    return min(max(percent, 0), 100) / 100 if isinstance(percent, int | float) else 0.0


def _words(answer: Mapping[str, Any]) -> str:
    """What the service says went wrong."""
    error = answer.get("error", "")
    text = error.get("detail", "") if isinstance(error, dict) else error
    return " ".join(str(text).strip("[]'\"").split()).rstrip(".") or "it gave no reason"


def _stop(place: Place, wanted: Mapping[str, Order], content: str) -> None:
    """Stop what goes on for nobody, within a few seconds or not at all."""
    with suppress(SfaError):
        board = _board(place)
        _cancel(board, place.cloud, {name: found for name in wanted if (found := board.ordered(name)) is not None})
    if place.cloud.get("delete_source"):
        _delete(place, wanted, content)


def _cancel(board: Board, cloud: Mapping[str, Any], placed: Mapping[str, Ordered]) -> list[str]:
    """Stop tasks that nobody else waits for. One that is done stays on the board: it is paid for."""
    tasks = {found.task: name for name, found in placed.items() if found.task and not board.wanted(found.task)}
    if not tasks:
        return []
    with _client(cloud, timeout=_STOP_SECONDS, pauses=()) as client:
        outcomes = client.cancel(list(tasks))
    stopped = [task for task in tasks if outcomes.get(task) == ""]
    for task in stopped:
        board.forget(order=tasks[task])
    return stopped


def _delete(place: Place, wanted: Mapping[str, Order], content: str) -> None:
    """Have the service delete a song and its stems, unless another process is at work on it."""
    board = _board(place)
    source = board.source(content)
    placed = [found for name in wanted if (found := board.ordered(name)) is not None]
    if source is None or any(board.wanted(found.task) for found in placed if found.task):
        return
    try:
        with _client(place.cloud, timeout=_STOP_SECONDS, pauses=()) as client:
            client.delete(source.id)
    except SfaError as error:
        logger.warning("A song could not be deleted at lalal.ai, which keeps it for a day: %s", error)
        return
    board.forget(content=content)
    for name in wanted:
        board.forget(order=name)


def _parts(
    song: Song,
    task: Task,
    wanted: tuple[Order, ...],
    tracks: list[dict[str, Path]],
    way: _Way,
    finish: Callable[[], None],
) -> Parts:
    """The tracks as an engine gives them."""
    found: dict[str, tuple[Path | None, int]] = {}
    for order, files in zip(wanted, tracks, strict=True):
        late = lag(song.blocks(), list(files.values()), song.sample_rate, at=way.tick) if files else 0
        for label, stem in order.tracks.items():
            found[stem] = files.get(label), late
        if len(wanted) == 1 and order.back in files:
            found[REST] = files[order.back], late
    names = tuple(name for name in (*task.stems, REST) if name in found)

    def pieces() -> Iterator[Array]:
        feeds = [_feed(song, *found[name]) for name in names]
        done = 0
        for blocks in zip(*feeds, strict=True):
            yield np.stack(blocks)
            done += blocks[0].shape[1]
            way.to(FETCHED + (1 - FETCHED) * done / song.frames)
        finish()

    return Parts(names, pieces())


def _feed(song: Song, path: Path | None, late: int) -> Iterator[Array]:
    """A track in step with the song; silence when there is none."""
    if path is not None:
        yield from fitted(path, song.sample_rate, song.channels, song.frames, late, _BLOCK)
        return
    for first in range(0, song.frames, _BLOCK):
        yield np.zeros((song.channels, min(_BLOCK, song.frames - first)), np.float32)
