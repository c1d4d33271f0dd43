"""The loss itself: not a number, driven up by the learning rate, or hardly moving."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.doctor.evidence import Evidence, finite, kernels, number, share
from cnnlab.doctor.finding import Chart, Finding, NotChecked, Verdict, thinned

# A rise over what a network says that knows nothing: no batch is that much harder than another.
RISE = 1.5
# The same for a single step.
LEAP = 5.0
SMOOTHED_STEPS = 5
FEWEST_STEPS = 10
# Of the chance loss: smaller ups and downs are those of the batches.
JUMP = 0.25
# Less of the first loss than that is hardly a fall.
LITTLE_FALL = 0.15
# Relative change of the weights per epoch; 0.02 to 0.3 is usual while a network learns (measured on small ones).
SMALL_CHANGE = 0.01


def nan_loss(evidence: Evidence) -> Verdict:
    """A loss that is not a number."""
    steps, losses = evidence.step_losses()
    bad = np.flatnonzero(~np.isfinite(losses))
    epochs = [(split, *evidence.epochs_of(split, "loss")) for split in ("train", "val")]
    bad_epochs = [(int(at[~np.isfinite(values)][0]), split) for split, at, values in epochs if _has_nan(values)]
    if not len(losses) and not any(len(values) for _, _, values in epochs):
        return NotChecked("no step is done yet")
    if not len(bad) and not bad_epochs:
        return None
    if len(bad):
        place, where = int(steps[bad[0]]), f"at step {int(steps[bad[0]]):,}"
        split = "training"
        numbers: dict[str, Any] = {"step": place}
    else:
        epoch, name = min(bad_epochs)
        split, where, place = {"train": "training", "val": "validation"}[name], f"in epoch {epoch}", 0
        numbers = {"epoch": epoch}
    chart = None
    if len(bad) and bad[0] > 0:
        first = max(0, int(bad[0]) - 100)
        shown = thinned(steps[first : bad[0]].tolist(), losses[first : bad[0]].tolist(), "loss of a step")
        chart = Chart("lines", "Step", "Loss", (shown,), mark=(place, "no number"))
    return Finding(
        "nan_loss", "serious", f"The {split} loss is no number any more {where}.",
        f"The numbers grew until they overflowed: train again with a learning rate of {number(evidence.rate / 10)}, "
        "with warm-up epochs, or with clipped gradients.",
        numbers, chart,
    )  # fmt: skip


def learning_rate_high(evidence: Evidence) -> Verdict:
    """A loss that rises, jumps or swings."""
    steps, losses = evidence.step_losses()
    is_finite = np.isfinite(losses)
    steps, losses = steps[is_finite], losses[is_finite]
    if len(losses) < FEWEST_STEPS:
        return NotChecked(f"fewer than {FEWEST_STEPS} steps are done")
    chance = evidence.chance_loss or float(losses[0])
    smooth = _rolling_median(losses)
    base = max(float(losses[0]), chance)
    peak = int(np.argmax(smooth))
    shown = thinned(steps.tolist(), losses.tolist(), "loss of a step")
    advice = f"Train again with a learning rate of {number(evidence.rate / 10)}" + (
        " or with warm-up epochs." if not evidence.config.training.warmup_epochs else "."
    )
    if losses.max() > LEAP * base and smooth[peak] <= RISE * base:
        peak, smooth = int(np.argmax(losses)), losses
    if smooth[peak] > RISE * base:
        sentence = f"The loss rose from {number(losses[0])} to {number(smooth[peak])} by step {int(steps[peak]):,}."
        numbers = {"first": float(losses[0]), "peak": float(smooth[peak]), "step": int(steps[peak])}
        chart = Chart("lines", "Step", "Loss", (shown,), _is_wide(losses), (float(steps[peak]), "peak"))
        return Finding("learning_rate_high", "serious", sentence, advice, numbers, chart)
    lowest = np.minimum.accumulate(smooth)
    jump = int(np.argmax(smooth - 2 * lowest))
    if smooth[jump] > 2 * lowest[jump] + JUMP * chance:
        sentence = (
            f"The loss jumped from {number(lowest[jump])} back to {number(smooth[jump])} at step {int(steps[jump]):,}."
        )
        numbers = {"lowest": float(lowest[jump]), "peak": float(smooth[jump]), "step": int(steps[jump])}
        chart = Chart("lines", "Step", "Loss", (shown,), _is_wide(losses), (float(steps[jump]), "jump"))
        return Finding("learning_rate_high", "warning", sentence, advice, numbers, chart)
    return _swings(evidence, chance, advice)


def _swings(evidence: Evidence, chance: float, advice: str) -> Finding | None:
    epochs, losses = evidence.epochs_of("train", "loss")
    values = losses[np.isfinite(losses)]
    if len(values) < 4:
        return None
    rises = int((np.diff(values) > JUMP / 4 * chance).sum())
    if rises < max(2, 0.3 * (len(values) - 1)):
        return None
    chart = Chart("lines", "Epoch", "Loss", (thinned(epochs.tolist(), losses.tolist(), "train"),))
    sentence = f"The training loss goes up and down: it rose in {rises} of {len(values) - 1} epochs."
    return Finding("learning_rate_high", "warning", sentence, advice, {"rises": rises, "epochs": len(values)}, chart)


def learning_rate_low(evidence: Evidence) -> Verdict:
    """A loss that hardly falls, with weights that hardly move."""
    training = evidence.config.training
    losses = evidence.epochs_of("train", "loss")[1]
    steps, step_losses = evidence.step_losses()
    waited = max(2.0, 0.1 * training.epochs, training.warmup_epochs + 1)
    if len(losses) < waited or not len(step_losses) or not np.isfinite(step_losses[0]):
        return NotChecked(f"fewer than {math.ceil(waited)} epochs are done")
    changes = changes_per_epoch(evidence)
    if not len(changes):
        return NotChecked("no look at the layers could compare two states of the weights")
    first, now = float(step_losses[0]), float(losses[-1])
    accuracy = evidence.epochs_of("train", "accuracy", evidence.main_output or "")[1]
    chance = evidence.chance_accuracy(split="train") or 0.0
    is_good = len(accuracy) > 0 and accuracy[-1] > (1 + chance) / 2
    fall = (first - now) / first if first > 0 else 0.0
    change = float(changes.max())
    if is_good or not 0 <= fall < LITTLE_FALL or not 0 < change < SMALL_CHANGE:
        return None
    shown = thinned(steps.tolist(), step_losses.tolist(), "loss of a step")
    return Finding(
        "learning_rate_low", "serious",
        f"The loss fell by {share(fall)} in {len(losses)} epochs, from {number(first)} to {number(now)}, and no layer "
        f"changed by more than {100 * change:.2g} % in an epoch.",
        f"Train again with a learning rate of {number(min(10.0, evidence.rate * 10))} or more.",
        {"first": first, "now": now, "fall": fall, "largest_change": change, "epochs": len(losses)},
        Chart("lines", "Step", "Loss", (shown,)),
    )  # fmt: skip


def changes_per_epoch(evidence: Evidence) -> NDArray[np.float64]:
    """Return the largest relative change per epoch of each look, over the layers with kernels."""
    largest, before = [], 0
    for look in evidence.looks():
        epoch = int(look["epoch"][0])
        changes = finite(kernels(look).filter(~kernels(look)["is_frozen"])["weight_change"])
        if len(changes):
            largest.append(changes.max() / max(1, epoch - before))
        before = epoch
    return np.array(largest)


def _rolling_median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    window = min(SMOOTHED_STEPS, len(values))
    return np.median(np.lib.stride_tricks.sliding_window_view(np.pad(values, (window - 1, 0), "edge"), window), axis=1)


def _has_nan(values: NDArray[np.float64]) -> bool:
    return bool(len(values)) and not np.isfinite(values).all()


def _is_wide(losses: NDArray[np.float64]) -> bool:
    return bool(losses.min() > 0 and losses.max() > 30 * np.median(losses))
