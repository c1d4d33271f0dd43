"""Which class is taken for which, as a square: counts, or shares of each true or each predicted class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl
from numpy.typing import NDArray

from cnnlab.analysis.confusion import Cells, Matrix, cell_values, confusion_matrix, most_confused, overall
from cnnlab.analysis.intervals import student, wilson
from cnnlab.plots.labels import plural, unique_labels
from cnnlab.plots.palette import sequential
from cnnlab.plots.square import ANNOTATED_CLASSES, Square, add_cells, square_figure
from cnnlab.plots.template import empty_figure

UNITS = {"counts": "images", "rows": "% of the true class", "columns": "% of the predicted class"}
SCALES = {"counts": "Images", "rows": "Share of true class (%)", "columns": "Share of predicted class (%)"}
HOW_TO_READ = """\
Each row is a true class, each column what the network took it for; **the diagonal is right**, all else are mistakes.

- *Share of each true class* divides each row by its images: the diagonal is then the recall of each class.
- *Share of each predicted class* divides each column: the diagonal is then the precision.
- *By similarity* puts classes that are taken for each other side by side: mistakes gather in blocks.
- Of a group a count is the mean over its runs, so that it compares with that of one run.
- Small numbers get more of the colour scale than large ones, so that rare mistakes show: read the number.
- One mistake of a rare class is a large share: look at the counts before you conclude something.
"""


@dataclass(frozen=True)
class ConfusionInfo:
    """Counts (rows the true class), and top-1 with its 95 % interval.

    Attributes:
        n: Answers: images, times runs where several are summed up.
        low: Of the Wilson interval of one run, of Student's over several; `high` likewise. NaN where unknown.
        unanswered: Images whose probabilities were no numbers: they stand in no cell.
        num_runs: How many runs are summed up.
    """

    matrix: Matrix
    class_names: tuple[str, ...]
    split: str
    correct: int
    n: int
    low: float
    high: float
    unanswered: int = 0
    num_runs: int = 1

    @property
    def is_empty(self) -> bool:
        return self.n == 0

    @property
    def counts(self) -> NDArray[Any]:
        """Images in each cell, of several runs on average over them."""
        return self.matrix if self.num_runs == 1 else self.matrix / self.num_runs

    @property
    def unit(self) -> str:
        """What `counts` are of."""
        return "images" if self.num_runs == 1 else f"images, mean of {self.num_runs} runs"

    @property
    def accuracy(self) -> float:
        """In [0, 1]; NaN without images."""
        return self.correct / self.n if self.n else float("nan")


def confusion_info(
    predictions: pl.DataFrame, class_names: Sequence[str], *, output: str | None = None, split: str = "test"
) -> ConfusionInfo:
    """Return the confusion matrix of one run, or the sum over several, such as the seeds of a group.

    Args:
        predictions: Columns split, output, label, predicted; and run_id where several runs are in it.
        class_names: Of the output, in the order of the labels.
        output: Which output; the first that comes when left out.
        split: `test` or `val`.
    """
    needed = [name for name in ("run_id", "split", "output", "label", "predicted") if name in predictions.columns]
    rows = predictions.select(needed).filter(pl.col("split") == split)  # probabilities need not be moved
    if output is None and rows.height:
        output = rows["output"][0]
    rows = rows.filter(pl.col("output") == output) if output is not None else rows
    unanswered = rows["predicted"].null_count()
    rows = rows.drop_nulls("predicted")
    matrix = confusion_matrix(rows["label"].to_numpy(), rows["predicted"].to_numpy(), len(class_names))
    correct, n = overall(matrix)
    by_run = _accuracies(rows)
    low, high = over_runs(by_run) if len(by_run) > 1 else wilson(correct, n)
    return ConfusionInfo(matrix, tuple(class_names), split, correct, n, low, high, unanswered, max(1, len(by_run)))


def over_runs(shares: Sequence[float]) -> tuple[float, float]:
    """Return Student's 95 % interval within [0, 1]; NaN where there are fewer than two shares, or all are the same."""
    _, low, high = student(shares)
    if not low < high:  # runs that agree to the last image do not prove that all will
        return float("nan"), float("nan")
    return max(0.0, low), min(1.0, high)


def _accuracies(rows: pl.DataFrame) -> list[float]:
    """Return the accuracy of each run."""
    if "run_id" not in rows.columns:
        return []
    by_run = rows.group_by("run_id").agg((pl.col("label") == pl.col("predicted")).mean().alias("accuracy"))
    return by_run["accuracy"].to_list()


def confusion(
    info: ConfusionInfo,
    cells: Cells = "counts",
    *,
    order: NDArray[np.int64] | None = None,
    chosen: tuple[int, int] | None = None,
    has_diagonal: bool = True,
    is_dark: bool = False,
    height_px: int = 480,
) -> go.Figure:
    """Draw the matrix as a square; zeros stay blank, small numbers get more of the colour scale.

    Args:
        info: From `confusion_info`.
        cells: Numbers of images, or their shares of each row or column.
        order: The classes from left to right and from top to bottom, as of `class_order`.
        chosen: True and predicted class of a cell to be marked.
        has_diagonal: False leaves what is right blank, and gives mistakes the whole scale of colours.
        is_dark: The page is dark: then the empty cells are.
        height_px: The square is as large as height and width of the page allow.

    A point's customdata begins with the cell, `true * num_classes + predicted`.
    """
    if info.is_empty:
        return empty_figure(f"No predictions on {info.split} yet: they come when the run has ended.")
    is_annotated = len(info.class_names) <= ANNOTATED_CLASSES
    figure = square_figure(
        unique_labels(info.class_names, 22),
        order,
        chosen,
        x_title=f"Predicted class (cells: {info.unit if cells == 'counts' else UNITS[cells]})"
        if is_annotated
        else "Predicted class",
        y_title="True class",
        height_px=height_px,
    )
    is_share = cells != "counts"
    values: NDArray[Any] = cell_values(info.matrix, cells) if is_share else info.counts
    counts = info.matrix
    if not has_diagonal:
        values, counts = (np.where(np.eye(len(counts), dtype=bool), 0, array) for array in (values, counts))
    highest = float(np.nanmax(values, initial=0))
    square = Square(
        values=values,
        counts=counts,
        low=0,
        high=1 if is_share and has_diagonal else highest or 1,
        # Mistakes are rare beside the diagonal; a straight scale would leave them all the colour of zero.
        colours=sequential(is_dark, power=2.0),
        title=SCALES[cells],
        tick_format=".0%" if is_share else "~s",
        text=_percent if is_share else _count,
        hover=_hover(info) + (f"<br>{UNITS[cells][2:]}: %{{customdata[2]:.1%}}" if is_share else ""),
    )
    add_cells(figure, square, order)
    return figure


def confusion_summary(info: ConfusionInfo) -> str:
    """Return one sentence: n, accuracy with its interval, and the most frequent mistake."""
    if info.is_empty:
        return f"No predictions on {info.split} are known yet."
    several = f", mean of {info.num_runs} runs" if info.num_runs > 1 else ""
    over = " over runs" if info.num_runs > 1 else ""
    n = plural(info.n, "image") if info.num_runs == 1 else f"{info.n:,} answers"
    text = (
        f"Confusion matrix of {n} of {info.split} in {plural(len(info.class_names), 'class', 'classes')}{several}: "
        f"{100 * info.accuracy:.2f} % right"
    )
    if info.low == info.low:
        text += f" (95 % interval{over} {100 * info.low:.2f} to {100 * info.high:.2f} %)"
    worst = most_confused(info.matrix, info.class_names, 1)
    if worst.height:
        row = worst.row(0, named=True)
        text += f"; most often {row['true']} is taken for {row['predicted']} ({_times(info, row['n'])})"
    if info.unanswered:
        text += f"; {plural(info.unanswered, 'image')} without an answer left out"
    return text + "."


def confusion_numbers(info: ConfusionInfo) -> pl.DataFrame:
    """Return the cells that are not empty: true, predicted, n (of all runs), and their shares of both classes."""
    rows, columns = np.nonzero(info.matrix)
    names = np.array(info.class_names, dtype=object)
    return pl.DataFrame(
        {
            "true": names[rows].tolist(),
            "predicted": names[columns].tolist(),
            "n": info.matrix[rows, columns],
            "share_of_true": cell_values(info.matrix, "rows")[rows, columns],
            "share_of_predicted": cell_values(info.matrix, "columns")[rows, columns],
        },
        schema_overrides={"true": pl.String, "predicted": pl.String},
    )


def _hover(info: ConfusionInfo) -> str:
    return "images: %{customdata[1]}" + (f" in all {info.num_runs} runs" if info.num_runs > 1 else "")


def _times(info: ConfusionInfo, n: int) -> str:
    return plural(n, "time") if info.num_runs == 1 else f"{_count(n / info.num_runs)} times a run"


def _count(value: float) -> str:
    """Return whole numbers as they are, and means with a decimal that is never 0 for something."""
    if not value:
        return ""
    return f"{value:,.0f}" if value == round(value) else f"{max(value, 0.1):,.1f}"


def _percent(share: float) -> str:
    """Return whole percents, and never `0` for something nor `100` for not quite all."""
    if not share > 0:  # NaN is a class without images
        return ""
    if share < 0.005:
        return "<1"
    return ">99" if 0.995 <= share < 1 else f"{100 * share:.0f}"
