"""Aim: its repository, and its server with as many workers as it likes.

The list is the explorer of runs, usable once rows of runs are drawn, newest first. It holds the first 45; how many
there are in all it does not say. A comparison is the explorer of metrics with a query, as 'Compare' makes it, usable
once its chart has a line for each run.
"""

import base64
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.tracker_sides.made_run import COMPARED_SERIES, SERIES, STEPS_PER_EPOCH, MadeRun
from benchmarks.tracker_sides.side import LEAST_ROWS, Side, View


class Aim(Side):
    """See above."""

    name = "aim"
    requirement = "aim==3.29.1"

    def write(self, runs: Iterable[MadeRun], folder: Path) -> list[str]:
        """Write by its `Run`. It takes no times from outside: runs are as old as their writing."""
        from aim import Repo

        repository = Repo.from_path(str(folder), init=True)
        return [_write_run(repository, run) for run in runs]

    def command(self, scripts: Path, folder: Path, port: int) -> list[str]:
        """Return the command of the server."""
        return [str(scripts / "aim"), "up", "--yes", "--repo", str(folder), "--port", str(port)]

    def list_view(self, names: Sequence[str]) -> View:
        """Return the explorer of runs."""
        is_usable = f"""() => {{
          const rows = [...document.querySelectorAll('.RunNameColumn__runName')].map((row) => row.textContent);
          return rows.length >= {min(LEAST_ROWS, len(names))} && rows.includes({json.dumps(names[-1])});
        }}"""
        return View("/runs", is_usable)

    def comparison_view(self, run_ids: Sequence[str], epochs: int) -> View:
        """Return the explorer of metrics."""
        query = f"metric.name == '{COMPARED_SERIES}' and run.hash in {json.dumps(list(run_ids))}"
        asked = _encoded({"query": query, "advancedMode": True, "advancedQuery": query})
        lines = "document.querySelectorAll('.LineChart path.Line').length"
        return View(f"/metrics?select={asked}", f"() => {lines} >= {len(run_ids)}")


def _encoded(value: Any) -> str:
    """Return an object as its page keeps it in addresses."""
    text = quote(json.dumps(value), safe="~()*!.'-_;/?:@&=+$,#")
    letters = base64.b64encode(text.encode()).decode()
    return "O-" + letters.replace("=", "").replace("+", "-").replace("/", "_")


def _write_run(repository: Any, run: MadeRun) -> str:
    from aim import Run

    # What it finds out about this machine and its console the other trackers are not given either.
    quiet = {"system_tracking_interval": None, "log_system_params": False, "capture_terminal_logs": False}
    written = Run(repo=repository, experiment="benchmark", **quiet)
    written.name = run.name
    written["hparams"] = run.settings
    for epoch, row in enumerate(run.values.tolist(), 1):
        for series, value in zip(SERIES, row, strict=True):
            written.track(value, name=series, step=epoch * STEPS_PER_EPOCH, epoch=epoch)
    written.close()
    return str(written.hash)
