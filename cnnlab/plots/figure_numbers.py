"""The numbers of any figure as a table: what is drawn, point by point."""

import html
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl

_TAG = re.compile(r"<(?:br|/?b|/?i|/?span|/?sub|/?sup)[^>]*>")


def figure_numbers(figure: go.Figure) -> pl.DataFrame:
    """Return one row per point that a hover can name: its series, where it is on both axes, and its interval if any.

    Columns are called as the axes are. A heatmap has a row per cell, parallel coordinates one per line.
    """
    parts = [part for trace in figure.data if (part := _part(figure, trace)) is not None and part.height]
    if not parts:
        return pl.DataFrame()
    columns = dict.fromkeys(name for part in parts for name in part.columns)
    is_text = {name for name in columns if any(part.schema.get(name) == pl.String for part in parts)}
    alike = [part.cast({name: pl.String for name in part.columns if name in is_text}) for part in parts]
    table = pl.concat(alike, how="diagonal_relaxed").select(*columns)
    least = {"series": 2, "point": 1}  # a column that tells nothing apart is left out
    return table.select(name for name in columns if table[name].drop_nulls().n_unique() >= least.get(name, 0))


def _part(figure: go.Figure, trace: Any) -> pl.DataFrame | None:
    if trace.type in ("heatmap", "contour") and trace.hoverinfo != "skip":
        return _cells(figure, trace)
    if trace.type == "parcoords":
        return pl.DataFrame({_plain(one.label): _column(one.values) for one in trace.dimensions})
    if (
        trace.type not in ("scatter", "scattergl", "bar")
        or trace.hoverinfo == "skip"
        or trace.x is None
        or trace.y is None
    ):
        return None
    count = len(trace.x)
    rows = {
        "series": pl.Series([_plain(trace.name)] * count, dtype=pl.String),
        "point": pl.Series(_texts(trace, count), dtype=pl.String),
        _title(figure, "x", trace, "x"): _column(trace.x),
        _title(figure, "y", trace, "y"): _column(trace.y),
    }
    if trace.type == "bar" and trace.base is not None:
        rows["from"] = _column(np.broadcast_to(trace.base, count).tolist())
    for axis in ("x", "y"):
        error = trace[f"error_{axis}"]
        if error.array is not None:
            middle, above = np.asarray(trace[axis], np.float64), np.asarray(error.array, np.float64)
            below = above if error.arrayminus is None else np.asarray(error.arrayminus, np.float64)
            rows |= {"low": pl.Series(middle - below), "high": pl.Series(middle + above)}
    return pl.DataFrame(rows)


def _cells(figure: go.Figure, trace: Any) -> pl.DataFrame:
    z = np.asarray(trace.z, np.float64)
    height, width = z.shape
    x = list(range(width)) if trace.x is None else list(trace.x)
    y = list(range(height)) if trace.y is None else list(trace.y)
    name = _plain(trace.colorbar.title.text) or "value"
    return pl.DataFrame(
        {
            _title(figure, "y", trace, "row"): _column([at for at in y for _ in x]),
            _title(figure, "x", trace, "column"): _column(x * height),
            name: pl.Series(z.ravel()),
        }
    )


def _title(figure: go.Figure, axis: str, trace: Any, otherwise: str) -> str:
    number = (trace[f"{axis}axis"] or axis)[1:]
    return _plain(figure.layout[f"{axis}axis{number}"].title.text) or otherwise


def _texts(trace: Any, count: int) -> list[str | None]:
    found = trace.hovertext if trace.hovertext is not None else trace.text
    if found is None or isinstance(found, str):
        return [_plain(found) or None] * count
    return [_plain(text) or None for text in found]


def _column(values: Sequence[Any]) -> pl.Series:
    listed = [value.item() if isinstance(value, np.generic) else value for value in values]
    if all(value is None or isinstance(value, (int, float)) for value in listed):
        return pl.Series([None if value is None else float(value) for value in listed], dtype=pl.Float64)
    return pl.Series([None if value is None else _plain(str(value)) for value in listed], dtype=pl.String)


def _plain(text: str | None) -> str:
    """Return a label of plotly as it reads: line ends as commas, without markup."""
    return html.unescape(_TAG.sub("", re.sub(r"<br\s*/?>", ", ", text or ""))).strip()
