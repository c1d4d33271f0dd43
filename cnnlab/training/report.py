"""What a training tells while it runs: steps, epochs, and how far it is."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.training.recorder import Recorder

PROGRESS_EVERY_S = 0.5


class Report:
    """Turns what is measured into rows of the store.

    Args:
        rates: Learning rate per step, over all epochs.
        elapsed_s: Of training in earlier attempts.
    """

    def __init__(
        self, recorder: Recorder, rates: NDArray[np.float64], epochs: int, batch_size: int, elapsed_s: float = 0.0
    ) -> None:
        self.recorder = recorder
        self.rates = rates
        self.epochs = epochs
        self.batch_size = batch_size
        self.steps = len(rates) // epochs
        self._began = time.monotonic() - elapsed_s
        self._done: tuple[int, float] = (0, 0.0)  # steps, and seconds of training until then
        self._first_steps_at: float | None = None
        self._steps_since = 0
        self._told = -float("inf")

    @property
    def elapsed_s(self) -> float:
        """Seconds of training so far, over all attempts."""
        return time.monotonic() - self._began

    @property
    def images_per_s(self) -> float:
        """Training images per second of training, over all attempts, compilation and validations included."""
        steps, seconds = self._done
        return steps * self.batch_size / max(1e-9, seconds)

    def steps_done(self, epoch: int, step: int, measured: Mapping[str, NDArray[np.float64]]) -> None:
        """Note steps; `epoch` and `step` (0-based) are those of the first of them."""
        now = time.monotonic()
        count = len(measured["loss"])
        if self._first_steps_at is None:
            # What comes before is compilation for the most part: the pace counts from here.
            self._first_steps_at = now
            self.recorder.event("first_batch", elapsed_s=round(self.elapsed_s, 3))
        else:
            self._steps_since += count
        at = epoch * self.steps + step
        self._done = (at + count, self.elapsed_s)
        self.recorder.steps(epoch + 1, at + 1, measured, self.rates[at : at + count], self.elapsed_s)
        if now - self._told >= PROGRESS_EVERY_S:
            self.tell(epoch, step + count)

    def epoch_done(
        self,
        epoch: int,
        train: Mapping[str, float],
        val: Mapping[str, float],
        rate: float | None = None,
        feed_wait: float | None = None,
    ) -> None:
        """Note an epoch (0-based): means of what its steps measured, and the validation after it.

        Args:
            feed_wait: Share of the time of its steps that the loop waited for images, in [0, 1].
        """
        last = (epoch + 1) * self.steps
        base = {"epoch": epoch + 1, "step": last, "elapsed_s": self.elapsed_s}
        rows: list[dict[str, Any]] = [
            {**base, "split": split, **_metric_of(name), "value": value}
            for split, values in (("train", train), ("val", val))
            for name, value in values.items()
        ]
        value = float(self.rates[last - 1]) if rate is None else rate
        rows.append({**base, "split": "train", "output": "", "metric": "learning_rate", "value": value})
        if feed_wait is not None:
            rows.append({**base, "split": "train", "output": "", "metric": "feed_wait", "value": feed_wait})
        self.recorder.metrics(rows)
        self.tell(epoch, self.steps)

    def probed(self, epoch: int, rows: Sequence[dict[str, Any]]) -> None:
        """Note what a look at the layers found after an epoch (0-based), one row per layer."""
        self.recorder.probe(epoch + 1, (epoch + 1) * self.steps, rows)

    def tell(self, epoch: int, step: int) -> None:
        """Say how far it is: `step` steps of `epoch` (0-based) are done."""
        self._told = time.monotonic()
        self._done = (epoch * self.steps + step, self.elapsed_s)
        pace = self._pace()
        remaining = (self.epochs - epoch) * self.steps - step
        self.recorder.progress(
            {
                "epoch": epoch + 1,
                "epochs": self.epochs,
                "batch": step,
                "batches": self.steps,
                "elapsed_s": round(self.elapsed_s, 3),
                "eta_s": None if pace is None else round(remaining / pace, 1),
                "images_per_s": None if pace is None else round(pace * self.batch_size, 1),
            }
        )

    def _pace(self) -> float | None:
        """Return steps per second since the first chunk, validation included."""
        if self._first_steps_at is None or not self._steps_since:
            return None
        return self._steps_since / max(1e-9, time.monotonic() - self._first_steps_at)


def _metric_of(name: str) -> dict[str, str]:
    """Split `label/accuracy` into output and metric; of `loss` alone the output is empty."""
    output, _, metric = name.rpartition("/")
    return {"output": output, "metric": metric}
