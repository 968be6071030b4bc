"""Starting and ending: one line with the address, one worker, and nothing left behind."""

from __future__ import annotations

import signal
import socket
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from sfa_kernel.errors import SetupError
from sfa_kernel.server import app
from tests.server.launch import finish, start, wait_until, write_notebook

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.launch import Server


def test_the_address_is_this_machine_with_a_token(server: Server) -> None:
    assert server.url.startswith("http://127.0.0.1:")
    assert len(server.token) >= 32
    (listening,) = {
        connection.laddr.ip
        for connection in psutil.Process(server.process.pid).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == int(server.base.rsplit(":", 1)[1])
    }
    assert listening == "127.0.0.1"


def test_the_token_is_on_no_command_line(server: Server) -> None:
    family = [psutil.Process(server.process.pid), *server.descendants()]
    assert not any(server.token in word for process in family for word in process.cmdline())


def test_the_browser_gets_an_address_that_opens_once(tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    notebook = write_notebook(tmp_path / "dashboard.ipynb", "1")
    command = f'{sys.executable} -c "import pathlib, sys; pathlib.Path({str(opened)!r}).write_text(sys.argv[1])" %s'
    server = start("dashboard", tmp_path / "library", notebook=notebook, log=tmp_path / "log", browser=command)
    try:
        address = wait_until(lambda: opened.exists() and opened.read_text(), "the browser is started")
        assert address.startswith(f"{server.base}/?token=")
        assert server.token not in address
        with server.client(token=False) as browser, server.client(token=False) as stranger:
            assert browser.get(address).headers["location"] == "/"
            assert stranger.get(address).headers["location"].startswith("/login")
            assert browser.get("/").status_code == 200
    finally:
        finish(server)


def test_kernels_leave_the_jobs_to_the_worker(dashboard: Server) -> None:
    (worker,) = wait_until(lambda: dashboard.descendants("sfa_kernel", "worker"), "the worker runs")
    assert str(dashboard.home) in worker.cmdline()
    kernel = wait_until(dashboard.kernels, "a kernel stands ready")[0]
    environment = kernel.environ()
    assert environment["SFA_HOME"] == str(dashboard.home)
    assert environment["SFA_RUN_JOBS"] == "0"


def test_a_worker_that_fell_is_replaced(dashboard: Server) -> None:
    (worker,) = wait_until(lambda: dashboard.descendants("sfa_kernel", "worker"), "the worker runs")
    worker.kill()
    (another,) = wait_until(
        lambda: [w for w in dashboard.descendants("sfa_kernel", "worker") if w.pid != worker.pid],
        "another worker runs",
    )
    assert another.is_running()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_the_family_ends_with_the_server(tmp_path: Path, number: signal.Signals) -> None:
    notebook = write_notebook(tmp_path / "dashboard.ipynb", "1")
    server = start("dashboard", tmp_path / "library", notebook=notebook, log=tmp_path / "log")
    try:
        wait_until(server.kernels, "a kernel stands ready")
        wait_until(lambda: server.descendants("sfa_kernel", "worker"), "the worker runs")
        family = server.descendants()
        status = server.stop(number)
        assert status == (-signal.SIGKILL if number == signal.SIGKILL else 0), server.log.read_text()
        _, left = psutil.wait_procs(family, timeout=15)
        assert not left
    finally:
        finish(server)


@pytest.mark.parametrize("run", [app.run_app, app.run_lab])
def test_a_taken_port_is_said_at_once(tmp_path: Path, run: object) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SetupError, match=f"Port {port} cannot be used"):
            run(tmp_path, port, False)  # type: ignore[operator]


def test_packaged_notebooks_are_copied_and_ones_own_work_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packaged = tmp_path / "package" / "assets" / "notebooks"
    packaged.mkdir(parents=True)
    (packaged / "01.ipynb").write_text("new")
    (packaged / "02.ipynb").write_text("new")
    here = tmp_path / "here"
    (here / "notebooks").mkdir(parents=True)
    (here / "notebooks" / "01.ipynb").write_text("my work")
    monkeypatch.chdir(here)
    monkeypatch.setattr(app, "PACKAGE", tmp_path / "package")
    monkeypatch.setattr(app.resources, "folder", lambda _: packaged)
    folder = app.notebooks_dir()
    assert folder == here / "notebooks"
    assert [(folder / name).read_text() for name in ("01.ipynb", "02.ipynb")] == ["my work", "new"]
