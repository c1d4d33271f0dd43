"""Tested runs without a store: who is right on which image, as text such as '1101'."""

import numpy as np
import polars as pl

from cnnlab.analysis.pairing import AnsweredRun, Outcomes
from cnnlab.analysis.sides import Side, sides_of

CLASSES = ("cat", "dog")


def answered(
    run_id: str,
    right: str | np.ndarray,
    ids: list[str] | None = None,
    labels: list[int] | None = None,
    classes: tuple[str, ...] = CLASSES,
    dataset: str = "pets",
    version: str = "v1",
    group: str = "",
    views: str = "none",
) -> AnsweredRun:
    """Return a run that is right where `right` has a 1."""
    is_right = np.array([one == "1" for one in right]) if isinstance(right, str) else np.asarray(right, bool)
    names = pl.Series(ids if ids is not None else [f"image-{place}" for place in range(len(is_right))], dtype=pl.String)
    numbers = np.asarray(labels if labels is not None else np.zeros(len(is_right)), np.int32)
    return AnsweredRun(
        run_id, dataset, version, "label", Outcomes(names, numbers, is_right, classes), group or run_id, views
    )


def unanswered(run_id: str, group: str = "") -> AnsweredRun:
    """Return a run without answers."""
    return AnsweredRun(run_id, "pets", "v1", "label", None, group or run_id, reason="not tested yet")


def single(*runs: AnsweredRun) -> list[Side]:
    """Return each run as a side of its own."""
    names = {run.run_id: run.run_id for run in runs}
    return sides_of(runs, names, names)


def grouped(*runs: AnsweredRun) -> list[Side]:
    """Return one side per group."""
    keys = {run.run_id: run.group_id for run in runs}
    return sides_of(runs, keys, {key: key for key in keys.values()})
