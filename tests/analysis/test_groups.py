"""Runs of one config and several seeds as one row."""

import math

import numpy as np
import polars as pl
import pytest

from cnnlab.analysis.groups import GROUP_SCHEMA, against_best, summarise
from cnnlab.analysis.intervals import student_share
from cnnlab.analysis.significance import holm, welch


def runs(*rows):
    columns = ("run_id", "group_id", "test_accuracy", "num_params", "macs")
    frame = pl.DataFrame([dict(zip(columns, row, strict=True)) for row in rows], infer_schema_length=None)
    return frame.with_columns(name=pl.lit("net"), dataset=pl.lit("digits"), architecture=pl.lit("lenet5"))


def test_mean_interval_and_members():
    table = summarise(runs(("a", "g", 0.9, 10, 20), ("b", "h", 0.5, 1, 2), ("c", "g", 0.8, 10, 20)))
    assert table.schema == pl.Schema(GROUP_SCHEMA)
    assert table["group_id"].to_list() == ["g", "h"]
    first = table.row(0, named=True)
    assert (first["mean"], first["low"], first["high"]) == pytest.approx(student_share([0.9, 0.8]))
    assert first["error"] == pytest.approx(np.std([0.9, 0.8], ddof=1) / math.sqrt(2))
    assert (first["n"], first["members"], first["missing"], first["num_params"]) == (2, ["a", "c"], [], 10)


def test_one_run_has_a_mean_and_no_interval():
    row = summarise(runs(("a", "g", 0.9, 10, 20))).row(0, named=True)
    assert (row["mean"], row["low"], row["high"], row["n"]) == (0.9, None, None, 1)


@pytest.mark.parametrize("gone", [None, math.nan])
def test_a_run_without_a_number_stays_a_member_and_is_named(gone):
    row = summarise(runs(("a", "g", gone, None, None), ("b", "g", 0.7, 10, 20))).row(0, named=True)
    assert row["members"] == ["a", "b"]
    assert row["missing"] == ["a"]
    assert (row["n"], row["mean"], row["num_params"]) == (1, 0.7, 10)


def test_a_group_without_any_number_is_kept():
    row = summarise(runs(("a", "g", None, None, None))).row(0, named=True)
    assert (row["mean"], row["n"], row["missing"]) == (None, 0, ["a"])


def test_a_run_without_a_group_is_its_own():
    assert summarise(runs(("a", None, 0.5, 1, 1), ("b", None, 0.6, 1, 1)))["group_id"].to_list() == ["a", "b"]


def test_no_runs_no_groups():
    assert summarise(runs(("a", "g", 0.5, 1, 1)).clear()).is_empty()


def test_who_is_tied_with_the_best_by_welch_and_holm():
    values = {
        "a": (0.90, 0.92, 0.94),
        "b": (0.91, 0.92),
        "c": (0.70, 0.72, 0.71),
        "d": (0.85, 0.86, 0.87),
        "e": (0.99,),
    }
    table = summarise(
        runs(*[(f"{name}{i}", name, value, 1, 1) for name, known in values.items() for i, value in enumerate(known)])
    )
    marks = dict(zip(table["group_id"], against_best(table, ["dataset"]), strict=True))
    p = holm([welch(values["a"], values[name]).p for name in "bcd"])
    expected = {name: "behind" if one < 0.05 else "tied with it" for name, one in zip("bcd", p, strict=True)}
    assert marks == {"a": "best", **expected, "e": None}  # one seed cannot be placed, however high
    assert set(expected.values()) == {"behind", "tied with it"}


def test_groups_of_other_data_are_not_set_against_each_other():
    rows = [
        ("a0", "a", 0.9),
        ("a1", "a", 0.91),
        ("b0", "b", 0.5),
        ("b1", "b", 0.51),
        ("c0", "c", 0.1),
        ("c1", "c", 0.11),
    ]
    table = summarise(runs(*[(*row, 1, 1) for row in rows])).with_columns(dataset=pl.Series(["x", "x", "y"]))
    assert against_best(table, ["dataset"]).to_list() == ["best", "behind", None]


def test_seeds_that_agree_say_nothing_of_chance():
    rows = [("a0", "a", 0.9), ("a1", "a", 0.9), ("b0", "b", 0.8), ("b1", "b", 0.8)]
    table = summarise(runs(*[(*row, 1, 1) for row in rows]))
    assert against_best(table, ["dataset"]).to_list() == ["best", None]
    assert against_best(table.clear(), ["dataset"]).to_list() == []


def test_the_true_best_is_rarely_called_behind():
    rng = np.random.default_rng(1)
    wrong, trials = 0, 300
    for _ in range(trials):
        # Six groups that are equally good, and the first a little better: it may be the highest or not.
        means = rng.normal([0.905, 0.9, 0.9, 0.9, 0.9, 0.9], 0.01, (4, 6))
        table = pl.DataFrame(
            {"mean": means.mean(axis=0), "error": means.std(axis=0, ddof=1) / 2, "n": [4] * 6, "of": 1}
        )
        wrong += against_best(table, ["of"])[0] == "behind"
    assert wrong / trials <= 0.05
