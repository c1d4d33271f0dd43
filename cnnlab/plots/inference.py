"""Inference time, throughput and memory against the batch size, as measured on a machine that is named.

Source: Canziani, Paszke and Culurciello 2016, arXiv:1605.07678, figures 3 and 5. Differs from the paper:
medians, with the range that eight of ten calls lie in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
import polars as pl

from cnnlab.plots.bubble_layout import Scale
from cnnlab.plots.labels import distinct, escaped, listed_with_reasons, plural, shortened
from cnnlab.plots.palette import colour_of, symbol_of
from cnnlab.plots.template import empty_figure, new_figure

Measure = Literal["image_ms", "batch_ms", "images_per_s", "memory", "gpu_memory"]
MIB = 2**20
TITLES: dict[Measure, str] = {
    "image_ms": "Time per image (ms)",
    "batch_ms": "Time per batch (ms)",
    "images_per_s": "Throughput (images per second)",
    "memory": "Growth of resident memory (MiB)",
    "gpu_memory": "GPU memory of the backend (MiB)",
}
NOT_MEASURED = "not measured yet"
# What a number is of; two lines differ in one of these.
_LINE = ("run_id", "hardware", "versions")


@dataclass(frozen=True)
class InferenceInfo:
    """`table`: index, key, label, batch_size, value, low and high (null where there are none), and all measured.

    `members[index]` is the run behind a line; `not_shown` (the reason) and `names` are by run id.
    """

    measure: Measure
    table: pl.DataFrame
    members: tuple[str, ...]
    keys: tuple[str, ...]
    labels: tuple[str, ...]
    not_shown: Mapping[str, str]
    names: Mapping[str, str]

    @property
    def is_empty(self) -> bool:
        return self.table.is_empty()


def inference_info(
    measured: pl.DataFrame,
    measure: Measure = "image_ms",
    *,
    run_ids: Sequence[str] | None = None,
    names: Mapping[str, str] | None = None,
) -> InferenceInfo:
    """Return one line per run, machine and set of versions.

    Args:
        measured: Columns of `cnnlab.runs.schema.INFERENCE`.
        measure: What runs upwards.
        run_ids: The chosen runs, in the order of the colours; those of `measured` when left out.
        names: What a run is called; its id when missing.
    """
    wanted = list(dict.fromkeys(run_ids if run_ids is not None else measured["run_id"]))
    called = distinct({run_id: (names or {}).get(run_id, run_id) for run_id in wanted})
    table = measured.filter(pl.col("run_id").is_in(wanted)).with_columns(**_values(measure)).drop_nulls("value")
    found = {row[0]: None for row in table.select("run_id").iter_rows()}
    lines = [line for run_id in wanted for line in _lines(table, run_id)]
    places = {"hardware": 1, "versions": 2}
    told = [place for name, place in places.items() if table[name].n_unique() > 1]
    labels = tuple(" · ".join([called[line[0]], *(line[place] for place in told)]) for line in lines)
    keys = tuple("/".join(line) for line in lines)
    index = pl.DataFrame(
        [(*line, place, keys[place], labels[place]) for place, line in enumerate(lines)],
        schema=dict.fromkeys(_LINE, pl.String) | {"index": pl.Int64, "key": pl.String, "label": pl.String},
        orient="row",
    )
    return InferenceInfo(
        measure=measure,
        table=table.join(index, on=list(_LINE), how="inner").sort("index", "batch_size"),
        members=tuple(line[0] for line in lines),
        keys=keys,
        labels=labels,
        not_shown={run_id: _why(measured, run_id, measure) for run_id in wanted if run_id not in found},
        names=called,
    )


def inference(info: InferenceInfo, *, scale: Scale = "log", height_px: int = 420) -> go.Figure:
    """Draw a line per run over the batch size, with the range of eight of ten calls.

    Args:
        info: From `inference_info`.
        scale: Of the axis upwards; batch sizes always double.
        height_px: The width is the page's.
    """
    if info.is_empty:
        return empty_figure("No line to draw: nothing was measured of these runs yet.")
    revision = f"inference/{info.measure}/{scale}"
    figure = new_figure(
        x_title="Batch size (images)", y_title=TITLES[info.measure], height_px=height_px, revision=revision
    )
    colours, symbols = colour_of(info.keys), symbol_of(info.keys)
    for (index,), part in info.table.partition_by("index", as_dict=True, maintain_order=True).items():
        key = info.keys[index]  # type: ignore[call-overload]
        values = part["value"].to_numpy()
        figure.add_scatter(
            x=part["batch_size"].to_numpy(),
            y=values,
            mode="lines+markers",
            name=escaped(shortened(part["label"][0], 60)),
            line={"color": colours[key], "width": 2},
            marker={"symbol": symbols[key], "size": 8},
            customdata=part["index"].to_numpy().astype(np.int32),
            hovertext=[_hover(row) for row in part.iter_rows(named=True)],
            hovertemplate="%{hovertext}<extra></extra>",
            error_y={
                "type": "data",
                "symmetric": False,
                "array": part["high"].to_numpy() - values,
                "arrayminus": values - part["low"].to_numpy(),
                "color": colours[key],
                "thickness": 1.5,
                "width": 3,
            },
            showlegend=True,
        )
    sizes = sorted(set(info.table["batch_size"]))
    figure.update_layout(clickmode="event+select", hovermode="closest")
    figure.update_xaxes(type="log", tickvals=sizes, ticktext=[str(size) for size in sizes])
    figure.update_yaxes(type=scale, rangemode="tozero" if scale == "linear" else "normal")
    if scale == "log":
        figure.update_yaxes(dtick="D2", tickformat="~s" if info.measure == "images_per_s" else "~g")
    return figure


def inference_summary(info: InferenceInfo) -> str:
    """Return what is drawn in words: runs, batch sizes, the best with its n, on which machine, and who is missing."""
    hidden = listed_with_reasons(info.not_shown, info.names)
    if info.is_empty:
        return f"Nothing was measured of these runs yet{f': {hidden}' if hidden else ''}."
    is_highest = info.measure == "images_per_s"
    row = info.table.sort("value", descending=is_highest, maintain_order=True).row(0, named=True)
    machines = " and ".join(sorted(set(info.table["hardware"])))
    versions = " and ".join(sorted(set(info.table["versions"])))
    sizes = sorted(set(info.table["batch_size"]))
    text = (
        f"{TITLES[info.measure]} of {plural(len(set(info.members)), 'run')} at batch sizes {sizes[0]} to {sizes[-1]}: "
    )
    text += f"{'highest' if is_highest else 'lowest'} {_number(row['value'])} by {row['label']} at {row['batch_size']}"
    if row["low"] is not None:
        text += f" (median of n = {row['n']} calls, 10 to 90 %: {_number(row['low'])} to {_number(row['high'])})"
    load = info.table["load_1min"].max()
    busy = f", load of the machine up to {load:.1f}" if isinstance(load, float) else ""
    return f"{text}. Measured on {machines} with {versions}{busy}" + (f"; not shown: {hidden}." if hidden else ".")


def _values(measure: Measure) -> dict[str, pl.Expr]:
    """Return how value, low and high come from the columns of the store."""
    none = pl.lit(None, pl.Float64)
    if measure in ("memory", "gpu_memory"):
        return {"value": pl.col(f"{measure}_bytes") / MIB, "low": none, "high": none}
    if measure == "images_per_s":
        batch = pl.col("batch_size")
        return {"value": pl.col("images_per_s"), "low": batch / pl.col("p90_s"), "high": batch / pl.col("p10_s")}
    per_batch = 1000 / (pl.col("batch_size") if measure == "image_ms" else 1)
    names = {"value": "median_s", "low": "p10_s", "high": "p90_s"}
    return {name: pl.col(column) * per_batch for name, column in names.items()}


def _lines(table: pl.DataFrame, run_id: str) -> list[tuple[str, str, str]]:
    part = table.filter(pl.col("run_id") == run_id).select(_LINE).unique(maintain_order=True)
    return [(str(row[0]), str(row[1]), str(row[2])) for row in part.iter_rows()]


def _why(measured: pl.DataFrame, run_id: str, measure: Measure) -> str:
    if measured.filter(pl.col("run_id") == run_id).is_empty():
        return NOT_MEASURED
    return "no GPU computed" if measure == "gpu_memory" else "memory could not be measured"


def _hover(row: Mapping[str, Any]) -> str:
    load = "" if row["load_1min"] is None else f", load of the machine {row['load_1min']:.1f}"
    lines = [
        f"<b>{escaped(row['label'])}</b>, batch of {row['batch_size']}",
        f"{_number(1000 * row['median_s'])} ms a batch [{_number(1000 * row['p10_s'])}, "
        f"{_number(1000 * row['p90_s'])}], median of n = {row['n']} calls, 10 to 90 %",
        f"{_number(1000 * row['median_s'] / row['batch_size'])} ms an image, {_number(row['images_per_s'])} images/s",
        "" if row["memory_bytes"] is None else f"memory grew by {_number(row['memory_bytes'] / MIB)} MiB",
        "" if row["gpu_memory_bytes"] is None else f"{_number(row['gpu_memory_bytes'] / MIB)} MiB on the GPU",
        escaped(row["hardware"]),
        escaped(row["versions"]),
        f"{row['measured_at']:%Y-%m-%d %H:%M} UTC{load}",
    ]
    return "<br>".join(line for line in lines if line)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
