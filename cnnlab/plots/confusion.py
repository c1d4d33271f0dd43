"""Which class is taken for which, as a square: counts, or shares of each true class."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import plotly.graph_objects as go
import polars as pl

from cnnlab.analysis.confusion import Matrix, confusion_matrix, most_confused, normalise_rows, overall
from cnnlab.analysis.intervals import wilson
from cnnlab.plots.labels import plural, unique_labels
from cnnlab.plots.palette import sequential
from cnnlab.plots.template import empty_figure, new_figure

# Up to that many classes the number stands in its cell; beyond, it is in the hover text.
ANNOTATED_CLASSES = 20


@dataclass(frozen=True)
class ConfusionInfo:
    """Counts (rows the true class), and top-1 with its Wilson 95 % interval.

    Attributes:
        unanswered: Images whose probabilities were no numbers: they stand in no cell.
    """

    matrix: Matrix
    class_names: tuple[str, ...]
    split: str
    correct: int
    n: int
    low: float
    high: float
    unanswered: int = 0

    @property
    def is_empty(self) -> bool:
        return self.n == 0

    @property
    def accuracy(self) -> float:
        """In [0, 1]; NaN without images."""
        return self.correct / self.n if self.n else float("nan")


def confusion_info(
    predictions: pl.DataFrame, class_names: Sequence[str], *, output: str | None = None, split: str = "test"
) -> ConfusionInfo:
    """Return the confusion matrix of one run.

    Args:
        predictions: Columns split, output, label, predicted, of one run.
        class_names: Of the output, in the order of the labels.
        output: Which output; the first that comes when left out.
        split: `test` or `val`.
    """
    rows = predictions.filter(pl.col("split") == split)
    if output is None and rows.height:
        output = rows["output"][0]
    rows = rows.filter(pl.col("output") == output) if output is not None else rows
    unanswered = rows["predicted"].null_count()
    rows = rows.drop_nulls("predicted")
    matrix = confusion_matrix(rows["label"].to_numpy(), rows["predicted"].to_numpy(), len(class_names))
    correct, n = overall(matrix)
    return ConfusionInfo(matrix, tuple(class_names), split, correct, n, *wilson(correct, n), unanswered)


def confusion(
    info: ConfusionInfo,
    values: Literal["counts", "shares"] = "counts",
    *,
    is_dark: bool = False,
    height_px: int = 480,
) -> go.Figure:
    """Draw the matrix as a square heatmap; zeros stay blank, small shares get more of the colour scale.

    Args:
        info: From `confusion_info`.
        values: Numbers of images, or their shares of each row.
        is_dark: The page is dark: then the empty cells are.
        height_px: The square is as large as height and width of the page allow.
    """
    if info.is_empty:
        return empty_figure(f"No predictions on {info.split} yet: they come when the run has ended.")
    labels = unique_labels(info.class_names, 22)
    has_shares = values == "shares"
    numbers = normalise_rows(info.matrix) if has_shares else info.matrix
    # Mistakes are rare beside the diagonal; a straight scale would leave them all the colour of zero.
    scale = sequential(is_dark, power=2.0)
    is_annotated = len(labels) <= ANNOTATED_CLASSES
    unit = "% of the true class" if has_shares else "images"
    figure = new_figure(
        x_title=f"Predicted class (cells: {unit})" if is_annotated else "Predicted class",
        y_title="True class",
        height_px=height_px,
    )
    figure.add_heatmap(
        z=numbers,
        x=labels,
        y=labels,
        customdata=info.matrix.tolist(),
        text=_cell_texts(info, has_shares) if is_annotated else None,
        texttemplate="%{text}" if is_annotated else None,
        textfont={"size": 12 if len(labels) <= 12 else 9},
        colorscale=scale,
        zmin=0,
        zmax=1 if has_shares else max(1, int(info.matrix.max())),
        xgap=1 if len(labels) <= 40 else 0,
        ygap=1 if len(labels) <= 40 else 0,
        # Numbers in the cells say more than a bar of colours, which takes their room.
        showscale=not is_annotated,
        colorbar={
            "title": {"text": "Share of true class (%)" if has_shares else "Images", "side": "right"},
            "tickformat": ".0%" if has_shares else "~s",
            "thickness": 10,
            "outlinewidth": 0,
        },
        hovertemplate="true %{y}<br>predicted %{x}<br>images: %{customdata}"
        + ("<br>share of the true class: %{z:.1%}" if has_shares else "")
        + "<extra></extra>",
    )
    figure.update_xaxes(constrain="domain", showgrid=False, type="category", side="bottom")
    figure.update_yaxes(
        constrain="domain", showgrid=False, type="category", autorange="reversed", scaleanchor="x", scaleratio=1
    )
    return figure


def confusion_summary(info: ConfusionInfo) -> str:
    """Return one sentence: n, accuracy with its interval, and the most frequent mistake."""
    if info.is_empty:
        return f"No predictions on {info.split} are known yet."
    text = (
        f"Confusion matrix of {plural(info.n, 'image')} of {info.split} in "
        f"{plural(len(info.class_names), 'class', 'classes')}: {100 * info.accuracy:.2f} % right "
        f"(95 % interval {100 * info.low:.2f} to {100 * info.high:.2f} %)"
    )
    worst = most_confused(info.matrix, info.class_names, 1)
    if worst.height:
        row = worst.row(0, named=True)
        text += f"; most often {row['true']} is taken for {row['predicted']} ({plural(row['n'], 'time')})"
    if info.unanswered:
        text += f"; {plural(info.unanswered, 'image')} without an answer left out"
    return text + "."


def _cell_texts(info: ConfusionInfo, has_shares: bool) -> list[list[str]]:
    if not has_shares:
        return [[f"{count:,}" if count else "" for count in row] for row in info.matrix.tolist()]
    shares = np.nan_to_num(normalise_rows(info.matrix)).tolist()
    return [[_percent(share) for share in row] for row in shares]


def _percent(share: float) -> str:
    """Return whole percents, and never `0` for something nor `100` for not quite all."""
    if share == 0:
        return ""
    if share < 0.005:
        return "<1"
    return ">99" if 0.995 <= share < 1 else f"{100 * share:.0f}"
