"""What happens beside the steps: reporting, stopping early, refusing NaN."""

import math
import time
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cnnlab.errors import TrainingError
from cnnlab.training.recorder import Recorder

PROGRESS_EVERY_S = 0.5


class Report(keras.callbacks.Callback):
    """Send each epoch's metrics and, twice a second, the progress to a recorder."""

    def __init__(self, recorder: Recorder, rates: NDArray[np.float64], epochs: int, num_images: int) -> None:
        super().__init__()
        self.recorder = recorder
        self.rates = rates
        self.epochs = epochs
        self.num_images = num_images
        self.steps = len(rates) // epochs
        self.epochs_done = 0
        self.train_s = 0.0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._started = self._told = time.monotonic()
        self._first_batch_done: float | None = None
        self._tell(epoch=1, batch=0)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch = epoch + 1
        self._epoch_started = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        now = time.monotonic()
        if self._first_batch_done is None:
            self._first_batch_done = now
            self.recorder.event("first_batch", elapsed_s=round(now - self._started, 3))
        elif now - self._told < PROGRESS_EVERY_S:
            return
        self._told = now
        self._tell(self._epoch, batch + 1)

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._refresh()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.train_s = time.monotonic() - self._started
        self.epochs_done = epoch + 1
        step = (epoch + 1) * self.steps
        base = {"epoch": epoch + 1, "step": step, "elapsed_s": self.train_s}
        rows = [{**base, **_metric_of(name), "value": float(value)} for name, value in (logs or {}).items()]
        rate = float(self.rates[step - 1])
        rows.append({**base, "split": "train", "output": "", "metric": "learning_rate", "value": rate})
        self.recorder.metrics(rows)
        self._tell(epoch + 1, self.steps)

    def _refresh(self) -> None:
        # Validation can be long too: the time must not stand still meanwhile.
        if time.monotonic() - self._told >= PROGRESS_EVERY_S:
            self._told = time.monotonic()
            self._tell(self._epoch, self.steps)

    def _tell(self, epoch: int, batch: int) -> None:
        elapsed_s = time.monotonic() - self._started
        done = (epoch - 1) * self.steps + batch
        # The first batch holds the compilation: the estimate counts from its end.
        pace_s = elapsed_s - ((self._first_batch_done or time.monotonic()) - self._started)
        remaining = self.epochs * self.steps - done
        eta_s = pace_s / (done - 1) * remaining if done > 1 else None
        images_per_s = (done - 1) * self.num_images / self.steps / pace_s if done > 1 and pace_s > 0 else None
        self.recorder.progress(
            {
                "epoch": epoch,
                "epochs": self.epochs,
                "batch": batch,
                "batches": self.steps,
                "elapsed_s": round(elapsed_s, 3),
                "eta_s": None if eta_s is None else round(eta_s, 1),
                "images_per_s": None if images_per_s is None else round(images_per_s, 1),
            }
        )


class RefuseNaN(keras.callbacks.Callback):
    """End the training when the loss is no number any more: nothing that follows can mend it."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        for name, value in (logs or {}).items():
            if name.endswith("loss") and not math.isfinite(float(value)):
                raise TrainingError(
                    "nan_loss", f"The {name.replace('_', ' ')} became {float(value)} in epoch {epoch + 1}."
                )


class KeepBest(keras.callbacks.Callback):
    """Note the epoch of the lowest validation loss; with a patience, stop there and go back to it.

    Args:
        patience: Epochs without a lower loss before stopping; 0 never stops and keeps the last weights.
    """

    def __init__(self, patience: int) -> None:
        super().__init__()
        self.patience = patience
        self.best_epoch = 0
        self.best_loss = math.inf
        self._weights: list[NDArray[Any]] | None = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        loss = float((logs or {})["val_loss"])
        if loss < self.best_loss:
            self.best_loss, self.best_epoch = loss, epoch + 1
            self._weights = self.model.get_weights() if self.patience else None
        elif self.patience and epoch + 1 - self.best_epoch >= self.patience:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self._weights is not None:
            self.model.set_weights(self._weights)


def _metric_of(log_name: str) -> dict[str, str]:
    """Split Keras's `val_label/accuracy` into split, output and metric."""
    split = "val" if log_name.startswith("val_") else "train"
    output, _, metric = log_name.removeprefix("val_").rpartition("/")
    return {"split": split, "output": output, "metric": metric}
