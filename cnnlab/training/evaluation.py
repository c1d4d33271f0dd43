"""How well a trained network answers on a split."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cnnlab.errors import TrainingError
from cnnlab.training.model import as_dict

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
        of_truth = self.probabilities[np.arange(len(self.labels)), self.labels].astype(np.float64)
        return {
            "accuracy": correct / len(self.labels),
            "loss": float(-np.log(np.maximum(of_truth, SMALLEST_PROBABILITY)).mean()),
            "correct": correct,
            "n": len(self.labels),
        }


def evaluate(
    network: keras.Model, images: NDArray[np.uint8], labels: Mapping[str, NDArray[np.int32]]
) -> dict[str, Answers]:
    """Return the network's answers on `images` by output, in their order.

    Raises:
        TrainingError: an answer is no number, so nothing can be said of the network.
    """
    chunks: dict[str, list[NDArray[np.float32]]] = {name: [] for name in labels}
    predict = _Predictor(network)
    for start in range(0, len(images), BATCH_SIZE):
        batch = np.asarray(images[start : start + BATCH_SIZE], dtype=np.float32)
        for name, logits in as_dict(predict(batch), labels).items():
            chunks[name].append(softmax(_numbers(logits, name)))
    return {name: Answers(np.asarray(labels[name]), np.concatenate(chunks[name])) for name in labels}


def _numbers(logits: Any, output: str) -> NDArray[np.float32]:
    numbers = np.asarray(logits)
    if not np.isfinite(numbers).all():
        raise TrainingError("nan_loss", f"The network's answers for {output!r} are no numbers any more.")
    return numbers


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return probabilities `(n, num_classes)` that sum to one in each row."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


class _Predictor:
    """Keras's compiled step for one batch; a short last batch is filled up so that one shape is compiled."""

    def __init__(self, network: keras.Model) -> None:
        self._network = network

    def __call__(self, batch: NDArray[np.float32]) -> Any:
        missing = BATCH_SIZE - len(batch)
        filled = np.concatenate([batch, np.zeros((missing, *batch.shape[1:]), batch.dtype)]) if missing else batch
        answer = self._network.predict_on_batch(filled)
        if isinstance(answer, Mapping):
            return {name: values[: len(batch)] for name, values in answer.items()}
        return answer[: len(batch)]
