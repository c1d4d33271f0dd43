"""How well a trained network answers on a split."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.errors import TrainingError
from cnnlab.training.test_time import View

# Evaluation needs no gradients, so a batch may be larger than in training; more than this gains nothing.
BATCH_SIZE = 256
SMALLEST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class Answers:
    """What the network said of each image of one output.

    Attributes:
        labels: `(n,)` int32, the truth.
        probabilities: `(n, num_classes)` float32.
    """

    labels: NDArray[np.int32]
    probabilities: NDArray[np.float32]

    @property
    def predicted(self) -> NDArray[np.int32]:
        return self.probabilities.argmax(axis=1).astype(np.int32)

    def scores(self) -> dict[str, Any]:
        """Return accuracy, mean cross-entropy, the count of right answers and n."""
        correct = int((self.predicted == self.labels).sum())
        # A NaN stays one: maximum hands it on.
        of_truth = self.probabilities[np.arange(len(self.labels)), self.labels].astype(np.float64)
        return {
            "accuracy": correct / len(self.labels),
            "loss": float(-np.log(np.maximum(of_truth, SMALLEST_PROBABILITY)).mean()),
            "correct": correct,
            "n": len(self.labels),
        }


Predict = Callable[[NDArray[np.uint8]], Mapping[str, NDArray[np.float32]]]


def evaluate(
    predict: Predict, images: NDArray[np.uint8], labels: Mapping[str, NDArray[np.int32]]
) -> dict[str, Answers]:
    """Return the answers on `images` by output, in their order; of a network that has diverged they are NaN.

    Args:
        predict: From `(batch, height, width, channels)` pixels to logits `(batch, num_classes)` by output.
    """
    return evaluate_views(predict, images, labels, (lambda pixels: pixels,))[0]


def evaluate_views(
    predict: Predict, images: NDArray[np.uint8], labels: Mapping[str, NDArray[np.int32]], views: Sequence[View]
) -> tuple[dict[str, Answers], dict[str, Answers]]:
    """Return the answers by the mean probability over the views of each image, and those by its first view alone.

    Args:
        predict: From `(batch, height, width, channels)` pixels to logits `(batch, num_classes)` by output.
        views: What the network sees of a batch, one after the other; the first is the image as it is.
    """
    chunks: dict[str, list[NDArray[np.float32]]] = {name: [] for name in labels}
    plain: dict[str, list[NDArray[np.float32]]] = {name: [] for name in labels}
    for start in range(0, len(images), BATCH_SIZE):
        batch = images[start : start + BATCH_SIZE]
        seen = [_probabilities(predict, view(batch)) for view in views]
        for name in labels:
            plain[name].append(seen[0][name])
            chunks[name].append(np.mean([one[name] for one in seen], axis=0, dtype=np.float32))
    return _joined(chunks, labels), _joined(plain, labels)


def _joined(
    chunks: Mapping[str, list[NDArray[np.float32]]], labels: Mapping[str, NDArray[np.int32]]
) -> dict[str, Answers]:
    return {name: Answers(np.asarray(labels[name]), np.concatenate(parts)) for name, parts in chunks.items()}


def _probabilities(predict: Predict, images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    return {name: softmax(np.asarray(logits, np.float32)) for name, logits in _predicted(predict, images).items()}


def check_answers(answers: Mapping[str, Answers]) -> None:
    """Refuse answers that are no numbers: nothing can be said of the network.

    Raises:
        TrainingError: so it is for some output.
    """
    for name, one in answers.items():
        if not np.isfinite(one.probabilities).all():
            raise TrainingError("nan_loss", f"The network's answers for {name!r} are no numbers any more.")


def losses_and_accuracies(
    answers: Mapping[str, Answers], weights: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Return `loss`, the sum over the outputs, and loss and accuracy of each as `label/loss`.

    Args:
        weights: Of each output in the sum; 1 where left out.
    """
    scores = {name: one.scores() for name, one in answers.items()}
    values = {f"{name}/{metric}": score[metric] for name, score in scores.items() for metric in ("loss", "accuracy")}
    total = sum((weights or {}).get(name, 1.0) * score["loss"] for name, score in scores.items())
    return {"loss": total, **values}


def _predicted(predict: Predict, images: NDArray[np.uint8]) -> Mapping[str, NDArray[np.float32]]:
    """Predict one batch; a short one is filled up, so that one shape is compiled."""
    missing = BATCH_SIZE - len(images)
    if missing:
        images = np.concatenate([images, np.zeros((missing, *images.shape[1:]), images.dtype)])
    return {name: logits[: BATCH_SIZE - missing] for name, logits in predict(images).items()}


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return probabilities `(n, num_classes)` that sum to one in each row."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
