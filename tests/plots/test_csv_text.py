"""Numbers of charts as CSV files."""

import io
import math

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.plots.csv_text import csv_text


def test_missing_is_empty_and_not_a_number_is_said():
    assert csv_text(pl.DataFrame({"a": [1.5, None, math.nan]})) == "a\n1.5\n\nNaN\n"


def test_lists_are_one_cell():
    assert csv_text(pl.DataFrame({"runs": [["a", "b"], [], None]})) == 'runs\na b\n""\n\n'


def test_a_name_is_never_a_formula():
    table = pl.DataFrame({"name": ["=HYPERLINK(1)", "+a", "-b", "@c", "-0.5", "+3 %", "plain"]})
    assert csv_text(table).splitlines()[1:] == ["'=HYPERLINK(1)", "'+a", "'-b", "'@c", "-0.5", "+3 %", "plain"]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_come_back(values):
    table = pl.DataFrame({"value": values}, schema={"value": pl.Float64})
    assert pl.read_csv(io.StringIO(csv_text(table)), schema=table.schema).equals(table)
