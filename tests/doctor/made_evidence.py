"""Evidence made by hand: what a healthy run writes, to be changed where a rule should see something."""

import math
from collections.abc import Sequence
from typing import Any

import polars as pl

from cnnlab.config import config_from_dict
from cnnlab.doctor.evidence import DataFacts, Evidence
from cnnlab.runs.schema import METRICS, PREDICTIONS, PROBES, STEPS, polars_schema

CLASSES = tuple("abcdefghij")
CHANCE_LOSS = math.log(10)
STEPS_PER_EPOCH = 10


def metrics(**values: Sequence[float | None]) -> pl.DataFrame:
    """Return metrics by epoch, named `train_loss`, `val_accuracy` and so on; accuracies are the output's."""
    rows = [
        {
            "run_id": "r", "epoch": epoch, "step": epoch * STEPS_PER_EPOCH, "split": name.partition("_")[0],
            "output": "label" if name.endswith("accuracy") else "", "metric": name.partition("_")[2], "value": value,
            "elapsed_s": 10.0 * epoch,
        }
        for name, line in values.items() for epoch, value in enumerate(line, 1)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=polars_schema(METRICS), orient="row")


def steps(losses: Sequence[float | None]) -> pl.DataFrame:
    """Return one row per step of all outputs together."""
    rows = [("r", 1 + place // STEPS_PER_EPOCH, place + 1, "", loss, None, 0.01, 0.1) for place, loss in
            enumerate(losses)]  # fmt: skip
    return pl.DataFrame(rows, schema=polars_schema(STEPS), orient="row")


def layer(position: int, **values: Any) -> dict[str, Any]:
    """Return the row of a healthy layer."""
    return {
        "run_id": "r", "epoch": 1, "step": STEPS_PER_EPOCH, "position": position, "layer": f"conv{position}",
        "kind": "Conv2D", "is_frozen": False, "num_weights": 100, "gradient_norm": 0.5, "weight_norm": 2.0,
        "weight_change": 0.1, "units": 16, "dead_share": 0.1, "activation_mean": 0.3, "activation_std": 0.5,
        "input_mean": [0.0] if position == 0 else None, "input_std": [1.0] if position == 0 else None, **values,
    }  # fmt: skip


def probes(*looks: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Return the looks after epochs 1, 2, ..., each a list of layers."""
    rows = [{**row, "epoch": epoch} for epoch, look in enumerate(looks, 1) for row in look]
    return pl.DataFrame(rows, schema=polars_schema(PROBES), orient="row")


def predictions(labels: Sequence[int], predicted: Sequence[int | None], output: str = "label") -> pl.DataFrame:
    """Return predictions on test."""
    rows = [("r", str(place), "test", output, label, answer, [1.0]) for place, (label, answer) in
            enumerate(zip(labels, predicted, strict=True))]  # fmt: skip
    return pl.DataFrame(rows, schema=polars_schema(PREDICTIONS), orient="row")


def falling(first: float, last: float, count: int) -> list[float]:
    """Return numbers that fall evenly on a logarithmic scale."""
    return [first * (last / first) ** (place / max(1, count - 1)) for place in range(count)]


def healthy(epochs: int = 6, **values: Any) -> Evidence:
    """Return the evidence of a run that learns; `values` replace its parts."""
    losses = falling(CHANCE_LOSS, 0.2, epochs)
    rising = [1 - loss / 3 for loss in losses]
    parts: dict[str, Any] = {
        "config": config_from_dict({"training": {"epochs": epochs, "learning_rate": 0.01}}),
        "metrics": metrics(
            train_loss=losses, val_loss=[loss + 0.02 for loss in losses], train_accuracy=rising,
            val_accuracy=[value - 0.02 for value in rising], train_feed_wait=[0.01] * epochs,
        ),
        "steps": steps(falling(CHANCE_LOSS, 0.2, STEPS_PER_EPOCH * epochs)),
        "probes": probes(*[[layer(position) for position in range(5)]] * epochs),
        "predictions": predictions(list(range(10)) * 10, list(range(10)) * 10),
        "data": DataFacts({"label": CLASSES}, {"label": {"val": [20] * 10, "train": [100] * 10}},
                          {"train": 1000, "val": 200, "test": 200}),
    }  # fmt: skip
    return Evidence(**parts | values)
