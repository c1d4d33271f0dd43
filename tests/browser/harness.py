"""The real server, and a browser tab that knows when Streamlit has finished."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from cnnlab.files import read_json
from cnnlab.processes import is_alive

PROJECT = Path(__file__).parents[2]


def views(first: tuple[int, str], *others: tuple[int, str]) -> list[tuple[int, str]]:
    """Return width and scheme of the views that a page is looked at in: one, or with `CNNLAB_SLOW_TESTS` all."""
    return [first, *others] if os.environ.get("CNNLAB_SLOW_TESTS") else [first]


READY = '[data-testid="stApp"][data-test-script-state="notRunning"][data-test-connection-state="CONNECTED"]'
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
]
# The browser's own noise, which says nothing about the product.
HARMLESS = ("net::ERR_CONNECTION_REFUSED", "WebSocket connection to", "[Violation]")
# Streamlit's page asks below a deep link's path first, before it finds the server's root.
PROBES = ("/_stcore/health", "/_stcore/host-config")


def find_chromium() -> str | None:
    """Return the browser to drive, or None when only Playwright's own may exist."""
    named = os.environ.get("CNNLAB_CHROMIUM")
    if named:
        return named
    return next(
        (path for path in ("/usr/bin/chromium", shutil.which("chromium")) if path and Path(path).exists()), None
    )


def wait_until(is_true: Callable[[], bool], what: str, timeout_s: float = 180) -> None:
    """Poll `is_true` until it holds, or fail naming `what` was waited for."""
    deadline = time.monotonic() + timeout_s
    while not is_true():
        if time.monotonic() > deadline:
            raise AssertionError(f"Waited {timeout_s:g} s in vain for {what}.")
        time.sleep(0.1)


class Server:
    """`python -m cnnlab dashboard` on a free port over a store of its own."""

    def __init__(self, folder: Path):
        self.store = folder / "store"
        self.log = folder / "server.log"
        self.port = _free_port()
        self.environment = {
            **os.environ,
            "CNNLAB_STORE": str(self.store),
            "CNNLAB_QUEUE": str(folder / "queue.sqlite"),
            "CNNLAB_SLOTS": "1",
            "CUDA_VISIBLE_DEVICES": "-1",
            "PYTHONUNBUFFERED": "1",
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "cnnlab", "dashboard", "--port", str(self.port)]
        command += ["--store", str(self.store), "--no-browser"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=PROJECT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        wait_until(self._is_ready, f"the dashboard to answer; its log: {self.log}", timeout_s=120)

    def kill(self) -> None:
        """End the server as a crash would."""
        assert self.process is not None
        for process in [*psutil.Process(self.process.pid).children(recursive=True), psutil.Process(self.process.pid)]:
            # Runs live in sessions of their own and are no business of this method.
            with suppress(ProcessLookupError, psutil.Error):
                if os.getsid(process.pid) == self.process.pid:
                    process.kill()
        self.process.wait(30)
        self.process = None

    def stop(self) -> None:
        """End the server and whatever its runs left behind."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(15)
            if self.process.poll() is None:
                self.kill()
        for status in self.store.glob("runs/*/status.json"):
            _end_run(read_json(status, {}) or {})

    def _is_ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"The dashboard ended with {self.process.returncode}:\n{self.log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _end_run(status: dict) -> None:
    for pid, created in (("pid", "pid_created"), ("child_pid", "child_created")):
        # A made-up run may name this very process as its parent.
        if status.get(pid) != os.getpid() and is_alive(status.get(pid), status.get(created)):
            with suppress(psutil.Error):
                psutil.Process(status[pid]).kill()


class Tab:
    """One browser tab that knows when Streamlit has finished, and keeps what the console said."""

    def __init__(self, context, url: str):
        self.url = url
        self.page = context.new_page()
        self.page.set_default_timeout(180_000)
        self.errors: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, path: str = "/") -> None:
        self.page.goto(self.url + path)
        self.settle()

    def settle(self) -> None:
        """Wait until the script has run and every element of the old run is gone."""
        self.page.wait_for_selector(READY)
        self.page.wait_for_function("() => !document.querySelector('[data-stale=\"true\"]')")

    def says(self, text: str) -> bool:
        """Return whether the page shows a text now."""
        return self.page.get_by_text(text).first.is_visible()

    def overflow_px(self) -> int:
        """Return by how much the page is wider than the window."""
        return int(
            self.page.evaluate(
                """() => Math.max(...['[data-testid="stMain"]', 'body'].map(q => document.querySelector(q))
                   .filter(Boolean).map(e => e.scrollWidth - e.clientWidth))"""
            )
        )

    def problems(self) -> list[str]:
        """Return the text of every red box and traceback on the page."""
        boxes = '[data-testid="stException"], [data-testid="stAlertContentError"]'
        return [box.inner_text() for box in self.page.locator(boxes).all()]

    def _note(self, message) -> None:
        address = str(message.location.get("url", ""))
        is_harmless = any(word in message.text for word in HARMLESS) or address.endswith(PROBES)
        if message.type == "error" and not is_harmless:
            self.errors.append(f"{message.text} {address}")
