"""How long a page takes to become usable in a real browser that has never seen it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.first_run import chromium
from benchmarks.tracker_sides.side import View

WINDOW = {"width": 1280, "height": 900}
LOOK_EVERY_MS = 50
PICTURE_MS = 20_000
# Trackers ask servers elsewhere for news and count visits there: without an answer, alike on every machine.
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@contextmanager
def browsing() -> Iterator[Any]:
    """Give a browser that has started."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", ALONE]
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        # Its first tab waits for the browser's own beginning.
        browser.new_page().close()
        yield browser
        browser.close()


def open_view(browser: Any, address: str, view: View, patience_s: float, picture: Path) -> tuple[float, str]:
    """Open a page in a profile of its own, with nothing kept from before.

    Args:
        picture: Where to keep what was on the screen when patience ended.

    Returns:
        Seconds from the asking for the address until two frames after the page was usable, and 'measured'; NaN and
        what happened where that did not come.
    """
    from playwright.sync_api import Error, TimeoutError

    context = browser.new_context(viewport=WINDOW)
    page = context.new_page()
    try:
        begin = time.perf_counter()
        page.goto(address + view.path, wait_until="commit", timeout=1000 * patience_s)
        left_s = max(0.1, begin + patience_s - time.perf_counter())
        page.wait_for_function(view.is_usable, polling=LOOK_EVERY_MS, timeout=1000 * left_s)
        page.evaluate(TWO_FRAMES)
        return time.perf_counter() - begin, "measured"
    except TimeoutError:
        with suppress(Error):
            page.screenshot(path=picture, timeout=PICTURE_MS)
        return float("nan"), f"not within {patience_s:g} s"
    except Error as error:
        return float("nan"), f"not measured: {str(error).splitlines()[0]}"
    finally:
        context.close()
