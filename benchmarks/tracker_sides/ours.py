"""CNN Lab: run folders, and Streamlit's server.

The list is usable once the first page of the table is drawn, newest run first, the page says how many runs there are,
and the script has ended. A comparison is usable once the chart has a line for each run and the script has ended.
"""

import json
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.tracker_sides.made_run import COMPARED_SERIES, EPOCH_S, SERIES, STEPS_PER_EPOCH, MadeRun
from benchmarks.tracker_sides.side import LEAST_ROWS, Side, View

TRAINING = ("optimizer", "learning_rate", "batch_size", "weight_decay", "epochs", "seed")
OUTPUT = "label"
# Streamlit draws on what it has until the next script has ended: only then nothing on the page is old.
SETTLED = """document.querySelector('[data-testid=stApp][data-test-script-state=notRunning]')
    && !document.querySelector('[data-stale=true]')"""


class Ours(Side):
    """See above."""

    name = "cnnlab"
    health = "/_stcore/health"
    derived = ("index", "cache")

    def write(self, runs: Iterable[MadeRun], folder: Path) -> list[str]:
        """Write as the trainer does: config, metrics, result, status."""
        from cnnlab.runs.store import Store

        store = Store(folder)
        return [_write_run(store, run) for run in runs]

    def command(self, scripts: Path, folder: Path, port: int) -> list[str]:
        """Return the command of the dashboard."""
        return [str(scripts / "python"), "-m", "cnnlab", "dashboard", "--port", str(port), "--no-browser"]

    def environment(self, folder: Path) -> dict[str, str]:
        """Return where the store lies; no trainer waits beside.

        What Python compiles is kept, as pip keeps it for the others, where the machine says that it should not.
        """
        variables = {"CNNLAB_STORE": str(folder), "CNNLAB_QUEUE": str(folder.parent / "queue.sqlite")}
        if os.environ.get("PYTHONDONTWRITEBYTECODE"):
            variables |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder.parents[1] / "bytecode")}
        return variables | {"CNNLAB_WARM": "0"}

    def list_view(self, names: Sequence[str]) -> View:
        """Return the page of runs."""
        is_usable = f"""() => {{
          const host = [...document.querySelectorAll('.st-key-runs_table *')].find((one) => one.shadowRoot);
          const rows = host ? [...host.shadowRoot.querySelectorAll('tbody tr')] : [];
          return rows.length >= {min(LEAST_ROWS, len(names))} && rows[0].textContent.includes({json.dumps(names[-1])})
            && {SETTLED}
            && document.querySelector('[data-testid=stMain]').innerText.includes('of {len(names):,} runs');
        }}"""
        return View("/runs", is_usable)

    def comparison_view(self, run_ids: Sequence[str], epochs: int) -> View:
        """Return the curves of the page that compares."""
        split, metric = COMPARED_SERIES.split("/")
        is_usable = f"""() => document.querySelectorAll('.js-plotly-plot .scatterlayer .trace .js-line').length
          >= {len(run_ids)} && {SETTLED}"""
        address = f"/compare?runs={','.join(run_ids)}&part=Curves&metric={metric.capitalize()}&splits={split}"
        return View(address, is_usable)


def _write_run(store: Any, run: MadeRun) -> str:
    from cnnlab.config import RunConfig
    from cnnlab.runs.status import RunStatus, write_status
    from cnnlab.runs.writer import RunWriter

    training = {name: run.settings[name] for name in TRAINING}
    values = {"name": run.name, "training": training, "data": {"dataset": run.settings["dataset"]}}
    values["architecture"] = {"name": run.settings["architecture"]}
    run_dir = store.create_run(RunConfig.model_validate(values))
    writer = RunWriter(run_dir)
    writer.metrics(_metrics(run))
    writer.finish()
    writer.result(_result(run))
    started, ended = (datetime.fromtimestamp(time_s, UTC).isoformat() for time_s in (run.started_s, run.ended_s))
    write_status(run_dir, RunStatus(state="completed", started_at=started, ended_at=ended))
    return str(run_dir.name)


def _metrics(run: MadeRun) -> list[dict[str, Any]]:
    names = [dict(zip(("split", "metric"), series.split("/"), strict=True)) for series in SERIES]
    return [
        {"epoch": epoch, "step": epoch * STEPS_PER_EPOCH, "elapsed_s": epoch * EPOCH_S, "output": OUTPUT}
        | {**name, "value": value}
        for epoch, row in enumerate(run.values.tolist(), 1)
        for name, value in zip(names, row, strict=True)
    ]


def _result(run: MadeRun) -> dict[str, Any]:
    best = int(run.values[:, SERIES.index(COMPARED_SERIES)].argmax())
    last = dict(zip(SERIES, run.values[best].tolist(), strict=True))
    correct = round(10_000 * last["val/accuracy"])
    answers = {OUTPUT: {"accuracy": correct / 10_000, "loss": last["val/loss"], "correct": correct, "n": 10_000}}
    sizes: dict[str, Any] = {"num_params": 61_706, "trainable_params": 61_706, "macs": 416_520, "not_counted": []}
    course: dict[str, Any] = {
        "epochs_done": len(run.values),
        "best_epoch": best + 1,
        "train_s": run.ended_s - run.started_s,
    }
    course |= {"images_per_s": 1000.0, "dataset_version": "0", "image_shape": [32, 32, 1]}
    outputs = {OUTPUT: [str(digit) for digit in range(10)]}
    return {**sizes, **course, "val": answers, "test": answers, "main_output": OUTPUT, "outputs": outputs}
