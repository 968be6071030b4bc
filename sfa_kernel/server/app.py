"""Starts the servers: the dashboard with its worker, and JupyterLab on the notebooks."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import socket
import sys
import threading
import warnings
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from sfa_kernel import resources
from sfa_kernel.errors import SetupError

if TYPE_CHECKING:
    from sfa_kernel.server.voila import DashboardServer

__all__ = ["dashboard_notebook", "notebooks_dir", "run_app", "run_lab"]

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
PACKAGE = Path(__file__).resolve().parents[1]
STOP_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
# A worker that ends by itself is started again after 1, 2, 4, ... seconds.
LONGEST_PAUSE = 60.0
# How long a notebook's kernel waits for its page to come back [s]: a restarted browser finds its variables again.
LEFT_ALONE = 3600


def run_app(home: Path, port: int | None = None, browser: bool = True) -> int:
    """Serve the dashboard until it is stopped.

    A worker process runs the jobs of the library meanwhile; it and all kernels end with this process.

    Parameters
    ----------
    home
        The library.
    port
        The port on this machine; a free one when None.
    browser
        Whether to open the page in the system's browser.

    Returns
    -------
    int
        The exit status.

    Raises
    ------
    SetupError
        When the port is taken, or the dashboard's notebook is not there.
    """
    notebook = dashboard_notebook()
    listening = _listen(port)
    # What the kernels of pages inherit. They leave the jobs to the worker: a page may close at any time.
    os.environ["SFA_HOME"] = str(home)
    os.environ["SFA_RUN_JOBS"] = "0"

    # Voila and JupyterLab take a second to import; `sfa --help` need not wait for them.
    from sfa_kernel.server.voila import DashboardServer

    _log_to_terminal()
    server = DashboardServer(home=home, notebook=notebook, sockets=[listening])
    try:
        asyncio.run(_serve(server, home, browser=browser))
    finally:
        listening.close()
        _end_children()
    return 0


def run_lab(home: Path, port: int | None = None, browser: bool = True) -> int:
    """Serve JupyterLab on the notebooks until it is stopped.

    Parameters
    ----------
    home
        The library.
    port
        The port on this machine; a free one when None.
    browser
        Whether to open the page in the system's browser.

    Returns
    -------
    int
        The exit status.

    Raises
    ------
    SetupError
        When the port is taken, or the notebooks are not there.
    """
    folder = notebooks_dir()
    with _listen(port) as probe:
        # Jupyter binds for itself; this only says early, and in one line, that the port is taken.
        chosen = probe.getsockname()[1]
    os.environ["SFA_HOME"] = str(home)

    from jupyter_server.utils import JupyterServerAuthWarning
    from jupyterlab.labapp import LabApp  # type: ignore[import-untyped]  # ships no types

    from sfa_kernel.server.voila import encryption

    _log_to_terminal()
    # Notes to the authors of Jupyter and its extensions; the person at the terminal can do nothing about them.
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", JupyterServerAuthWarning)
    token = secrets.token_urlsafe(32)
    first = next((path.name for path in sorted(folder.glob("*.ipynb"))), None)
    page = f"/lab/tree/{quote(first)}" if first else "/lab"
    # As arguments, not as defaults: nobody's Jupyter configuration shall open what is closed here.
    lab = LabApp.initialize_server(
        argv=[
            f"--ServerApp.ip={HOST}",
            f"--ServerApp.port={chosen}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={folder}",
            f"--ServerApp.open_browser={browser}",
            "--ServerApp.answer_yes=True",
            # Only this machine can reach it, and only with the token; a container often has no other user.
            "--ServerApp.allow_root=True",
            "--ServerApp.allow_unauthenticated_access=False",
            "--ServerApp.log_level=WARN",
            f"--KernelManager.transport_encryption={encryption()}",
            # Closing a notebook ends its kernel; this is for those whose page was left without closing it.
            f"--MappingKernelManager.cull_idle_timeout={LEFT_ALONE}",
            f"--MappingKernelManager.cull_interval={LEFT_ALONE // 10}",
            "--ServerApp.jpserver_extensions=jupyterlab=True",
            "--ServerApp.jpserver_extensions=sfa_kernel.server.extension=True",
            "--ServerApp.jpserver_extensions=voila.server_extension=False",  # it serves files to anybody
            f"--IdentityProvider.token={token}",
            "--LabApp.log_level=WARN",
            f"--LabApp.default_url={page}",
            # Nothing leaves the machine unasked: no news, no look for updates, no list of extensions.
            "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.extension_manager=readonly",
            f"--LabApp.app_settings_dir={PACKAGE / 'server' / 'lab'}",  # nor is the person asked about news
        ]
    )
    if hasattr(signal, "SIGHUP"):
        # Jupyter ends well on SIGTERM only; a closed terminal shall not leave kernels behind.
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    print(f"JupyterLab: http://{HOST}:{chosen}{page}?token={token}", flush=True)
    try:
        lab.start()
    finally:
        _end_children()
    return 0


def notebooks_dir() -> Path:
    """The folder of notebooks: the clone's, else a copy of the packaged ones in the current folder.

    Raises
    ------
    SetupError
        When there are none.
    """
    source = resources.folder("notebooks")
    if not source.is_relative_to(PACKAGE):
        return source
    folder = Path.cwd() / "notebooks"
    folder.mkdir(exist_ok=True)
    for notebook in source.glob("*.ipynb"):
        copy = folder / notebook.name
        if not copy.exists():  # somebody's own work stays
            copy.write_bytes(notebook.read_bytes())
    return folder


def dashboard_notebook() -> Path:
    """The notebook that is the dashboard.

    Raises
    ------
    SetupError
        When there is none.
    """
    notebook = resources.folder("voila_apps") / "dashboard.ipynb"
    if not notebook.is_file():
        raise SetupError("This installation has no dashboard.", hint="Install the package again.")
    return notebook


def _log_to_terminal() -> None:
    """Other commands end with one line for people; a server's window is also its log."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    # Jupyter's and tornado's settings for the same pings disagree in a way that harms nobody.
    logging.getLogger("tornado.general").addFilter(lambda record: "websocket_ping" not in record.getMessage())
    ours = logging.getLogger("sfa_kernel")
    ours.setLevel(min(ours.getEffectiveLevel(), logging.WARNING))


def _listen(port: int | None) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port or 0))
        listening.listen(128)
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise SetupError(
            f"Port {port} cannot be used: {reason}.", hint="Leave --port out to get a free one."
        ) from error
    listening.setblocking(False)
    return listening


async def _serve(server: DashboardServer, home: Path, *, browser: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    worker = asyncio.create_task(_keep_worker(home))

    def ready() -> None:
        print(f"Sound Forge Alchemy: {server.url}", flush=True)
        if browser:
            _open_browser(server.invite())

    try:
        await server.serve(stop, ready)
    finally:
        worker.cancel()
        with suppress(asyncio.CancelledError):
            await worker


async def _keep_worker(home: Path) -> None:
    """Keep one ``sfa worker`` running until cancelled."""
    pause = 1.0
    while True:
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "sfa_kernel", "--home", str(home), "worker"),
            # It ends when this pipe does, and so with us, however we end.
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            env={**os.environ, "SFA_PARENT_PID": str(os.getpid())},
            start_new_session=True,  # Ctrl-C is for us; we end the worker
        )
        started = asyncio.get_running_loop().time()
        try:
            status = await worker.wait()
        except asyncio.CancelledError:
            await _end_worker(worker)
            raise
        if asyncio.get_running_loop().time() - started > LONGEST_PAUSE:
            pause = 1.0
        logger.error("The worker ended with status %d; starting another in %.0f s.", status, pause)
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


async def _end_worker(worker: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        worker.terminate()
    try:
        await asyncio.wait_for(worker.wait(), timeout=8)
    except TimeoutError:
        with suppress(ProcessLookupError):
            worker.kill()
        await worker.wait()


def _end_children() -> None:
    """End whatever this process started and that has not ended by now."""
    import psutil

    children = psutil.Process().children(recursive=True)
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.terminate()
    _, alive = psutil.wait_procs(children, timeout=3)
    for child in alive:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    psutil.wait_procs(alive, timeout=3)


def _open_browser(url: str) -> None:
    """Open the page; some browsers' commands return only when they are closed, so not in our way."""

    def target() -> None:
        if not webbrowser.open(url):
            logger.warning("No browser found: open the address above yourself.")

    threading.Thread(target=target, daemon=True).start()
