"""Runs of one config and several seeds as one row."""

import math

import polars as pl
import pytest

from cnnlab.analysis.groups import GROUP_SCHEMA, summarise
from cnnlab.analysis.intervals import student


def runs(*rows):
    columns = ("run_id", "group_id", "test_accuracy", "num_params", "macs")
    frame = pl.DataFrame([dict(zip(columns, row, strict=True)) for row in rows], infer_schema_length=None)
    return frame.with_columns(name=pl.lit("net"), dataset=pl.lit("digits"), architecture=pl.lit("lenet5"))


def test_mean_interval_and_members():
    table = summarise(runs(("a", "g", 0.9, 10, 20), ("b", "h", 0.5, 1, 2), ("c", "g", 0.8, 10, 20)))
    assert table.schema == pl.Schema(GROUP_SCHEMA)
    assert table["group_id"].to_list() == ["g", "h"]
    first = table.row(0, named=True)
    assert (first["mean"], first["low"], first["high"]) == pytest.approx(student([0.9, 0.8]))
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
