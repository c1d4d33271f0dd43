"""What one network confuses more than another: the difference of two confusion matrices, centred on zero."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import polars as pl
from numpy.typing import NDArray

from cnnlab.analysis.confusion import Cells, cell_values
from cnnlab.plots.confusion import UNITS, ConfusionInfo
from cnnlab.plots.labels import plural, unique_labels
from cnnlab.plots.palette import diverging
from cnnlab.plots.square import ANNOTATED_CLASSES, Square, add_cells, square_figure
from cnnlab.plots.template import empty_figure

HOW_TO_READ = """\
Each cell is B minus A. **Orange: B does it more often than A. Blue: B does it less often.**

- On the diagonal more is better: orange there is a class that B gets right more often.
- Off the diagonal less is better: blue there is a mistake that B makes less often.
- Colours are the same distance apart on both sides of zero; the page's own colour is no difference.
- A cell of a few images changes by chance. Look at the counts, and at the images behind a cell, before you conclude.
"""


@dataclass(frozen=True)
class DifferenceInfo:
    """Two matrices over the same classes, the numbers of B minus those of A.

    Attributes:
        values: `(n, n)` images of one run, or shares; NaN where one of them has no images.
    """

    a: ConfusionInfo
    b: ConfusionInfo
    names: tuple[str, str]
    cells: Cells
    values: NDArray[np.float64]

    @property
    def unit(self) -> str:
        """What the numbers of `counts` are of."""
        return "images" if self.a.num_runs == self.b.num_runs == 1 else "images, means over runs"

    @property
    def is_empty(self) -> bool:
        return self.a.is_empty or self.b.is_empty


def confusion_difference_info(
    a: ConfusionInfo, b: ConfusionInfo, names: tuple[str, str], cells: Cells = "counts"
) -> DifferenceInfo:
    """Return what B does more often than A; counts of several runs are their mean.

    Raises:
        ValueError: their classes differ.
    """
    if a.class_names != b.class_names:
        raise ValueError("The two matrices have different classes. Expected the same. Choose runs of one data set.")
    one, two = (_cells(info, cells) for info in (a, b))
    return DifferenceInfo(a, b, names, cells, two - one)


def confusion_difference(
    info: DifferenceInfo,
    *,
    order: NDArray[np.int64] | None = None,
    chosen: tuple[int, int] | None = None,
    is_dark: bool = False,
    height_px: int = 480,
) -> go.Figure:
    """Draw the difference as a square; arguments as of `confusion`."""
    if info.is_empty:
        return empty_figure("A difference takes two tested runs.")
    is_share = info.cells != "counts"
    unit = "points of " + UNITS[info.cells][5:] if is_share else info.unit
    is_annotated = len(info.a.class_names) <= ANNOTATED_CLASSES
    figure = square_figure(
        unique_labels(info.a.class_names, 22),
        order,
        chosen,
        x_title=f"Predicted class (cells: B minus A, {unit})" if is_annotated else "Predicted class",
        y_title="True class",
        height_px=height_px,
    )
    largest = float(np.nanmax(np.abs(info.values), initial=0)) or 1.0
    square = Square(
        values=info.values,
        counts=info.a.matrix + info.b.matrix,
        low=-largest,
        high=largest,
        colours=diverging(is_dark, power=1.6),
        title=f"B minus A ({'points' if is_share else info.unit})",
        tick_format="+.0%" if is_share else "+~s",
        text=_points if is_share else _images,
        hover="B minus A: " + ("%{customdata[2]:+.1%}" if is_share else f"%{{customdata[2]:+.3~g}} {info.unit}"),
    )
    add_cells(figure, square, order)
    return figure


def confusion_difference_summary(info: DifferenceInfo) -> str:
    """Return sentences: both accuracies with n, and the largest changes off the diagonal."""
    if info.is_empty:
        return "A difference takes two tested runs."
    sides = (f"{_side(one)} of {letter} ({name})" for one, letter, name in _sides(info))
    text = f"Confusion of B minus A on {info.b.split}: {' and '.join(sides)} are right"
    unit = "images" if info.cells == "counts" else "points"
    write = _images if info.cells == "counts" else _points
    changes = [
        f"{word} often {info.a.class_names[row]} for {info.a.class_names[column]} ({write(value)} {unit})"
        for word, value, row, column in _largest(info)
    ]
    return f"{text}; B takes {', and '.join(changes)}." if changes else f"{text}."


def _sides(info: DifferenceInfo) -> list[tuple[ConfusionInfo, str, str]]:
    return [(info.a, "A", info.names[0]), (info.b, "B", info.names[1])]


def confusion_difference_numbers(info: DifferenceInfo) -> pl.DataFrame:
    """Return the cells that hold an answer of A or B: true, predicted, a, b and their difference."""
    one, two = (_cells(matrix, info.cells) for matrix in (info.a, info.b))
    rows, columns = np.nonzero(info.a.matrix + info.b.matrix)
    names = np.array(info.a.class_names, dtype=object)
    numbers = {"a": one[rows, columns], "b": two[rows, columns], "difference": info.values[rows, columns]}
    return pl.DataFrame(
        {"true": names[rows].tolist(), "predicted": names[columns].tolist(), **numbers},
        schema_overrides={"true": pl.String, "predicted": pl.String},
    ).with_columns(pl.col("a", "b", "difference").fill_nan(None))


def _cells(info: ConfusionInfo, cells: Cells) -> NDArray[np.float64]:
    return np.asarray(info.counts if cells == "counts" else cell_values(info.matrix, cells), np.float64)


def _largest(info: DifferenceInfo) -> list[tuple[str, float, int, int]]:
    """Return the mistake that B makes more often, and the one it makes less often, by how much."""
    wrong = np.where(np.eye(len(info.values), dtype=bool), 0, np.nan_to_num(info.values))
    found = []
    for word, place in (("more", int(wrong.argmax())), ("less", int(wrong.argmin()))):
        row, column = divmod(place, len(wrong))
        if (wrong[row, column] > 0) == (word == "more") and wrong[row, column] != 0:
            found.append((word, float(wrong[row, column]), row, column))
    return found


def _side(info: ConfusionInfo) -> str:
    n = plural(info.n // info.num_runs, "image")
    runs = f", mean of {info.num_runs} runs" if info.num_runs > 1 else ""
    return f"{100 * info.accuracy:.2f} % ({n}{runs})"


def _images(value: float) -> str:
    """Return whole numbers, means with a decimal, and never `+0.0` for something."""
    if not value or value != value:
        return ""
    return f"{value:+.0f}" if value == round(value) else f"{value:+.1f}" if abs(value) >= 0.05 else f"{value:+.1g}"


def _points(value: float) -> str:
    """Return points, and never `+0` for something."""
    if not value or value != value:
        return ""
    return f"{100 * value:+.0f}" if abs(value) >= 0.005 else f"{100 * value:+.1g}"
