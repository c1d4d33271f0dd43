"""Which class is taken for which: the matrix, and what follows from it per class.

Rows are the true classes, columns the predicted ones. What divides by zero is missing, never zero.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from cnnlab.analysis.seriation import similarity_order

Matrix = NDArray[np.int64]
Cells = Literal["counts", "rows", "columns"]
Order = Literal["class", "size", "similarity"]


def confusion_matrix(labels: ArrayLike, predicted: ArrayLike, num_classes: int) -> Matrix:
    """Return `(num_classes, num_classes)` counts of images, rows the true class.

    Raises:
        ValueError: the lengths differ, or a class is not in [0, num_classes).
    """
    true, guess = np.asarray(labels, dtype=np.int64), np.asarray(predicted, dtype=np.int64)
    if true.shape != guess.shape or true.ndim != 1:
        raise ValueError(f"{true.shape} labels and {guess.shape} predictions. Expected two lists of one length.")
    for name, values in (("label", true), ("prediction", guess)):
        outside = values[(values < 0) | (values >= num_classes)]
        if outside.size:
            raise ValueError(f"{name} {outside[0]} is out of range. Expected an integer in [0, {num_classes}).")
    counts = np.bincount(true * num_classes + guess, minlength=num_classes * num_classes)
    return counts.reshape(num_classes, num_classes)


def normalise_rows(matrix: Matrix) -> NDArray[np.float64]:
    """Return the shares of each true class; the row of a class without images is NaN."""
    totals = matrix.sum(axis=1, keepdims=True).astype(np.float64)
    return np.divide(matrix, totals, out=np.full(matrix.shape, np.nan), where=totals > 0)


def normalise_columns(matrix: Matrix) -> NDArray[np.float64]:
    """Return the shares of what was taken for each class; the column of a class never predicted is NaN."""
    return normalise_rows(matrix.T).T


def cell_values(matrix: Matrix, cells: Cells) -> NDArray[np.float64] | Matrix:
    """Return the counts, or their shares of each row or column."""
    if cells == "counts":
        return matrix
    return normalise_rows(matrix) if cells == "rows" else normalise_columns(matrix)


def class_order(matrix: Matrix, order: Order) -> NDArray[np.int64]:
    """Return the classes, which are numbers of rows, in an order that is the same for rows and columns.

    Args:
        order: `class` as they are numbered, `size` the most images first, `similarity` so that classes
            which are taken for each other stand beside each other, and blocks show.
    """
    if order == "size":
        return np.argsort(-matrix.sum(axis=1), kind="stable")
    if order == "similarity":
        shares = np.nan_to_num(normalise_rows(matrix))
        return similarity_order((shares + shares.T) / 2)
    return np.arange(len(matrix))


def overall(matrix: Matrix) -> tuple[int, int]:
    """Return the right answers and all answers, which `wilson` takes."""
    return int(np.trace(matrix)), int(matrix.sum())


def per_class(matrix: Matrix, class_names: Sequence[str]) -> pl.DataFrame:
    """Return one row per class: class, n (images), precision, recall, f1.

    Null where undefined: precision if nothing was taken for the class, recall if no image is of it,
    f1 (2 tp / (2 tp + fp + fn)) if neither. A class with images that was never predicted has f1 = 0.
    """
    hits = np.diag(matrix).astype(np.float64)
    taken, images = matrix.sum(axis=0), matrix.sum(axis=1)
    return pl.DataFrame(
        {
            "class": list(class_names),
            "n": images,
            "precision": _share(hits, taken),
            "recall": _share(hits, images),
            "f1": _share(2 * hits, taken + images),
        },
        schema={"class": pl.String, "n": pl.Int64, "precision": pl.Float64, "recall": pl.Float64, "f1": pl.Float64},
    )


def most_confused(matrix: Matrix, class_names: Sequence[str], count: int = 10) -> pl.DataFrame:
    """Return the `count` most frequent mistakes: true, predicted, n, share (of the true class's images)."""
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[: max(count, 0)]
    rows, columns = np.unravel_index(order, wrong.shape)
    numbers = wrong[rows, columns]
    keep = numbers > 0
    rows, columns, numbers = rows[keep], columns[keep], numbers[keep]
    return pl.DataFrame(
        {
            "true": [class_names[row] for row in rows],
            "predicted": [class_names[column] for column in columns],
            "n": numbers,
            "share": numbers / matrix.sum(axis=1)[rows],
        },
        schema={"true": pl.String, "predicted": pl.String, "n": pl.Int64, "share": pl.Float64},
    )


def _share(part: NDArray[np.float64], whole: Matrix) -> list[float | None]:
    return [float(p) / float(w) if w else None for p, w in zip(part, whole, strict=True)]
