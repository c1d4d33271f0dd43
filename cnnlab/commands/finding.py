"""`find-rate` and `find-batch`: what a short training says of the learning rate and of the batch size."""

import contextlib
import json as json_module
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from cnnlab.commands.options import with_config
from cnnlab.commands.output import JsonOption, print_json, print_table, say
from cnnlab.config import RunConfig
from cnnlab.datasets.storage import Dataset, open_dataset
from cnnlab.errors import ConfigError
from cnnlab.runs.store import Store

ProgressOption = Annotated[
    bool, typer.Option("--progress-json", help="Tell the progress as JSON lines on standard error.")
]
RULES = {"steepest": "where the loss falls fastest", "tenth": "a tenth of where it diverges"}
# Rows of the printed curve; all of it is in the JSON.
PRINTED_POINTS = 12


@with_config
def find_rate(
    config: RunConfig,
    lowest: Annotated[float, typer.Option("--lowest", min=1e-12, help="First rate.")] = 1e-6,
    highest: Annotated[float, typer.Option("--highest", max=10.0, help="Last rate.")] = 10.0,
    steps: Annotated[int, typer.Option("--steps", min=20, max=10_000, help="Steps from the first to the last.")] = 120,
    json: JsonOption = False,
    is_progress_json: ProgressOption = False,
) -> None:
    """Train a few steps while the learning rate climbs, and say which rate the loss speaks for; no run is kept."""
    if lowest >= highest:
        raise ConfigError(
            f"--lowest {lowest:g} is not below --highest {highest:g}. Expected a rising range. Exchange the two."
        )
    with _ready(config, "trying rates", is_progress_json) as (dataset, report):
        from cnnlab.training.finding import RateRange
        from cnnlab.training.finding import find_rate as search

        found = search(config, dataset, RateRange(lowest, highest, steps), report)
    if json:
        print_json(found)
        return
    points = list(zip(found["rates"], found["losses"], found["smoothed"], strict=True))
    shown = points[:: max(1, len(points) // PRINTED_POINTS)]
    columns = ("learning rate", "loss", "smoothed")
    print_table(columns, [(f"{rate:.2g}", f"{loss:.4g}", f"{mean:.4g}") for rate, loss, mean in shown], right=columns)
    for name, words in RULES.items():
        print(f"{words[0].upper()}{words[1:]}: {_rate(found[name])}")
    print(f"Suggested: {_rate(found['suggestion'])}" + (f", {RULES[found['rule']]}." if found["rule"] else "."))


@with_config
def find_batch(
    config: RunConfig,
    seconds: Annotated[float, typer.Option("--seconds", min=0, max=600, help="Of timing at each size.")] = 1.0,
    json: JsonOption = False,
    is_progress_json: ProgressOption = False,
) -> None:
    """Time a few training steps at doubling batch sizes, and say which is large enough; no run is kept."""
    with _ready(config, "timing batch sizes", is_progress_json) as (dataset, report):
        from cnnlab.training.batch_finding import find_batch as search

        found = search(config, dataset, seconds, report)
    if json:
        print_json(found)
        return
    columns = ("batch size", "images/s", "ms per step", "steps")
    rows = [
        (str(row["batch_size"]), f"{row['images_per_s']:,.0f}", f"{1000 * row['step_s']:,.2f}", str(row["steps"]))
        for row in found["rows"]
    ]
    print_table(columns, rows, right=columns)
    print(f"Largest that fits, as estimated from the network: {found['largest_estimated'] or 'none'}")
    print(f"Largest that was tried on {found['device']}: {found['largest_tried'] or 'none'}. {found['stopped']}")
    print(f"Suggested: {found['suggestion'] or 'none'}, the smallest within 5 % of the fastest.")


@contextlib.contextmanager
def _ready(config: RunConfig, stage: str, is_progress_json: bool) -> Any:
    """Give the data and a function that tells progress; what libraries print meanwhile is no answer."""
    # Before Keras is imported: it reads the backend once.
    os.environ["KERAS_BACKEND"] = config.compute.backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with contextlib.redirect_stdout(sys.stderr):
        dataset: Dataset = open_dataset(
            Store().root, config.data.dataset, version=config.data.version, parameters=config.data.parameters
        )
        yield dataset, _teller(stage) if is_progress_json else _quiet


def _teller(stage: str) -> Callable[[int, int], None]:
    def tell(done: int, total: int) -> None:
        say(json_module.dumps({"stage": stage, "done": done, "total": total}))

    return tell


def _quiet(_done: int, _total: int) -> None: ...


def _rate(value: float | None) -> str:
    return "none" if value is None else f"{value:.2g}"
