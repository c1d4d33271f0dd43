"""Trials of a made study whose answer is known: accuracy grows with the learning rate, and is 0.1 better with Adam."""

import math

import numpy as np
import polars as pl

from cnnlab.analysis.trials import Axis, Goal, Trials, trials_of
from cnnlab.runs.schema import TRIALS, polars_schema

RATE = Axis("training.learning_rate", "learning rate", (), 1e-4, 1e-1, None, True)
KIND = Axis("training.optimizer", "<optimizer>", ("sgd", "adam"))
MOMENTUM = Axis("training.momentum", "momentum", (), 0.0, 0.9)
AXES = (RATE, KIND, MOMENTUM)
ACCURACY, MACS = Goal("val_accuracy", True), Goal("macs", False)


def rows_of(count: int, first: tuple[str, ...] = ()) -> pl.DataFrame:
    """`count` trials on two workers, 10 s apart; accuracy grows with the learning rate and 0.1 with Adam."""
    random = np.random.default_rng(0)
    rows = []
    for number in range(count):
        status = first[number] if number < len(first) else "completed"
        rate, kind = 10 ** random.uniform(-4, -1), ("sgd", "adam")[number % 2]
        momentum = f', "training.momentum": {random.uniform(0, 0.9):.4f}' if kind == "sgd" else ""
        accuracy = 0.5 + 0.1 * math.log10(rate * 1e4) + 0.1 * (kind == "adam")
        at = f"2026-01-01T12:{10 * (number // 2) // 60 % 60:02d}:{10 * (number // 2) % 60:02d}+00:00"
        ended = at.replace("0+", "5+") if status != "running" else None
        rows.append(
            {
                "trial_id": f"{number:04d}", "number": number + 1, "status": status, "worker": f"worker{number % 2}",
                "values": f'{{"training.learning_rate": {rate}, "training.optimizer": "{kind}"{momentum}}}',
                "objectives": f'{{"val_accuracy": {accuracy}, "macs": {1000 * (1 + number % 5)}}}'
                if status in ("completed", "stopped") else None,
                "run_ids": [f"run{number}"], "started_at": None if status == "waiting" else at,
                "ended_at": None if status == "waiting" else ended,
                "reason": "<b>NaN</b>" if status == "failed" else None,
            }
        )  # fmt: skip
    names = dict.fromkeys(TRIALS.names)
    frame = pl.DataFrame([{**names, **row} for row in rows], infer_schema_length=None) if rows else None
    if frame is None:
        return pl.DataFrame(schema=polars_schema(TRIALS))
    return frame.with_columns(
        *(pl.col(name).cast(pl.String).str.to_datetime(time_zone="UTC") for name in ("started_at", "ended_at"))
    )


def made(count: int, *first: str, goals: tuple[Goal, ...] = (ACCURACY, MACS)) -> Trials:
    return trials_of(rows_of(count, first), AXES, goals)
