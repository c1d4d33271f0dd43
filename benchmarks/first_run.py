"""What a newcomer waits for: the first page, the first batch, the first trained network.

    python -m benchmarks.first_run              # 5 repeats of each, two to three minutes
    python -m benchmarks.first_run --repeats 3

Starts the real dashboard, opens it in a real browser, submits LeNet-5 on `digits` with the
defaults and waits for what the goals name: a page that can be used (warm server: the second
visit on), the first finished batch after the submission, the end of the training.
"""

import argparse
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.report import write_results
from cnnlab.config import config_from_dict
from cnnlab.launch.queue import Queue
from cnnlab.runs.status import ENDED, settle
from cnnlab.runs.store import Store
from cnnlab.submit import submit_runs

LIBRARIES = ("streamlit", "tensorflow", "keras", "numpy")
USABLE = "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"
PAGES = ("/", "/train", "/runs")
PATIENCE_S = 300.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["CNNLAB_STORE"] = str(Path(folder) / "store")
        os.environ["CNNLAB_QUEUE"] = str(Path(folder) / "queue.sqlite")
        rows = [row for seed in range(repeats) for row in train_once(seed)]
        with dashboard() as address:
            rows += [row for repeat in range(repeats) for row in open_pages(address, repeat)]
    report(rows)
    write_results("first_run", rows, LIBRARIES)


def train_once(seed: int) -> list[dict[str, Any]]:
    """Submit one default run of digits and LeNet-5 and return what it took."""
    store, queue = Store(), Queue()
    begin = time.perf_counter()
    (run_id,) = submit_runs(store, config_from_dict({"training": {"seed": seed}}), queue=queue)
    submitted_s = time.perf_counter() - begin
    wait_for(lambda: settle(store.run_dir(run_id)).state in ENDED)
    result = store.read_result(run_id)
    if result is None:
        raise SystemExit(f"The run {run_id} failed: {store.log_tail(run_id, lines=20)}")
    return [
        row("submit returns", "s", submitted_s, seed),
        row("submission to first finished batch", "s", seconds_to(store, run_id, "first_batch"), seed),
        row("training, 20 epochs", "s", result["train_s"], seed),
        row("test accuracy", "share", result["test"]["label"]["accuracy"], seed),
    ]


def seconds_to(store: Store, run_id: str, event: str) -> float:
    """Return the time from the submission of a run to an event of its journal."""
    queued = settle(store.run_dir(run_id)).queued_at
    found = next(line["time"] for line in store.events(run_id) if line["event"] == event)
    return (datetime.fromisoformat(found) - datetime.fromisoformat(str(queued))).total_seconds()


def open_pages(address: str, repeat: int) -> list[dict[str, Any]]:
    """Open each page in a browser that has the files of the page already, and return what it took."""
    from playwright.sync_api import sync_playwright

    rows = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        for path in PAGES:
            for visit in ("first", "again"):
                begin = time.perf_counter()
                page.goto(address + path)
                page.wait_for_selector(USABLE, timeout=1000 * PATIENCE_S)
                rows.append(row(f"page {path}, {visit} visit", "s", time.perf_counter() - begin, repeat))
        browser.close()
    return rows


@contextlib.contextmanager
def dashboard() -> Iterator[str]:
    """Serve the dashboard on a free port and give its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "cnnlab", "dashboard", "--port", str(port), "--no-browser"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: answers(f"{address}/_stcore/health"))
        yield address
    finally:
        server.terminate()
        server.wait()


def answers(address: str) -> bool:
    """Return whether a server answers."""
    try:
        with urllib.request.urlopen(address, timeout=2):
            return True
    except OSError:
        return False


def chromium() -> str | None:
    """Return the browser of the tests, None for Playwright's own."""
    named = os.environ.get("CNNLAB_CHROMIUM", "/usr/bin/chromium")
    return named if Path(named).exists() else None


def wait_for(condition: Callable[[], object]) -> None:
    """Look often until a condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"Nothing came within {PATIENCE_S:.0f} s.")
        time.sleep(0.02)


def row(measurement: str, unit: str, value: float, repeat: int) -> dict[str, Any]:
    """Return one measured value."""
    return {"measurement": measurement, "unit": unit, "value": value, "repeat": repeat}


def report(rows: list[dict[str, Any]]) -> None:
    """Print median and range of each measurement."""
    for name in dict.fromkeys(one["measurement"] for one in rows):
        values = [one["value"] for one in rows if one["measurement"] == name]
        spread = f"from {min(values):.3f} to {max(values):.3f}, n = {len(values)}"
        print(f"{name:<40} median {statistics.median(values):8.3f}   {spread}")


if __name__ == "__main__":
    main()
