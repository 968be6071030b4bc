"""The dashboard's server: a small Voila application of our own.

What it changes against stock Voila: a kernel ends when its page is left, a browser reaches only the kernels of
its own pages, nothing is served without the token, the page asks nothing from other machines, and our routes
are there.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.auth.decorator import authorized
from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.auth.login import LoginFormHandler
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from tornado import web
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from traitlets.config import Config
from voila.app import Voila
from voila.configuration import VoilaConfiguration
from voila.request_info_handler import RequestInfoSocketHandler
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.static_file_handler import AllowListFileHandler
from voila.tornado.handler import TornadoVoilaHandler

from sfa_kernel import errors
from sfa_kernel.server.handlers import HEADERS, Verb, routes

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

__all__ = ["PAGE_POLICY", "DashboardServer", "encryption"]

logger = logging.getLogger(__name__)

TEMPLATES = Path(__file__).parent / "templates"
TITLE = "Sound Forge Alchemy"

# What a page may load and reach. anywidget imports its modules from blob: addresses, and Voila's page has inline
# scripts; everything else is this server's own.
PAGE_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)

# Only what the page needs: extensions made for another JupyterLab break Voila's page.
EXTENSIONS = ["anywidget", "@jupyter-widgets/jupyterlab-manager", "@voila-dashboards/widgets-manager8"]

# A kernel ends when its page says goodbye. These are for pages that could not: a crash, a lost network [s].
IDLE_TIMEOUT = 900
IDLE_CHECK = 60

# How long the browser that we start may take to ask for the page [s].
INVITATION = 120.0

# How many kernels that fell while they waited are passed over for one page.
ATTEMPTS = 3


class TokenIdentity(IdentityProvider):
    """One token for the person of this machine; a browser that showed it keeps a cookie."""

    _invitation: tuple[str, float] | None = None

    def invite(self) -> str:
        """A token that opens the page once, and soon: the command line of a browser is there for all to see."""
        token = secrets.token_urlsafe(32)
        self._invitation = (token, time.monotonic() + INVITATION)
        return token

    async def get_user_token(self, handler: web.RequestHandler) -> User | None:
        """Accept the token, or an invitation."""
        if self._invitation is not None:
            token, end = self._invitation
            if hmac.compare_digest((self.get_token(handler) or "").encode(), token.encode()):
                self._invitation = None
                return self.generate_anonymous_user(handler) if time.monotonic() < end else None
        return await super().get_user_token(handler)

    def get_handlers(self) -> list[tuple[str, object]]:
        """The sign-in page."""
        return [(r"/login", LoginHandler)]

    def process_login_form(self, handler: web.RequestHandler) -> User | None:
        """Accept the token as the password."""
        typed = handler.get_argument("password", default="").strip()
        if hmac.compare_digest(typed.encode(), self.token.encode()):
            return self.generate_anonymous_user(handler)
        return None


class KernelOwners(Authorizer):
    """Lets a browser reach our routes, and the kernels of its own pages."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._owners: dict[str, str] = {}
        self._ending: set[str] = set()

    @property
    def _kernels(self) -> Any:
        return cast("DashboardServer", self.parent).kernel_manager

    def claim(self, kernel_id: str, user: User) -> None:
        """From now on this kernel belongs to a page of this user's browser."""
        self._owners = {kernel: name for kernel, name in self._owners.items() if kernel in self._kernels}
        self._owners[kernel_id] = user.username

    async def end(self, kernel_id: str) -> None:
        """End a kernel; does nothing when it has ended or somebody is at it."""
        if kernel_id in self._ending:
            return
        self._ending.add(kernel_id)
        try:
            if kernel_id in self._kernels:
                await self._kernels.shutdown_kernel(kernel_id)
        finally:
            self._ending.discard(kernel_id)
            self._owners.pop(kernel_id, None)

    def is_authorized(self, handler: JupyterHandler, user: User, action: str, resource: str) -> bool:
        """Refuse whatever is not named here."""
        if resource in {"sfa-audio", "sfa-art", "sfa-exports"}:
            return action == "read"
        if resource == "kernels":
            return self._owners.get(handler.path_kwargs.get("kernel_id", "")) == user.username
        return False


class OwnKernel(KernelSpecManager):
    """The kernel of this very Python: somebody's own kernel of the same name knows nothing of this package."""

    def _kernel_dirs_default(self) -> list[str]:
        return []


class LoginHandler(LoginFormHandler):
    """The sign-in page, in our own look."""

    def _render(self, message: dict[str, str] | None = None) -> None:
        template = self.settings["voila_jinja2_env"].get_template("login.html")
        page = template.render(
            title=TITLE,
            action=f"{self.base_url}login?{urlencode({'next': self.get_argument('next', self.base_url)})}",
            xsrf=self.xsrf_token.decode(),
            error=(message or {}).get("error"),
        )
        self.write(page)


class _ClaimingManager:
    """The kernel manager as a page sees it: whatever kernel it hands out is claimed for that page's user."""

    def __init__(self, manager: Any, claim: Callable[[str], None]) -> None:
        self._manager = manager
        self._claim = claim

    def __getattr__(self, name: str) -> Any:
        return getattr(self._manager, name)

    async def get_rendered_notebook(self, notebook_name: str, **kwargs: Any) -> tuple[Any, list[str], str]:
        rendered: tuple[Any, list[str], str]
        for _ in range(ATTEMPTS):
            try:
                rendered = await self._manager.get_rendered_notebook(notebook_name=notebook_name, **kwargs)
            except Exception:
                # The kernel kept ready did not start. Voila would never try again.
                self._manager.fill_if_needed(notebook_name=notebook_name)
                raise
            if rendered[2] in self._manager:
                break  # else it fell while it waited; the next one is starting already
        self._claim(rendered[2])
        return rendered

    async def start_kernel(self, **kwargs: Any) -> str:
        kernel_id: str = await self._manager.start_kernel(**kwargs)
        self._claim(kernel_id)
        return kernel_id


class PageHandler(TornadoVoilaHandler):  # type: ignore[misc]  # Voila ships no types
    """The dashboard page."""

    _kernel_id: str | None = None

    @property
    def kernel_manager(self) -> _ClaimingManager:
        """Voila's manager; notes which kernel this page got."""
        return _ClaimingManager(self.settings["kernel_manager"], self._claim)

    def _claim(self, kernel_id: str) -> None:
        self._kernel_id = kernel_id
        self.authorizer.claim(kernel_id, self.current_user)

    async def prepare(self, *args: Any, **kwargs: Any) -> None:
        """Set the cookie that Voila's page sends back when it is left; stock Voila forgets to."""
        await super().prepare(*args, **kwargs)
        if not self._finished:
            self.xsrf_token  # noqa: B018 - reading it sets the cookie

    @web.authenticated
    async def get(self, path: str | None = None) -> None:
        """Send the page."""
        if path:
            raise web.HTTPError(404)
        if "token" in self.request.query_arguments:
            # The cookie is set: keep the token out of the address bar, the history and the kernels' environments.
            rest = {name: self.get_query_arguments(name) for name in self.request.query_arguments}
            del rest["token"]
            self.redirect(self.base_url + (f"?{urlencode(rest, doseq=True)}" if rest else ""))
            return
        await super().get(path)

    def should_use_rendered_notebook(self, notebook_data: dict[str, Any], pool_size: int, *_: object) -> bool:
        """Whether a kernel stands ready. The address chooses neither template nor theme here."""
        return pool_size > 0 and bool(notebook_data)

    def on_connection_close(self) -> None:
        """End the kernel of a page that was left before it had loaded: it cannot say goodbye itself."""
        super().on_connection_close()
        if self._kernel_id is not None:
            IOLoop.current().add_callback(self.authorizer.end, self._kernel_id)


# Action and resource spelled out; see `handlers`.
ends_kernel: Callable[[Verb], Verb] = authorized("write", "kernels")


class GoodbyeHandler(APIHandler):
    """``POST {base}/voila/api/shutdown/<kernel>``: its page is left."""

    @web.authenticated
    @ends_kernel
    async def post(self, kernel_id: str) -> None:
        """End the kernel."""
        await cast("KernelOwners", self.authorizer).end(kernel_id)
        self.set_status(204)


class DashboardServer(Voila):  # type: ignore[misc]  # Voila ships no types
    """Serves one notebook as a page, to this machine only and behind a token.

    Parameters
    ----------
    home
        The library whose audio the routes serve.
    notebook
        The notebook to serve.
    sockets
        Where to listen, bound already.
    """

    template_paths: list[str]

    def __init__(self, *, home: Path, notebook: Path, sockets: list[socket.socket]) -> None:
        host, port = sockets[0].getsockname()[:2]
        super().__init__(
            ip=host,
            port=port,
            token=secrets.token_urlsafe(32),
            notebook_path=str(notebook),
            open_browser=False,
            identity_provider_class=TokenIdentity,
            authorizer_class=KernelOwners,
            log_level=logging.WARNING,
            config=_config(),
        )
        self.home = home
        self._sockets = sockets
        # Neither the command line nor anybody's Voila configuration is read: it could open what is closed here.
        self._init_asyncio_patch()
        self.voila_configuration = VoilaConfiguration(parent=self)
        self.setup_template_dirs()

    @property
    def url(self) -> str:
        """Where the page is, with the token."""
        return f"http://{self.ip}:{self.port}{self.base_url}?token={self.token}"

    def invite(self) -> str:
        """Where the page is for the browser that we start: good for one visit, and soon."""
        token = cast("TokenIdentity", self.identity_provider).invite()
        return f"http://{self.ip}:{self.port}{self.base_url}?token={token}"

    def setup_template_dirs(self) -> None:
        """Look for templates in our own folder first."""
        super().setup_template_dirs()
        self.template_paths = [str(TEMPLATES), *self.template_paths]

    def init_settings(self) -> dict[str, Any]:
        """The settings of the tornado application."""
        settings: dict[str, Any] = super().init_settings()
        settings.update(
            sfa_home=self.home,
            headers={**HEADERS, "Content-Security-Policy": PAGE_POLICY},
            allow_remote_access=False,  # a name that points here is no invitation (DNS rebinding)
            xsrf_cookie_kwargs={"samesite": "Strict"},
            log_function=_log_request,
        )
        # It warns that nobody has signed the notebook. It is ours, and its outputs are not shown anyway.
        self.contents_manager.log = logger.getChild("contents")
        self.contents_manager.log.setLevel(logging.ERROR)
        return settings

    def init_handlers(self) -> list[tuple[Any, ...]]:
        """Voila's routes, ours in front, and without those that ask nobody who they are."""
        replaced = {TornadoVoilaHandler: PageHandler, VoilaShutdownKernelHandler: GoodbyeHandler}
        handlers: list[tuple[Any, ...]] = list(routes(self.server_url))
        for pattern, handler, *rest in super().init_handlers():
            if handler in {AllowListFileHandler, RequestInfoSocketHandler}:
                continue
            if handler is VoilaShutdownKernelHandler:
                pattern = pattern.replace("(.*)", "(?P<kernel_id>[0-9a-f-]+)")
            handlers.append((pattern, replaced.get(handler, handler), *rest))
        if not set(replaced.values()) <= {handler for _, handler, *_ in handlers}:
            raise errors.SetupError("This release of Voila is not known here.", hint="Install voila 0.5.13.")
        return handlers

    async def serve(self, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Serve until ``stop`` is set; calls ``ready`` as soon as requests are answered."""
        self.connection_dir = tempfile.mkdtemp(prefix="sfa-kernels-")
        try:
            self.app = web.Application(**self.init_settings())
            self.app.add_handlers(".*$", self.init_handlers())
            server = HTTPServer(self.app)
            server.add_sockets(self._sockets)
            ready()
            await stop.wait()
            server.stop()
            try:
                await asyncio.wait_for(self.kernel_manager.shutdown_all(now=True), timeout=10)
            except Exception:
                # A kernel that is still being started may refuse; whoever called us ends all that is left.
                logger.warning("A kernel did not end in order", exc_info=True)
            await server.close_all_connections()
        finally:
            shutil.rmtree(self.connection_dir, ignore_errors=True)


def encryption() -> str:
    """The ``transport_encryption`` for kernels: other users of this machine may listen on its ports."""
    import zmq

    return "auto" if zmq.has("curve") else "disabled"


def _config() -> Config:
    config = Config()
    config.VoilaConfiguration.update(
        theme="dark",
        allow_template_override="NO",
        allow_theme_override="NO",
        preheat_kernel=True,
        default_pool_size=1,
        extension_allowlist=EXTENSIONS,
        show_tracebacks=True,  # our template turns an error into one sentence, and leaves the rest to the log
        resources={"sfa": {"title": TITLE, "known_errors": errors.__all__}},
    )
    config.TokenIdentity.cookie_options = {"samesite": "Lax"}
    config.MappingKernelManager.cull_idle_timeout = IDLE_TIMEOUT
    config.MappingKernelManager.cull_interval = IDLE_CHECK
    # A kernel that fell is not started again: the page's widgets would not be in the new one.
    config.KernelRestarter.restart_limit = 0
    config.VoilaConfiguration.kernel_spec_manager_class = OwnKernel
    config.KernelManager.transport_encryption = encryption()
    return config


def _log_request(handler: web.RequestHandler) -> None:
    # The path without its query: the token may be in there.
    level = logging.ERROR if handler.get_status() >= 500 else logging.DEBUG
    logger.log(level, "%d %s %s", handler.get_status(), handler.request.method, handler.request.path)
