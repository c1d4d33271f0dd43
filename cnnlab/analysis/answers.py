"""What a network said of each image of one output: the true classes and the probabilities, as arrays."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray


@dataclass(frozen=True)
class Answers:
    """The images whose probabilities are all numbers.

    Attributes:
        labels: `(n,)` int64, the true classes.
        probabilities: `(n, num_classes)` float32, as stored: they may be exactly 0 or 1.
        left_out: Images of which a probability is NaN or infinite; they are in neither array.
    """

    labels: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    left_out: int = 0

    @property
    def n(self) -> int:
        return len(self.labels)

    @property
    def num_classes(self) -> int:
        return int(self.probabilities.shape[1])

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """`(n,)` the class of the highest probability, the first of several."""
        return self.probabilities.argmax(axis=1)

    @cached_property
    def is_right(self) -> NDArray[np.bool_]:
        """`(n,)`."""
        return self.predicted == self.labels

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """`(n,)` the highest probability."""
        return self.probabilities.max(axis=1) if self.n else np.zeros(0, np.float32)

    @cached_property
    def of_truth(self) -> NDArray[np.float32]:
        """`(n,)` the probability of the true class."""
        return self.probabilities[np.arange(self.n), self.labels]


def answers_of(
    predictions: pl.DataFrame, num_classes: int, *, output: str | None = None, split: str = "test"
) -> Answers:
    """Return the answers of one run on one split.

    Args:
        predictions: Columns split, output, label, probabilities, of one run.
        num_classes: Of the output.
        output: Which output; the first that comes when left out.
        split: `test` or `val`.

    Raises:
        ValueError: a row has another number of probabilities, or a label is no class.
    """
    rows = rows_of(predictions, output, split)
    lengths = rows["probabilities"].list.len()
    if rows.height and (lengths != num_classes).any():
        raise ValueError(f"Rows of {lengths.unique().to_list()} probabilities. Expected {num_classes} in each.")
    probabilities = rows["probabilities"].list.to_array(num_classes).to_numpy().astype(np.float32, copy=False)
    labels = rows["label"].to_numpy().astype(np.int64)
    outside = labels[(labels < 0) | (labels >= num_classes)]
    if outside.size:
        raise ValueError(f"label {outside[0]} is out of range. Expected an integer in [0, {num_classes}).")
    is_known = np.isfinite(probabilities).all(axis=1)
    if is_known.all():
        return Answers(labels, probabilities)
    return Answers(labels[is_known], probabilities[is_known], int((~is_known).sum()))


def rows_of(predictions: pl.DataFrame, output: str | None, split: str) -> pl.DataFrame:
    """Return the rows of one split and output; the first output that comes where none is named."""
    rows = predictions.filter(pl.col("split") == split)
    if output is None and rows.height:
        output = rows["output"][0]
    return rows.filter(pl.col("output") == output) if output is not None else rows
