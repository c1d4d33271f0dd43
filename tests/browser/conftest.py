"""A server over a store of its own and tabs of a real browser.

The browser is `$CNNLAB_CHROMIUM`, else Debian's, else Playwright's own; without one
the tests are skipped and say so.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import CHROMIUM_ARGS, Server, Tab, find_chromium


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    yield from _served(tmp_path)


def _served(folder: Path) -> Iterator[Server]:
    made = Server(folder)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def idle_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that need no store of their own and leave nothing in it."""
    yield from _served(tmp_path_factory.mktemp("idle"))


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="the Playwright package is not installed")
    playwright.expect.set_options(timeout=180_000)  # the machine may be slow; what never comes still fails
    with playwright.sync_playwright() as driver:
        try:
            made = driver.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGS)
        except playwright.Error as error:
            pytest.skip(f"no Chromium to drive ({str(error).splitlines()[0]}); set CNNLAB_CHROMIUM")
        yield made
        made.close()


@pytest.fixture
def open_tab(browser, server: Server) -> Iterator[Callable[..., Tab]]:
    contexts = []

    def make(width: int = 1280, height: int = 900, color_scheme: str = "light") -> Tab:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=color_scheme)
        contexts.append(context)
        return Tab(context, server.url)

    yield make
    for context in contexts:
        context.close()
