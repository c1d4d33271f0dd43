"""What comes in: pixels that are not normalised, and steps that wait for them."""

import numpy as np
import polars as pl

from cnnlab.doctor.evidence import Evidence, finite, number, share
from cnnlab.doctor.finding import Chart, Finding, NotChecked, Series, Verdict, thinned

# Normalised channels have a mean of 0 and a standard deviation of 1.
LARGEST_STD, SMALLEST_STD, FARTHEST_MEAN = 5.0, 0.02, 5.0
# Of the time of the steps.
MUCH_WAITING = 0.25
# In all: a shorter wait costs nobody anything.
LEAST_WAITED_S = 0.5


def input_not_normalised(evidence: Evidence) -> Verdict:
    """Channels far from mean 0 and standard deviation 1 where the first layer sees them."""
    if evidence.brings_scaling:
        return NotChecked("the architecture scales pixels in its own way")
    rows = [row for look in evidence.looks()[:1] for row in look.iter_rows(named=True) if row["input_mean"]]
    if not rows:
        return NotChecked("nobody has looked at what the first layer sees yet")
    means, stds = (np.array(rows[0][name], np.float64) for name in ("input_mean", "input_std"))
    if not (np.isfinite(means).all() and np.isfinite(stds).all()):
        return NotChecked("what the first layer sees is no number")
    is_off = (stds > LARGEST_STD) | (stds < SMALLEST_STD) | (np.abs(means) > FARTHEST_MEAN)
    if not is_off.any():
        return None
    worst = int(np.argmax(np.maximum(np.abs(means), stds)))
    names = tuple(str(channel) for channel in range(len(means)))
    return Finding(
        "input_not_normalised", "warning",
        f"The first layer, {rows[0]['layer']}, sees numbers with a mean of {number(means[worst])} and a standard "
        f"deviation of {number(stds[worst])} (channel {worst}); around 0 and 1 is usual.",
        "Put a normalisation with the mean and standard deviation of the training images before the first layer, or "
        "batch normalisation behind it, and train again.",
        {"mean": means.tolist(), "std": stds.tolist()},
        Chart(
            "bars", "Channel", "Value",
            (Series("mean", names, tuple(means.tolist())), Series("standard deviation", names, tuple(stds.tolist()))),
        ),
    )  # fmt: skip


def starved_feed(evidence: Evidence) -> Verdict:
    """Steps that wait for their images."""
    epochs, shares = evidence.epochs_of("train", "feed_wait")
    # The first epoch compiles: its shares say nothing.
    later = finite(shares[epochs > 1])
    if len(later) < 2:
        return NotChecked("it takes three epochs")
    usual = float(np.sort(later)[(len(later) - 1) // 2])
    if usual < MUCH_WAITING or _waited_s(evidence) < LEAST_WAITED_S:
        return None
    return Finding(
        "starved_feed", "warning",
        f"The steps wait for images {share(usual)} of their time: the processor or GPU that trains idles meanwhile.",
        "Take slow steps out of the augmentation, train with smaller images, give the run more cores, or keep the "
        "store on a faster disk.",
        {"waited": usual},
        Chart("lines", "Epoch", "Share of time waited", (thinned(epochs.tolist(), shares.tolist(), "waited"),),
              limit=(MUCH_WAITING, "much")),
    )  # fmt: skip


def _waited_s(evidence: Evidence) -> float:
    """Return about how long the run waited after its first epoch: the epochs' lengths have the validation in them."""
    rows = evidence.metrics.filter(pl.col("metric") == "feed_wait").sort("epoch")
    shares, at = (np.array(rows[name].fill_null(np.nan).to_list(), np.float64) for name in ("value", "elapsed_s"))
    waited = shares[1:] * np.diff(at)
    return float(waited[np.isfinite(waited)].sum())
