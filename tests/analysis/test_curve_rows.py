"""Rows that curves are drawn of: epochs, steps, looks, and what was spent by then."""

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.analysis.curve_rows import (
    PASSES,
    ROWS,
    Spent,
    epoch_rows,
    gradient_rows,
    placed_steps,
    step_rows,
    with_spent,
)
from cnnlab.runs.schema import METRICS, PROBES, STEPS, polars_schema


def metrics(*rows):
    """Of (run, epoch, step, metric, value)."""
    return pl.DataFrame(
        [(run, epoch, step, "val", "", metric, value, 2.0 * epoch) for run, epoch, step, metric, value in rows],
        schema=polars_schema(METRICS),
        orient="row",
    )


def steps(lengths, *, run="a", per_line=1, outputs=("",)):
    """So many steps in each epoch, of a second each; the time of a line is that of its last step."""
    rows, step = [], 0
    for epoch, length in enumerate(lengths, 1):
        for _ in range(length):
            step += 1
            for output in outputs:
                accuracy = None if output == "" else 0.25
                rows.append(
                    (run, epoch, step, output, 1.0 / step, accuracy, 0.01 * step, math.ceil(step / per_line) * per_line)
                )
    return pl.DataFrame(rows, schema=polars_schema(STEPS), orient="row")


def test_the_error_stands_beside_the_accuracy():
    rows = epoch_rows(
        metrics(("a", 1, 10, "loss", 2.0), ("a", 1, 10, "accuracy", 0.75), ("a", 2, 20, "accuracy", None))
    )
    assert rows.schema == pl.Schema(ROWS)
    assert rows.filter(pl.col("metric") == "error")["value"].to_list() == [0.25, None]


@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 5))
def test_steps_lie_evenly_in_their_epochs(length, epochs, last):
    placed = placed_steps(steps([length] * epochs + [min(last, length)]))
    assert placed["epoch"].to_list() == pytest.approx([step / length for step in placed["step"]])


@given(st.integers(1, 7), st.integers(1, 4))
def test_times_of_a_line_are_spread_over_its_steps(per_line, lines):
    count = per_line * lines
    both = pl.concat([steps([count], run="a", per_line=per_line), steps([count], run="b", per_line=per_line)])
    for one in placed_steps(both).partition_by("run_id", as_dict=True).values():
        assert one["elapsed_s"].to_list() == pytest.approx([float(step) for step in one["step"]])


def test_each_metric_of_a_step():
    placed = placed_steps(steps([2, 2], outputs=("", "shape", "colour")))
    assert step_rows(placed, "loss").height == 12
    assert step_rows(placed, "accuracy")["output"].unique().sort().to_list() == ["colour", "shape"]
    assert step_rows(placed, "error")["value"].unique().to_list() == [0.75]
    assert step_rows(placed, "learning_rate")["value"].to_list() == pytest.approx([0.01, 0.02, 0.03, 0.04])
    assert step_rows(placed, "feed_wait").is_empty()
    for metric in ("loss", "accuracy", "error", "learning_rate", "feed_wait"):
        assert step_rows(placed, metric).schema == pl.Schema(ROWS)


def test_no_steps_are_no_rows():
    assert placed_steps(steps([])).is_empty()


@given(st.integers(1, 10**6), st.integers(1, 4096), st.integers(1, 10**9))
def test_images_seen_are_steps_times_batch_and_operations_three_passes(step, batch_size, macs):
    rows = with_spent(metrics(("a", 1, step, "loss", 1.0)), {"a": Spent(batch_size, macs)})
    assert rows["images"].to_list() == [step * batch_size]
    assert rows["operations"][0] == pytest.approx(step * batch_size * macs * 3)
    assert PASSES == 3


def test_what_is_not_known_stays_unknown():
    rows = metrics(("a", 1, 5, "loss", 1.0), ("b", 1, 5, "loss", 1.0), ("c", 1, 5, "loss", 1.0))
    rows = with_spent(rows, {"a": Spent(None, 10), "b": Spent(2, None)})
    assert rows["images"].to_list() == [None, 10, None]
    assert rows["operations"].to_list() == [None, None, None]


def test_the_gradient_of_all_layers_together():
    common = dict.fromkeys(polars_schema(PROBES)) | {"run_id": "a", "is_frozen": False, "num_weights": 1}
    looks = [
        common | {"epoch": epoch, "step": 10 * epoch, "position": place, "layer": "x", "kind": "y", "gradient_norm": g}
        for epoch, norms in ((1, (3.0, 4.0, None)), (2, (1.0, math.nan, None)))
        for place, g in enumerate(norms)
    ]
    probes = pl.DataFrame(looks, schema=polars_schema(PROBES), orient="row")
    rows = gradient_rows(probes, metrics(("a", 1, 10, "loss", 2.0)))
    assert rows.schema == pl.Schema(ROWS)
    assert rows["value"][0] == pytest.approx(5.0)
    assert math.isnan(rows["value"][1])
    assert rows["elapsed_s"].to_list() == [2.0, None]
