"""The page around the dashboard, with a tiny widget in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.server.launch import Server, wait_until, write_notebook

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import BrowserContext

    from tests.browser.conftest import Watch

WIDGET = '''
import anywidget, traitlets


class Counter(anywidget.AnyWidget):
    _esm = """
    export default {
      render({ model, el }) {
        const button = document.createElement("button");
        const show = () => { button.textContent = `pressed ${model.get("count")} times`; };
        button.style.cssText = "display: block; width: 100%; height: 100vh";
        button.onclick = () => model.send({ press: 1 });
        model.on("change:count", show);
        show();
        el.append(button);
      },
    };
    """
    count = traitlets.Int(0).tag(sync=True)


counter = Counter()
counter.on_msg(lambda widget, content, buffers: setattr(widget, "count", widget.count + content["press"]))
counter
'''


@pytest.fixture(scope="module")
def server(launch: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    folder = tmp_path_factory.mktemp("counter")
    return launch("dashboard", folder / "library", write_notebook(folder / "counter.ipynb", "print('noise')", WIDGET))


def running(server: Server, kernel_id: str) -> bool:
    return any(any(kernel_id in word for word in kernel.cmdline()) for kernel in server.kernels())


def test_the_widget_fills_the_page_and_talks_to_its_kernel(server: Server, watch: Watch) -> None:
    page = watch.page
    page.goto(server.url)
    button = page.get_by_role("button")
    button.click()
    page.get_by_text("pressed 1 times").wait_for()
    assert page.title() == "Sound Forge Alchemy"
    assert page.url == f"{server.base}/"
    assert not page.get_by_text("Opening the studio").is_visible()
    assert not page.get_by_text("noise").is_visible()
    assert button.bounding_box() == {"x": 0, "y": 0, "width": 1280, "height": 800}
    assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [1280, 800]


def test_no_request_leaves_the_machine_and_nothing_complains(server: Server, watch: Watch) -> None:
    watch.page.goto(server.url)
    watch.page.get_by_role("button").wait_for()
    watch.page.wait_for_load_state("networkidle")
    assert watch.hosts() == {server.base.removeprefix("http://")}
    assert any(url.startswith("ws://") for url in watch.requests)
    assert watch.refused == []
    assert watch.complaints == []


def test_the_policy_blocks_what_would_leave(server: Server, watch: Watch) -> None:
    page = watch.page
    page.goto(server.url)
    page.get_by_role("button").wait_for()
    blocked = page.evaluate(
        """async () => {
          const heard = [];
          document.addEventListener("securitypolicyviolation", (event) => heard.push(event.effectiveDirective));
          await fetch("http://outside.invalid/").catch(() => {});
          await new Promise((done) => {
            const picture = new Image();
            picture.onload = picture.onerror = done;
            picture.src = "http://outside.invalid/a.png";
          });
          await import("http://outside.invalid/a.js").catch(() => {});
          return heard;
        }"""
    )
    assert {"connect-src", "img-src"} <= set(blocked)
    assert any(directive.startswith("script-src") for directive in blocked)


@pytest.mark.parametrize("leave", ["navigate", "close", "reload"])
def test_leaving_the_page_ends_its_kernel(server: Server, watch: Watch, leave: str) -> None:
    page = watch.page
    page.goto(server.url)
    page.get_by_role("button").wait_for()
    kernel = watch.kernel_id()
    assert running(server, kernel)
    if leave == "navigate":
        page.goto("about:blank")
    elif leave == "close":
        page.close(run_before_unload=True)
    else:
        page.reload()
        page.get_by_role("button").wait_for()
        assert watch.kernel_id() != kernel
    wait_until(lambda: not running(server, kernel), "the kernel has ended")


def test_coming_back_opens_the_page_anew(server: Server, watch: Watch) -> None:
    page = watch.page
    page.goto(server.url)
    page.get_by_role("button").click()
    page.get_by_text("pressed 1 times").wait_for()
    page.goto(f"{server.base}/sfa/health")
    page.go_back()
    page.get_by_text("pressed 0 times").click()
    page.get_by_text("pressed 1 times").wait_for()


def test_a_page_whose_kernel_fell_says_so(server: Server, watch: Watch) -> None:
    page = watch.page
    page.goto(server.url)
    page.get_by_role("button").wait_for()
    kernel = watch.kernel_id()
    # The page's kernel and the one that waits for the next page.
    for process in server.kernels():
        process.kill()
    page.get_by_text("lost its connection").wait_for()
    page.get_by_role("button", name="Open it again").click()
    page.get_by_text("pressed 0 times").click()
    page.get_by_text("pressed 1 times").wait_for()
    assert not running(server, kernel)


def test_a_stranger_signs_in_by_hand(server: Server, watch: Watch, context: BrowserContext) -> None:
    page = watch.page
    page.goto(server.base)
    page.get_by_label("Paste the token").fill("guess")
    page.get_by_role("button", name="Open the studio").click()
    page.get_by_text("This is not the token").wait_for()
    page.get_by_label("Paste the token").fill(server.token)
    page.get_by_role("button", name="Open the studio").click()
    page.get_by_text("pressed 0 times").wait_for()
    assert watch.hosts() == {server.base.removeprefix("http://")}
    assert all(cookie["sameSite"] in {"Lax", "Strict"} for cookie in context.cookies())


@pytest.mark.parametrize(("scheme", "background"), [("dark", "rgb(16, 18, 22)"), ("light", "rgb(255, 255, 255)")])
def test_the_page_is_dark_or_light_as_the_system(server: Server, watch: Watch, scheme: str, background: str) -> None:
    watch.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    watch.page.goto(server.base)
    assert watch.page.evaluate("getComputedStyle(document.body).backgroundColor") == background


def test_an_error_is_one_sentence_with_a_way_out(
    launch: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory, watch: Watch
) -> None:
    folder = tmp_path_factory.mktemp("broken")
    source = "from sfa_kernel.errors import SetupError\nraise SetupError('The library is on a disk that is not there.')"
    server = launch("dashboard", folder / "library", write_notebook(folder / "broken.ipynb", source, "print('on')"))
    watch.page.goto(server.url)
    alert = watch.page.get_by_role("alert")
    alert.wait_for()
    assert alert.inner_text().split("\n")[0] == "The studio could not open"
    assert "The library is on a disk that is not there." in alert.inner_text()
    assert alert.get_by_role("button", name="Try again").is_visible()
