"""How long a person waits at the table of 10,000 runs: list, find, filter, sort, turn the page, tick, compare 20.

    python -m benchmarks.browsing                       # makes the store of benchmarks.store, several minutes
    python -m benchmarks.browsing --store DIR           # keeps it there, and takes it from there again
    python -m benchmarks.browsing --store DIR --repeats 21

The real server and a real browser. The clock is the page's own: from the press of a key or button until the
script has ended, nothing on the page is old, what was asked for is there, and two more frames were drawn.
Beside it stands the processor time of the server and of the browser, which other work on the machine changes
less. The first visit in a tab, which loads the program of the charts too, has rows of its own.
"""

import argparse
import os
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import psutil

from benchmarks.first_run import chromium, dashboard
from benchmarks.report import write_results
from benchmarks.store import make_store
from cnnlab.runs import fields, queries, tables
from cnnlab.runs.schema import PREDICTIONS
from cnnlab.runs.store import Store

LIBRARIES = ("streamlit", "polars", "plotly")
GOAL_MS = 500.0
COMPARED = 20
PATIENCE_MS = 120_000
# In the page: `wait(holds)` is told before the deed, which it times from its first event.
CLOCK = """
(() => {
  const READY = '[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]';
  let began = 0;
  const begin = () => { if (began === 0) began = performance.now(); };
  for (const kind of ['pointerdown', 'input']) document.addEventListener(kind, begin, true);
  window.table = (key) => {
    const host = [...document.querySelectorAll(`.st-key-${key} *`)].find((one) => one.shadowRoot);
    return host ? host.shadowRoot : document.createElement('div');
  };
  window.cell = (key, row, column) => {
    const line = window.table(key).querySelectorAll('tbody tr')[row];
    return line ? line.children[column].textContent : '';
  };
  window.says = (text) => document.querySelector('[data-testid=stMain]').innerText.includes(text);
  window.wait = (holds) => {
    began = -1;
    window.waited = new Promise((resolve) => {
      const look = () => {
        const is_done = began > 0 && document.querySelector(READY) && !document.querySelector('[data-stale=true]');
        if (is_done && holds()) {
          requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - began)));
        } else {
          requestAnimationFrame(look);
        }
      };
      look();
    });
    began = 0;
  };
})();
"""


class Bench:
    """A tab at the table of a store, and what the actions took."""

    def __init__(self, page: Any, store: Store, server: psutil.Process):
        self.page = page
        self.store = store
        self.server = server
        self.runs = queries.summaries(store)
        self.rows: list[dict[str, Any]] = []

    def time(self, name: str, deed: Callable[[], object], holds: str, *, is_first: bool = False) -> None:
        """Do something and note how long it took until `holds`, a condition in JavaScript, was drawn."""
        before = cpu_s(self.server), browser_cpu_s()
        self.page.evaluate(f"window.wait(() => {holds})")
        deed()
        wall_ms = self.page.evaluate("window.waited")
        time.sleep(0.3)  # what the browser does after the drawing is its work, too
        after = cpu_s(self.server), browser_cpu_s()
        self.rows.append(
            {
                "action": name,
                "visit": "first" if is_first else "later",
                "wall_ms": wall_ms,
                "server_cpu_ms": 1000 * (after[0] - before[0]),
                "browser_cpu_ms": 1000 * (after[1] - before[1]),
                "load_1_min": psutil.getloadavg()[0],
                "num_runs": self.runs.height,
            }
        )

    def open(self, path: str) -> None:
        """Go somewhere without a clock."""
        self.page.goto(self.page.url.split("/runs")[0].split("/?")[0].rstrip("/") + path)
        self.page.wait_for_selector("[data-test-script-state=notRunning]")
        self.page.wait_for_timeout(1500)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--store", type=Path, help="keep the synthetic store here, and take it from here again")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        store = Store(given.store or Path(folder) / "store")
        if len(store.run_ids()) < given.runs:
            make_store(store, given.runs, given.epochs)
        # The index and the settings are made once, not by the page that is timed.
        runs = queries.summaries(store)
        answer(store, [*compared(runs, 0), *compared(runs, 1)])
        fields.fields(store)
        os.environ |= {"CNNLAB_STORE": str(store.root), "CNNLAB_QUEUE": str(Path(folder) / "queue"), "CNNLAB_WARM": "0"}
        with dashboard() as address, tab(address) as page:
            bench = Bench(page, store, server_of(address))
            for repeat in range(given.repeats):
                browse(bench, repeat)
    report(bench.rows)
    write_results("browsing", bench.rows, LIBRARIES)


def browse(bench: Bench, repeat: int) -> None:
    """Do everything once; what is asked for is another thing each time, so that no cache answers."""
    page, runs, is_first = bench.page, bench.runs, repeat == 0
    bench.open("/")
    rows = "window.table('runs_table').querySelectorAll('tbody tr').length === 50"
    bench.time("list", lambda: page.get_by_role("link", name="Runs", exact=True).first.click(), rows, is_first=is_first)
    least = 0.9 + repeat / 1000
    kept = runs.filter((pl.col("architecture") == "resnet") & (pl.col("test_accuracy") > least)).height
    page.get_by_label("Find runs").focus()
    question = f"architecture=resnet blocks_per_stack>1 accuracy>{least}"
    bench.time("find by a query", lambda: page.keyboard.insert_text(question), f"window.says('{kept:,} of ')")
    page.get_by_label("Find runs").fill("")
    page.wait_for_function(f"window.says('{runs.height:,} of ')")
    page.get_by_role("combobox", name="Status").click()
    failed = runs.filter(state="failed").height
    bench.time("filter by a menu", page.get_by_role("option", name="failed").click, f"window.says('{failed:,} of ')")
    page.goto(page.url.split("?")[0])
    page.wait_for_function(f"window.says('{runs.height:,} of ') && {rows}")
    page.wait_for_timeout(1000)
    sort(bench, "Test top-1", 6, runs["test_accuracy"].max())
    sort(bench, "Parameters", 8, runs["num_params"].max())
    second = bench.runs.sort("num_params", descending=True, nulls_last=True)["num_params"][50]
    bench.time(
        "turn the page",
        page.get_by_role("button", name="Page 2", exact=True).click,
        f"window.cell('runs_table', 0, 8) === '{second:,}'",
    )
    box = page.get_by_role("checkbox", name="Choose ").nth(2 + repeat)
    bench.time("tick a run", box.click, "window.says('1 chosen')")
    bench.time(
        "groups",
        page.get_by_text("Groups", exact=True).click,
        "window.table('groups_table').querySelectorAll('tbody tr').length > 0",
    )
    compare(bench, compared(runs, repeat))


def compare(bench: Bench, chosen: list[str]) -> None:
    """Open a comparison in a tab that has just begun, and another one from there."""
    page = bench.page
    press = page.get_by_role("button", name=f"Compare {len(chosen)}").click
    drawn = "document.querySelectorAll('.js-plotly-plot .main-svg .scatterlayer').length >= 2"
    bench.open(f"/runs?runs={','.join(chosen)}")
    page.wait_for_function(f"window.says('{len(chosen)} chosen')")
    bench.time(f"compare {len(chosen)} runs", press, drawn, is_first=True)
    page.get_by_role("link", name="Runs", exact=True).first.click()
    page.wait_for_function(f"window.says('{len(chosen)} chosen')")
    page.wait_for_timeout(1000)
    bench.time(f"compare {len(chosen)} runs", press, drawn)
    page.wait_for_timeout(1000)


def answer(store: Store, run_ids: list[str]) -> None:
    """Give runs the answers to 10,000 test images that their results speak of, where they have none yet."""
    images = [f"image-{number:05d}" for number in range(10_000)]
    labels = np.arange(len(images)) % 10
    for run_id in run_ids:
        path = store.run_dir(run_id) / "predictions.parquet"
        result = store.read_result(run_id)
        if path.exists() or result is None:
            continue
        draw = np.random.default_rng(zlib.crc32(run_id.encode()))
        wrong = draw.permutation(len(images))[result["test"]["label"]["correct"] :]
        predicted = labels.copy()
        predicted[wrong] = (labels[wrong] + draw.integers(1, 10, len(wrong))) % 10
        shares = np.full((len(images), 10), 0.01, np.float32)
        shares[np.arange(len(images)), predicted] = 0.91
        table = tables.predictions_table(run_id, "test", "label", images, labels.tolist(), shares)
        tables.write_table(path, PREDICTIONS, [table], durable=False)


def compared(runs: pl.DataFrame, repeat: int) -> list[str]:
    """Return the runs of a comparison, spread over all; of two there are turns, so that no cache answers."""
    tested = runs.filter(pl.col("test_accuracy").is_not_null())["run_id"]
    return [tested[int(place)] for place in np.linspace(1, len(tested) - 2, COMPARED) + repeat % 2]


def sort(bench: Bench, title: str, column: int, most: Any) -> None:
    text = f"{100 * most:.1f} %" if most <= 1 else f"{most:,}"
    bench.time(
        f"sort by {title}",
        bench.page.get_by_role("button", name=title, exact=True).click,
        f"window.cell('runs_table', 0, {column}) === '{text}'",
    )


@contextmanager
def tab(address: str) -> Iterator[Any]:
    """Open a tab of a browser whose clock is in every page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script(CLOCK)
        page.goto(address)
        yield page
        browser.close()


def server_of(address: str) -> psutil.Process:
    """Return the process that listens at an address."""
    port = int(address.rsplit(":", 1)[1].strip("/"))
    for process in psutil.Process().children(recursive=True):
        if any(one.laddr and one.laddr.port == port for one in process.net_connections("inet")):
            return process
    raise SystemExit(f"Nobody listens at {address}.")


def cpu_s(process: psutil.Process) -> float:
    """Return the processor time of a process and its children so far."""
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        with suppress(psutil.Error):
            total += sum(one.cpu_times()[:2])
    return total


def browser_cpu_s() -> float:
    """Return the processor time of the browser's processes so far; helpers that ended are no longer in it."""
    total = 0.0
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            total += sum(one.cpu_times()[:2]) if "chrom" in one.name().lower() else 0.0
    return total


def report(rows: list[dict[str, Any]]) -> None:
    """Print median and spread of each action."""
    for visit in ("later", "first"):
        for name in dict.fromkeys(row["action"] for row in rows):
            some = [row for row in rows if row["action"] == name and row["visit"] == visit]
            if not some:
                continue
            wall = sorted(row["wall_ms"] for row in some)
            median = statistics.median(wall)
            cpu = [statistics.median(row[f"{who}_cpu_ms"] for row in some) for who in ("server", "browser")]
            mark = "ok" if median <= GOAL_MS else "over the goal"
            print(
                f"{name + (', first visit' if visit == 'first' else ''):32} median {median:6.0f} ms"
                f"  ({wall[0]:.0f} to {wall[-1]:.0f}, n={len(wall)})"
                f"  processor: server {cpu[0]:.0f}, browser {cpu[1]:.0f} ms  {mark}"
            )


if __name__ == "__main__":
    main()
