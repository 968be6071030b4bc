"""The programs that download: where they are, how they are, and how they get here.

Each is looked for in three places: the command that the settings name, the folder of programs that `install` fills,
and what the system has. `install` makes an environment for one program; it counts once a note in it says that it is
complete, so one that was cut off is never used, and a program that runs keeps the environment that it began with.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shlex
import shutil
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sfa_kernel.errors import ParameterError, RetryableJobError, ServiceError, SetupError, SfaError
from sfa_kernel.progress import Progress, Steps, silent
from sfa_kernel.sources.downloads.program import Ended, run_program
from sfa_kernel.storage import write_private

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sfa_kernel.settings import Settings

__all__ = [
    "TOOLS",
    "Health",
    "Program",
    "Tool",
    "check",
    "check_all",
    "find",
    "install",
    "programs",
    "settings_commands",
    "tool",
]

_log = logging.getLogger(__name__)

NOTE = "installed.json"  # in an environment that is complete
HALF_SECONDS = 3600.0  # after this long, an environment that is not complete is what a crash has left
VERSION_SILENCE = 30.0  # s
INSTALL_SILENCE = 600.0  # s: a large package over a slow line
OLD_DAYS = 90  # from when yt-dlp itself warns
OFFLINE = re.compile(
    r"NewConnectionError|Temporary failure in name resolution|Name or service not known|getaddrinfo failed|"
    r"Connection (?:refused|reset|aborted)|Network is unreachable|Read timed out|ConnectTimeout|No route to host",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Tool:
    """A program that downloads need.

    Attributes
    ----------
    name, label, use
        What it is called here and by people, and what it is for.
    commands
        What it is called in the system, the preferred one first.
    needed
        Whether nothing can be downloaded without it.
    requirement, module
        What to install, and what of it to run; no module: a program of the first command's name.
    version
        What makes it tell its version.
    get
        How to get it where it cannot be installed from here.
    """

    name: str
    label: str
    use: str
    commands: tuple[str, ...]
    needed: bool = False
    requirement: str = ""
    module: str = ""
    version: str = "--version"
    get: str = ""


TOOLS: Mapping[str, Tool] = {
    one.name: one
    for one in (
        Tool(
            name="spotdl",
            label="spotDL",
            use="finds and downloads songs of Spotify",
            commands=("spotdl",),
            requirement="spotdl==4.6.0",
            module="spotdl",
        ),
        Tool(
            name="yt-dlp",
            label="yt-dlp",
            use="downloads when spotDL fails",
            commands=("yt-dlp",),
            requirement="yt-dlp[default]",
            module="yt_dlp",
        ),
        Tool(
            name="ffmpeg",
            label="FFmpeg",
            use="writes what is downloaded as audio files",
            commands=("ffmpeg",),
            needed=True,
            version="-version",
            get="Debian: sudo apt install ffmpeg; macOS: brew install ffmpeg",
        ),
        Tool(
            name="deno",
            label="JavaScript runtime",
            use="YouTube cannot be read without one",
            commands=("deno", "node", "bun"),
            requirement="deno",
        ),
    )
}
OLDEST = {"deno": (2, 3), "node": (22,), "bun": (1, 2, 11)}  # what yt-dlp accepts


@dataclass(frozen=True)
class Program:
    """A program that is there.

    Attributes
    ----------
    command
        What to run it with.
    place
        Who says so: ``"settings"``, ``"installed"`` or ``"system"``.
    version
        As it was noted when it was installed; None where only the program itself knows.
    """

    name: str
    command: tuple[str, ...]
    place: str
    version: str | None = None


@dataclass(frozen=True)
class Health:
    """How a program is.

    Attributes
    ----------
    ok
        Whether it can be used.
    detail
        Version and place, or what is missing.
    hint
        What to do; also of one that can be used and is too old.
    installable
        Whether `install` sets it up, to be used from then on.
    """

    name: str
    label: str
    ok: bool
    detail: str
    hint: str
    installable: bool


def tool(name: str) -> Tool:
    """One of `TOOLS`.

    Raises
    ------
    ParameterError
        When there is none of that name.
    """
    if name not in TOOLS:
        raise ParameterError(f"There is no tool {name!r}.", hint=f"Choose from {', '.join(TOOLS)}.")
    return TOOLS[name]


def find(name: str, *, command: str = "", folder: Path) -> Program | None:
    """Look for a program; None where there is none. Nothing is run.

    Parameters
    ----------
    name
        One of `TOOLS`.
    command
        What the settings say.
    folder
        Where `install` puts programs.

    Raises
    ------
    SetupError
        When the settings name something that is not there.
    """
    sought = tool(name)
    if command:
        return Program(name, _named(name, command), "settings")
    for home, note in _installed(folder / name):
        if launcher := _launcher(sought, home):
            return Program(name, launcher, "installed", note.get("version"))
    found = next(filter(None, map(shutil.which, sought.commands)), None)
    return Program(name, (found,), "system") if found else None


def _named(name: str, command: str) -> tuple[str, ...]:
    path = Path(os.path.expanduser(command))
    try:
        parts = [str(path)] if path.is_file() else shlex.split(command)
        first = shutil.which(os.path.expanduser(parts[0])) if parts else None
    except ValueError:
        first = None
    if first is None:
        raise SetupError(
            f"The settings name {command!r} for {name}, which cannot be run.",
            hint="Correct it, or leave it empty.",
        )
    return (first, *parts[1:])


def _installed(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """The complete environments of a program, the newest first."""
    found = []
    for note in folder.glob(f"*/{NOTE}"):
        with suppress(OSError, ValueError):
            found.append((note.parent, dict(json.loads(note.read_text("utf-8")))))
    return sorted(found, key=lambda one: str(one[1].get("made_at", "")), reverse=True)


def _scripts(home: Path) -> Path:
    return home / ("Scripts" if os.name == "nt" else "bin")


def _launcher(sought: Tool, home: Path) -> tuple[str, ...] | None:
    suffix = ".exe" if os.name == "nt" else ""
    scripts = _scripts(home)
    if not sought.module:
        program = scripts / f"{sought.commands[0]}{suffix}"
        return (str(program),) if program.is_file() else None
    python = scripts / f"python{suffix}"
    # Isolated: neither the folder that it runs in nor a person's own packages are looked into.
    return (str(python), "-I", "-u", "-X", "utf8", "-m", sought.module) if python.is_file() else None


def programs(commands: Mapping[str, str], folder: Path) -> dict[str, Program]:
    """All programs that are there, by name.

    Parameters
    ----------
    commands
        What the settings say, by name.

    Raises
    ------
    SetupError
        When the settings name something that is not there.
    """
    found = {name: find(name, command=commands.get(name, ""), folder=folder) for name in TOOLS}
    return {name: program for name, program in found.items() if program is not None}


def check(name: str, *, command: str = "", folder: Path) -> Health:
    """How a program is. Asks it for its version where nobody noted it, which may take a second."""
    sought = tool(name)
    # What would be set up is never used while the settings name another.
    installable = bool(sought.requirement) and not command

    def health(ok: bool, detail: str, hint: str = "") -> Health:
        return Health(name, sought.label, ok, detail, hint, installable)

    how = f"Run: sfa tools install {name}" if installable else sought.get
    if command:
        how = "Renew it as you installed it, or leave the setting empty."
    try:
        program = find(name, command=command, folder=folder)
        if program is None:
            return health(False, f"not installed; {sought.use}", how)
        version = program.version or _version(sought, program.command, _changed(program.command[0]))
    except SfaError as error:
        return health(False, error.message, error.hint or how)
    kind = Path(program.command[0]).stem if name == "deno" else name
    detail = f"{kind} {version}, {_place(program, folder)}"
    if kind in OLDEST and _numbers(version) < OLDEST[kind]:
        oldest = ".".join(map(str, OLDEST[kind]))
        return health(False, f"{detail}; version {oldest} is needed", how)
    days = _age(version) if name == "yt-dlp" else None
    if days is not None and days > OLD_DAYS:
        return health(True, f"{detail}; {days} days old, and services change", how)
    return health(True, detail)


def check_all(settings: Settings) -> list[Health]:
    """How each program is, as `check` tells; asks several at once."""
    from concurrent.futures import ThreadPoolExecutor

    commands = settings_commands(settings)
    with ThreadPoolExecutor(len(TOOLS)) as pool:
        return list(
            pool.map(lambda name: check(name, command=commands.get(name, ""), folder=settings.tools_folder), TOOLS)
        )


def settings_commands(settings: Settings) -> dict[str, str]:
    """The commands that the settings name, by the program's name."""
    return {"spotdl": settings.spotdl_command, "yt-dlp": settings.yt_dlp_command}


def _place(program: Program, folder: Path) -> str:
    if program.place == "installed":
        return f"installed in {folder / program.name}"
    return shlex.join(program.command)


def _changed(program: str) -> float:
    with suppress(OSError):
        return os.stat(program).st_mtime
    return 0.0


@cache
def _version(sought: Tool, command: tuple[str, ...], changed: float) -> str:
    """What a program says of its version; it is asked once for as long as its file is as it was (``changed``)."""
    ended = run_program([*command, sought.version], silence=VERSION_SILENCE, name=sought.label)
    found = re.search(r"\d+(?:\.\d+)+", " ".join(ended.lines[:3]))
    if ended.code or not found:
        reason = f": {ended.last}" if ended.last else f" (exit status {ended.code})"
        raise SetupError(f"{sought.label} does not run{reason}.")
    return found[0]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _age(version: str) -> int | None:
    """Days since a version that is a date; None where it is none."""
    try:
        return (datetime.now(UTC) - datetime(*_numbers(version), tzinfo=UTC)).days  # type: ignore[arg-type, misc]
    except (TypeError, ValueError):
        return None


def install(name: str, folder: Path, progress: Progress = silent) -> str:
    """Set a program up in an environment of its own, or a newer one in the place of that which is there.

    Parameters
    ----------
    name
        One of `TOOLS`.
    folder
        Where to; all libraries of a person share it.

    Returns
    -------
    str
        The version that is there now.

    Raises
    ------
    ParameterError
        When there is none of that name.
    SetupError
        When it cannot be set up here, and how to get it.
    ServiceError
        When the package index cannot be reached.
    RetryableJobError
        When that did not work out.
    """
    wanted = tool(name)
    if not wanted.requirement:
        raise SetupError(f"{wanted.label} cannot be set up from here.", hint=wanted.get)
    steps = Steps(progress)
    home = folder / name / uuid4().hex
    try:
        home.mkdir(parents=True)
    except OSError as error:
        raise SetupError(f"{folder} cannot be written: {error.strerror}.", hint="Set tools_dir.") from error
    try:
        steps.at(0.02)
        _make_environment(home)
        steps.at(0.1)
        _fill(home, wanted, steps)
        launcher = _launcher(wanted, home)
        if launcher is None:
            raise RetryableJobError(f"{wanted.requirement} was installed and {wanted.commands[0]} is not in it.")
        version = _version(wanted, launcher, 0.0)
        note = {"requirement": wanted.requirement, "version": version, "made_at": datetime.now(UTC).isoformat()}
        write_private(home / NOTE, json.dumps(note))
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise
    _clear(folder / name)
    steps.at(1)
    return version


def _make_environment(home: Path) -> None:
    bare = ["--without-pip"] if _own_pip() else []
    ended = run_program([sys.executable, "-I", "-m", "venv", *bare, "--", str(home)], silence=INSTALL_SILENCE)
    if ended.code:
        raise SetupError(
            f"Python could not make an environment: {ended.last or f'exit status {ended.code}'}.",
            hint="Debian: sudo apt install python3-venv",
        )


def _own_pip() -> bool:
    """Whether our own pip can fill another environment: that spares each a pip of its own."""
    try:
        return _numbers(metadata.version("pip")) >= (22, 3)
    except metadata.PackageNotFoundError:
        return False


def _fill(home: Path, wanted: Tool, steps: Steps) -> None:
    share = 0.1

    def hear(line: str) -> None:
        nonlocal share
        _log.info("%s", line)
        # How many packages there are is not known before the last: each takes a part of what is left.
        if line.startswith("Collecting "):
            share += (0.8 - share) * 0.06
        elif line.startswith("Installing "):
            share = 0.85
        steps.at(share)

    python = str(_scripts(home) / "python")
    pip = [sys.executable, "-I", "-m", "pip", "--python", python] if _own_pip() else [python, "-I", "-m", "pip"]
    options = ["--no-input", "--disable-pip-version-check", "--progress-bar=off"]
    arguments = [*pip, "install", *options, "--", wanted.requirement]
    ended = run_program(arguments, folder=home, hear=hear, silence=INSTALL_SILENCE, name="pip")
    if not ended.code:
        return
    said = "\n".join(ended.lines)
    if OFFLINE.search(said):
        raise ServiceError(f"{wanted.label} cannot be fetched: the package index cannot be reached.")
    raise _refused(wanted, ended)


def _refused(wanted: Tool, ended: Ended) -> SfaError:
    told = next((line for line in ended.errors if line.startswith("ERROR:")), ended.last)
    reason = told.removeprefix("ERROR:").strip()[:300] or f"exit status {ended.code}"
    return SetupError(
        f"{wanted.requirement} could not be installed: {reason}.".replace("..", "."),
        hint="Try it another day, or set it up yourself and name it in the settings.",
    )


def _clear(folder: Path) -> None:
    """Remove environments that nothing runs from any more: all but the newest two, and halves of some."""
    complete = [home for home, _ in _installed(folder)]
    old = time.time() - HALF_SECONDS
    for home in folder.iterdir():
        half = home not in complete
        with suppress(OSError):
            if home in complete[2:] or (half and home.stat().st_mtime < old):
                shutil.rmtree(home, ignore_errors=True)
