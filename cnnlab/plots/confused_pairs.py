"""The most frequent mistakes as bars: what is taken for what, how often."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import polars as pl

from cnnlab.analysis.confusion import Matrix, most_confused
from cnnlab.analysis.intervals import wilson
from cnnlab.analysis.share_intervals import over_seeds_and_images, shares, wilson_ends
from cnnlab.plots.confusion import confusion_info
from cnnlab.plots.labels import plural, unique_labels
from cnnlab.plots.palette import CATEGORICAL, NEUTRAL
from cnnlab.plots.template import empty_figure, new_figure

ROW_PX = 26
HOW_TO_READ = """\
Each bar is one kind of mistake: *true class* → *what it was taken for*. Its length is the share of the images of the
true class; the line is the 95 % interval: Wilson's over the images of one run; of a group over seeds and images, so
never shorter than its images allow, also where all seeds agree.

- The order is by the number of images, so a rare class with a large share may stand below.
- Where both directions are long (cat → dog and dog → cat), the two classes look alike to the network; where one is,
  the network leans towards that class.
- The most frequent of many kinds of mistakes are also the luckiest: on other images their share will be a bit lower.
"""


@dataclass(frozen=True)
class PairsInfo:
    """The most frequent mistakes.

    Attributes:
        table: Columns true, predicted (names), cell (`true * num_classes + predicted`), n (answers), of (answers for
            images of the true class), share, low, high; null where unknown.
    """

    table: pl.DataFrame
    num_runs: int
    num_wrong: int
    num_kinds: int
    split: str

    @property
    def is_empty(self) -> bool:
        return self.table.is_empty()


def confused_pairs_info(
    predictions: pl.DataFrame,
    class_names: Sequence[str],
    *,
    output: str | None = None,
    split: str = "test",
    count: int = 12,
) -> PairsInfo:
    """Return the `count` most frequent mistakes of one run, or of several together.

    Args:
        predictions: As of `confusion_info`.
    """
    whole = confusion_info(predictions, class_names, output=output, split=split)
    by_number = most_confused(whole.matrix, [str(number) for number in range(len(class_names))], count)
    needed = predictions.select("run_id", "split", "output", "label", "predicted") if whole.num_runs > 1 else None
    runs = [] if needed is None else needed.partition_by("run_id")
    by_run = [confusion_info(run, class_names, output=output, split=split).matrix for run in runs]
    rows = []
    for row in by_number.iter_rows(named=True):
        true, predicted = int(row["true"]), int(row["predicted"])
        of = int(whole.matrix[true].sum())
        low, high = _over_runs(by_run, true, predicted) if by_run else wilson(row["n"], of)
        names = (class_names[true], class_names[predicted], true * len(class_names) + predicted)
        rows.append((*names, row["n"], of, row["share"], *(None if math.isnan(end) else end for end in (low, high))))
    schema = {"true": pl.String, "predicted": pl.String, "cell": pl.Int64, "n": pl.Int64, "of": pl.Int64}
    table = pl.DataFrame(
        rows, schema={**schema, "share": pl.Float64, "low": pl.Float64, "high": pl.Float64}, orient="row"
    )
    num_kinds = int((whole.matrix > 0).sum() - (whole.matrix.diagonal() > 0).sum())
    return PairsInfo(table, whole.num_runs, whole.n - whole.correct, num_kinds, split)


def _over_runs(matrices: Sequence[Matrix], true: int, predicted: int) -> tuple[float, float]:
    """Return the interval of the share of a mistake over the seeds and images of a group."""
    hits = np.array([[matrix[true, predicted]] for matrix in matrices])
    images = np.array([[matrix[true].sum()] for matrix in matrices])
    _, low, high, _ = over_seeds_and_images(shares(hits, images), *wilson_ends(hits, images))
    return float(low[0]), float(high[0])


def confused_pairs(info: PairsInfo) -> go.Figure:
    """Draw one bar per kind of mistake, the most frequent on top; its customdata begins with the cell."""
    if info.is_empty:
        return empty_figure("No mistake: nothing was taken for something else.")
    table = info.table
    labels = unique_labels((f"{true} → {taken}" for true, taken in table.select("true", "predicted").rows()), 36)
    height = 90 + ROW_PX * table.height
    figure = new_figure(x_title="Share of the true class's images (%)", y_title="True → predicted", height_px=height)
    figure.add_bar(
        x=100 * table["share"].to_numpy(),
        y=labels,
        orientation="h",
        customdata=table.select("cell", "n", "of").to_numpy(),
        marker={"color": CATEGORICAL[0]},
        error_x={
            "type": "data", "symmetric": False, "color": NEUTRAL, "thickness": 1.5, "width": 4,
            "array": (100 * (table["high"] - table["share"])).fill_null(0).clip(0).to_numpy(),
            "arrayminus": (100 * (table["share"] - table["low"])).fill_null(0).clip(0).to_numpy(),
        },
        hovertemplate="%{y}<br>%{customdata[1]} of %{customdata[2]} (%{x:.1f} %)<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False, title_standoff=18)
    figure.update_xaxes(rangemode="tozero")
    figure.update_layout(showlegend=False)
    return figure


def confused_pairs_summary(info: PairsInfo) -> str:
    """Return one sentence: how many mistakes of how many kinds, and the most frequent."""
    if info.is_empty:
        return f"There is no mistake on {info.split}."
    first = info.table.row(0, named=True)
    over = f" of {info.num_runs} runs" if info.num_runs > 1 else ""
    share = f"{100 * first['share']:.1f} % of {first['true']}, n = {first['of']:,}"
    if first["low"] is not None:
        kind = " over seeds and images" if info.num_runs > 1 else ""
        share += f", 95 % interval{kind} {100 * first['low']:.1f} to {100 * first['high']:.1f} %"
    return (
        f"{plural(info.num_wrong, 'mistake')}{over} of {plural(info.num_kinds, 'kind')} on {info.split}; most often "
        f"{first['true']} is taken for {first['predicted']} ({plural(first['n'], 'time')}: {share})."
    )
