"""MLflow: its database in SQLite, which is its default, and its server with as many workers as it likes.

The list is the table of an experiment, usable once rows of runs are drawn, newest first. It holds the first hundred;
how many there are in all it does not say. A comparison is the page of a metric that 'Compare' leads to, usable once
its chart has a line for each run.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.tracker_sides.made_run import COMPARED_SERIES, SERIES, STEPS_PER_EPOCH, MadeRun
from benchmarks.tracker_sides.side import LEAST_ROWS, Side, View

DATABASE = "mlflow.db"
# What the page of a metric must find in its address, else it fails.
PLOT = (
    "&x_axis=step&y_axis_scale=linear&line_smoothness=1&show_point=false"
    "&deselected_curves=%5B%5D&last_linear_y_axis_range=%5B%5D"
)


class Mlflow(Side):
    """See above."""

    name = "mlflow"
    requirement = "mlflow==3.17.2"
    health = "/health"

    def write(self, runs: Iterable[MadeRun], folder: Path) -> list[str]:
        """Write by the client, all numbers of a run in one call."""
        from mlflow import MlflowClient

        client = MlflowClient(f"sqlite:///{(folder / DATABASE).as_posix()}")
        # Its page lists trainings apart from applications of language models.
        experiment = client.create_experiment("benchmark", tags={"mlflow.experimentKind": "custom_model_development"})
        return [_write_run(client, experiment, run) for run in runs]

    def command(self, scripts: Path, folder: Path, port: int) -> list[str]:
        """Return the command of the server."""
        database = f"sqlite:///{(folder / DATABASE).as_posix()}"
        return [str(scripts / "mlflow"), "server", "--backend-store-uri", database, "--port", str(port)]

    def environment(self, folder: Path) -> dict[str, str]:
        """Return what keeps it from speaking with others."""
        return {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}

    def list_view(self, names: Sequence[str]) -> View:
        """Return the table of the experiment; 1 is the first that anybody makes."""
        is_usable = f"""() => {{
          const rows = [...document.querySelectorAll('.ag-row')].map((row) => row.textContent);
          return rows.filter((text) => text.includes('run-')).length >= {min(LEAST_ROWS, len(names))}
            && rows.some((text) => text.includes({json.dumps(names[-1])}));
        }}"""
        return View("/#/experiments/1/runs?workflowType=machine_learning", is_usable)

    def comparison_view(self, run_ids: Sequence[str], epochs: int) -> View:
        """Return the page of the metric."""
        asked: dict[str, Any] = {"runs": list(run_ids), "metric": COMPARED_SERIES, "experiments": ["1"]}
        asked |= {"plot_metric_keys": [COMPARED_SERIES], "plot_layout": {"autosize": True}}
        words = "&".join(f"{name}={quote(json.dumps(value), safe='')}" for name, value in asked.items())
        lines = "document.querySelectorAll('.js-plotly-plot .scatterlayer .trace .js-line').length"
        return View(f"/#/metric?{words}{PLOT}", f"() => {lines} >= {len(run_ids)}")


def _write_run(client: Any, experiment: str, run: MadeRun) -> str:
    from mlflow.entities import Metric, Param

    run_id = client.create_run(experiment, start_time=round(1000 * run.started_s), run_name=run.name).info.run_id
    metrics = [
        Metric(series, value, round(1000 * run.time_s(epoch)), epoch * STEPS_PER_EPOCH)
        for epoch, row in enumerate(run.values.tolist(), 1)
        for series, value in zip(SERIES, row, strict=True)
    ]
    # It takes no more than a thousand at once.
    for begin in range(0, len(metrics), 1000):
        client.log_batch(run_id, metrics=metrics[begin : begin + 1000])
    client.log_batch(run_id, params=[Param(name, str(value)) for name, value in run.settings.items()])
    client.set_terminated(run_id, end_time=round(1000 * run.ended_s))
    return str(run_id)
