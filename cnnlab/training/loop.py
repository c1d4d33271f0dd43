"""The epochs of a training: steps, validation, checkpoints, and the reasons to end."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cnnlab.errors import TrainingError
from cnnlab.runs.checkpoint import PROBE_STATE
from cnnlab.settings.training import TrainingConfig
from cnnlab.training.averages import averaged
from cnnlab.training.checkpoints import Checkpoints, Position
from cnnlab.training.control import Control, PausedError
from cnnlab.training.engines.base import Engine, Measured
from cnnlab.training.feed import Feed
from cnnlab.training.model import TrainingModel
from cnnlab.training.probe import Probe
from cnnlab.training.report import Report
from cnnlab.training.stages import Stages
from cnnlab.training.waiting import Waiting

# Called between epochs: returns losses and accuracies on val, `{"loss": ..., "label/accuracy": ...}`.
Validate = Callable[[], dict[str, float]]


@dataclass
class Ended:
    """How the epochs ended.

    Attributes:
        reason: `epochs` (all done), `early_stopping` or `time_budget`.
        kept_epoch: Whose weights the network has, 1-based.
    """

    reason: str
    epochs_done: int
    best_epoch: int
    kept_epoch: int
    train_s: float


class Loop:
    """Trains until one of the reasons to end; goes on from a checkpoint where there is one."""

    def __init__(
        self,
        training: TrainingConfig,
        model: TrainingModel,
        optimizer: keras.optimizers.Optimizer,
        engine: Engine,
        feed: Feed,
        validate: Validate,
        steps_per_call: int,
        checkpoints: Checkpoints | None = None,
        control: Control | None = None,
        probe: Probe | None = None,
        stages: Stages | None = None,
    ) -> None:
        self.training, self.model, self.optimizer = training, model, optimizer
        self.engine, self.feed, self.validate = engine, feed, validate
        self.steps_per_call = steps_per_call
        self.checkpoints = checkpoints
        self.control = control or Control()
        self.probe = probe
        self.stages = stages
        self._waiting = Waiting()
        self.position = Position()
        self._best: list[NDArray[Any]] | None = None
        self._saved_at = 0.0

    def restore(self) -> Position:
        """Go to the checkpoint, if there is one; return where that is."""
        if self.checkpoints and self.stages and (position := self.checkpoints.position()):
            self._change_stage(position.epoch)  # the optimizer's variables are those of its stage
        found = self.checkpoints.read(self.model, self.optimizer) if self.checkpoints else None
        if found is not None:
            self.position, best = found
            self._best = best or None
            self.engine.reload()
        return self.position

    def run(self, report: Report) -> Ended:
        """Run the epochs that are left.

        Raises:
            TrainingError: the loss is no number any more.
            PausedError: a pause was asked for; the checkpoint holds the state.
        """
        self._saved_at = report.elapsed_s
        report.tell(self.position.epoch, self.position.step)
        self._begin_probe(report)
        while not (reason := self._reason_to_end(report)):
            if not self._steps(report):
                reason = "time_budget"
                break
            self._end_epoch(report)
        return self._finish(reason, report)

    def _reason_to_end(self, report: Report) -> str:
        """Return why no further epoch begins; asked before the first too, for a checkpoint may be of the end."""
        if self._is_stalled():
            return "early_stopping"
        if self._is_over_budget(report) and self.position.epoch > self.position.epochs_before:
            return "time_budget"
        return "epochs" if self.position.epoch >= self.training.epochs else ""

    def _steps(self, report: Report) -> bool:
        """Run what is left of the epoch; return False where the time is over in the middle of it."""
        position = self.position
        self.model.begin_epoch(position.epoch)
        for chunk in self._waiting.watched(self.feed.epoch(position.epoch, position.step, self.steps_per_call)):
            measured = {name: np.asarray(values) for name, values in self.engine.train(chunk).items()}
            report.steps_done(position.epoch, position.step, measured)
            position.step += chunk.num_steps
            _add(position.sums, measured)
            if position.step >= self.feed.steps_per_epoch:
                break  # between two epochs the end of this one decides
            if self.control.is_pause_wanted():
                self._save(report)
                raise PausedError
            if self._is_over_budget(report) and position.epoch > position.epochs_before:
                return False
            self._save_if_due(report)
        return True

    def _end_epoch(self, report: Report) -> None:
        position = self.position
        train = {name: value / self.feed.steps_per_epoch for name, value in position.sums.items()}
        with averaged(self.model, self.engine):
            val = self.validate()
        feed_wait, steps_s = self._waiting.take()
        report.epoch_done(position.epoch, train, val, feed_wait=feed_wait)
        self._look(report, steps_s)
        for split, values in (("training", train), ("validation", val)):
            if not math.isfinite(values["loss"]):
                raise TrainingError(
                    "nan_loss", f"The {split} loss became {values['loss']} in epoch {position.epoch + 1}."
                )
        if val["loss"] < position.best_loss:
            position.best_loss, position.best_epoch = val["loss"], position.epoch + 1
            self._best = self._weights() if self._keeps_best else None
        position.epoch, position.step, position.sums = position.epoch + 1, 0, {}
        self._change_stage(position.epoch)  # before a checkpoint, which belongs to the epoch that comes next
        if self.control.is_pause_wanted() and not self._reason_to_end(report):
            self._save(report)
            raise PausedError
        self._save_if_due(report)

    def _change_stage(self, epoch: int) -> None:
        if self.stages is None:
            return
        self.engine.sync()
        if (changed := self.stages.changed(epoch)) is not None:
            self.optimizer, self.engine = changed
            if self.probe is not None:
                self.probe.follow(self.engine)

    @property
    def _keeps_best(self) -> bool:
        return bool(self.training.early_stopping_epochs or self.training.time_budget_minutes)

    def _is_stalled(self) -> bool:
        patience, position = self.training.early_stopping_epochs, self.position
        return bool(patience) and position.epoch - max(position.best_epoch, position.epochs_before) >= patience

    def _is_over_budget(self, report: Report) -> bool:
        budget = self.training.time_budget_minutes
        return budget is not None and report.elapsed_s - self.position.elapsed_before_s >= 60 * budget

    def _save_if_due(self, report: Report) -> None:
        if self.checkpoints and report.elapsed_s - self._saved_at >= self._save_every_s():
            self._save(report)

    def _save_every_s(self) -> float:
        every = self.training.checkpoint_every_s
        return every if every or self.position.step == 0 else math.inf

    def _save(self, report: Report) -> None:
        if self.checkpoints is None:
            return
        self.engine.sync()
        self.position.elapsed_s = report.elapsed_s
        self.checkpoints.write(self.position, self.model, self.optimizer, self._best)
        if self.probe is not None:
            self.probe.save(self._probe_state, self._at)
        self._saved_at = report.elapsed_s
        report.recorder.event("checkpoint", epoch=self.position.epoch, step=self.position.step)

    @property
    def _at(self) -> tuple[int, int]:
        return self.position.epoch, self.position.step

    @property
    def _probe_state(self) -> Path | None:
        return self.checkpoints.path.with_name(PROBE_STATE) if self.checkpoints else None

    def _begin_probe(self, report: Report) -> None:
        if self.probe is not None:
            self._probing(report, lambda probe: probe.begin(self._probe_state, self._at))

    def _look(self, report: Report, steps_s: float) -> None:
        """Look at the layers after an epoch, where it is worth its time."""
        epoch = self.position.epoch
        if self.probe is not None and self.probe.is_due(epoch + 1, self.training.epochs, steps_s):
            self._probing(report, lambda probe: report.probed(epoch, probe.look()))

    def _probing(self, report: Report, action: Callable[[Probe], None]) -> None:
        """Do something with the probe; a look that fails, as for want of memory, is no reason to end a training."""
        assert self.probe is not None
        try:
            action(self.probe)
        except Exception as error:
            report.recorder.event("probe_failed", reason=f"{type(error).__name__}: {error}"[:300])
            self.probe = None

    def _weights(self) -> list[NDArray[Any]]:
        with averaged(self.model, self.engine):
            self.engine.sync()
            weights: list[NDArray[Any]] = self.model.network.get_weights()
        return weights

    def _finish(self, reason: str, report: Report) -> Ended:
        train_s = report.elapsed_s
        self._save(report)  # with the weights of the last step: another run may continue this one
        self.engine.sync()
        position = self.position
        kept = position.epoch
        if self._best is not None:
            self.model.network.set_weights(self._best)
            self.engine.reload()
            kept = position.best_epoch
        elif self.model.averages is not None:
            self.model.averages.swap(self.model.network)  # to stay
            self.engine.reload()
        return Ended(reason, position.epoch, position.best_epoch, kept, train_s)


def _add(sums: dict[str, float], measured: Measured) -> None:
    for name, values in measured.items():
        sums[name] = sums.get(name, 0.0) + float(np.sum(values, dtype=np.float64))


def chunk_length(steps_per_epoch: int, most: int) -> int:
    """Return how many steps make a chunk: a divisor of the epoch's where there is a good one, so that
    no other length has to be compiled."""
    divisors: Sequence[int] = [length for length in range(1, most + 1) if steps_per_epoch % length == 0]
    return divisors[-1] if divisors[-1] >= most // 4 or divisors[-1] == steps_per_epoch else min(most, steps_per_epoch)
