"""What a run, or several runs together, answer to each image: for lists of images, not for scores.

Several runs are joined by the ids of the images; where they were told different labels, the image is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

# As in the scores of a run: the loss of an answer that is wrong beyond all doubt stays finite.
SMALLEST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class ImageAnswers:
    """The images that all of the runs answered, in the order of the first run.

    Attributes:
        labels: `(n,)` int64, the true classes.
        probabilities: `(n, num_classes)` float32, the mean over the runs.
        predicted_by_run: `(num_runs, n)` int64.
        left_out: Images that a run did not answer, or has under another label.
    """

    sample_ids: tuple[str, ...]
    labels: NDArray[np.int64]
    probabilities: NDArray[np.float32]
    predicted_by_run: NDArray[np.int64]
    left_out: int = 0

    @property
    def n(self) -> int:
        return len(self.labels)

    @property
    def num_runs(self) -> int:
        return len(self.predicted_by_run)

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """`(n,)` the class of the highest mean probability."""
        return self.probabilities.argmax(axis=1)

    @cached_property
    def votes(self) -> NDArray[np.int64]:
        """`(n,)` how many runs are right."""
        return (self.predicted_by_run == self.labels).sum(axis=0)

    @cached_property
    def is_right(self) -> NDArray[np.bool_]:
        """`(n,)` whether more than half of the runs are right."""
        return 2 * self.votes > self.num_runs

    @cached_property
    def of_truth(self) -> NDArray[np.float32]:
        """`(n,)` the probability of the true class."""
        return self.probabilities[np.arange(self.n), self.labels]

    @cached_property
    def losses(self) -> NDArray[np.float64]:
        """`(n,)` the cross-entropy of the mean probabilities, in nats."""
        return -np.log(np.maximum(self.of_truth.astype(np.float64), SMALLEST_PROBABILITY))


def image_answers(
    frames: Sequence[pl.DataFrame], num_classes: int, *, output: str | None = None, split: str = "test"
) -> ImageAnswers:
    """Return what the runs answer to the images that all of them know.

    Args:
        frames: Predictions, one frame per run, with the columns of `schema.PREDICTIONS`.
        num_classes: Of the output.
        output: Which output; the first that comes when left out.
    """
    rows = [_rows(frame, output, split) for frame in frames]
    whole = [frame.drop_nulls("predicted") for frame in rows]
    if not whole:
        nothing = np.zeros(0, np.int64)
        return ImageAnswers((), nothing, np.zeros((0, num_classes), np.float32), np.zeros((0, 0), np.int64))
    places = _shared(whole)
    first = whole[0]
    known = len({sample_id for frame in rows for sample_id in frame["sample_id"]}) if len(rows) > 1 else rows[0].height
    return ImageAnswers(
        tuple(first["sample_id"].gather(places[0])),
        first["label"].to_numpy().astype(np.int64)[places[0]],
        _mean([_taken(_probabilities(frame, num_classes), rows) for frame, rows in zip(whole, places, strict=True)]),
        np.stack([one["predicted"].to_numpy()[place] for one, place in zip(whole, places, strict=True)]).astype(
            np.int64
        ),
        known - len(places[0]),
    )


def top_classes(probabilities: NDArray[np.float32], count: int = 5) -> NDArray[np.int64]:
    """Return the `count` most probable classes of each row, `(n, count)`, the most probable first."""
    count = min(count, probabilities.shape[1])
    chosen = np.argpartition(-probabilities, count - 1, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(probabilities, chosen, axis=1), axis=1, kind="stable")
    return np.take_along_axis(chosen, order, axis=1)


def worst_first(answers: ImageAnswers) -> NDArray[np.int64]:
    """Return the images by the loss of their true class, the highest first."""
    return np.argsort(-answers.losses, kind="stable")


def in_cell(answers: ImageAnswers, true: int, predicted: int) -> NDArray[np.int64]:
    """Return the images of class `true` that a run took for `predicted`, the most confident first."""
    is_there = (answers.labels == true) & (answers.predicted_by_run == predicted).any(axis=0)
    places = np.flatnonzero(is_there)
    return places[np.argsort(-answers.probabilities[places, predicted], kind="stable")]


def _rows(frame: pl.DataFrame, output: str | None, split: str) -> pl.DataFrame:
    rows = frame.filter(pl.col("split") == split)
    if output is None and rows.height:
        output = rows["output"][0]
    return rows.filter(pl.col("output") == output) if output is not None else rows


def _shared(frames: Sequence[pl.DataFrame]) -> list[NDArray[np.int64]]:
    """Return, for each frame, its rows of the images that all have under the same label, in the order of the first."""
    first = frames[0]
    if all(frame["sample_id"].equals(first["sample_id"]) and frame["label"].equals(first["label"]) for frame in frames):
        return [np.arange(first.height)] * len(frames)
    joined = first.select("sample_id", "label", pl.int_range(pl.len()).alias("row_0"))
    for number, frame in enumerate(frames[1:], start=1):
        rows = frame.select("sample_id", "label", pl.int_range(pl.len()).alias(f"row_{number}"))
        joined = joined.join(rows, on=["sample_id", "label"], how="inner", maintain_order="left")
    return [joined[f"row_{number}"].to_numpy() for number in range(len(frames))]


def _taken(array: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return some rows; all of them without a copy, which of many classes takes a second."""
    return array if np.array_equal(rows, np.arange(len(array))) else array[rows]


def _mean(arrays: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    if len(arrays) == 1:
        return arrays[0]
    total = arrays[0].copy()
    for array in arrays[1:]:
        total += array
    return np.divide(total, np.float32(len(arrays)), out=total)


def _probabilities(frame: pl.DataFrame, num_classes: int) -> NDArray[np.float32]:
    """Return `(rows, num_classes)`.

    Raises:
        ValueError: a row has another number of probabilities.
    """
    flat = frame["probabilities"].explode().to_numpy()
    if len(flat) != frame.height * num_classes:
        raise ValueError(f"{len(flat)} probabilities of {frame.height} images. Expected {num_classes} of each.")
    return flat.reshape(-1, num_classes)
