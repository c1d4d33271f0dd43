"""The layers: those that do not learn, units that never answer, gradients too large or too small."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from cnnlab.doctor.evidence import Evidence, finite, kernels, number, share
from cnnlab.doctor.finding import Chart, Finding, NotChecked, Series, Verdict

NO_LOOK = NotChecked("nobody has looked at the layers yet")
# 32 bits tell changes apart down to 1e-7 of a weight.
NO_CHANGE = 1e-6
# With a loss below it the answers are right and sure: gradients are small because nothing is left to learn.
LEARNT_LOSS = 0.05
MANY_DEAD, NEARLY_ALL_DEAD = 0.7, 0.95
FEWEST_UNITS = 4
# Gradients of networks that learn have norms of 0.1 to 20 here (measured).
LARGE_GRADIENT = 300.0
# Of the relative gradient of the best layer; networks that learn stay above 0.02 (measured).
SMALL_GRADIENT = 1e-3
FEWEST_KERNELS = 4


def layers_not_learning(evidence: Evidence) -> Verdict:
    """Layers whose weights stay as they are."""
    looks = evidence.looks()
    if not looks:
        return NO_LOOK
    layers = looks[-1].filter(pl.col("num_weights") > 0)
    if layers.is_empty():
        return NotChecked("the network has no weights")
    still = [row for row in layers.iter_rows(named=True) if _stands_still(row["position"], looks)]
    if not still or _has_learnt(evidence):
        return None
    frozen = [row for row in still if row["is_frozen"]]
    wanted = frozen == still and _wants_frozen(evidence)
    names = [row["layer"] for row in still]
    why = "they are frozen" if frozen == still else "their gradients are zero or their weights do not move"
    return Finding(
        "layers_not_learning",
        "note" if wanted else "serious",
        f"{len(still)} of {layers.height} layers with weights do not learn: {why} ({_listed(names)}).",
        "That is as the transfer settings ask; thaw layers there to train them too."
        if wanted
        else "Thaw the layers where they are frozen; else look for what cuts their gradient off, such as dead ReLU "
        "units or saturated activations behind them, and train again with a smaller learning rate.",
        {"layers": names, "of": layers.height},
        _bars(kernels(_with_zeros(layers)), "weight_change", "Relative change of the weights", is_log=True),
    )


def _stands_still(position: int, looks: Sequence[pl.DataFrame]) -> bool:
    rows = [row for look in looks for row in look.filter(pl.col("position") == position).iter_rows(named=True)]
    changes = finite([row["weight_change"] for row in rows])
    if rows[-1]["is_frozen"] or (len(changes) and changes.max() < NO_CHANGE):
        return True
    return all(row["gradient_norm"] == 0 for row in rows[-2:]) and len(rows) > 1


def dead_relu(evidence: Evidence) -> Verdict:
    """ReLU units that answer 0 whatever they see."""
    looks = evidence.looks()
    if not looks:
        return NO_LOOK
    layers = looks[-1].filter((pl.col("units") >= FEWEST_UNITS) & pl.col("dead_share").is_finite())
    if layers.is_empty():
        return NotChecked("the network has no ReLU of four units or more")
    worst = layers.filter(pl.col("dead_share") >= MANY_DEAD)
    if worst.is_empty():
        return None
    row = worst.sort("dead_share", descending=True).row(0, named=True)
    dead = round(row["dead_share"] * row["units"])
    sentence = f"In {row['layer']}, {dead} of {row['units']} ReLU units answer 0 to all probe images"
    if worst.height > 1:
        sentence += f"; in {worst.height} of {layers.height} layers it is {share(MANY_DEAD)} of the units or more"
    return Finding(
        "dead_relu",
        "serious" if row["dead_share"] >= NEARLY_ALL_DEAD else "warning",
        f"{sentence}.",
        "Dead units get no gradient and stay dead: train again with a smaller learning rate, with batch "
        "normalisation, or with leaky ReLU.",
        {"layer": row["layer"], "dead_share": row["dead_share"], "units": row["units"]},
        _bars(layers, "dead_share", "Share of dead units", limit=(MANY_DEAD, "many")),
    )


def exploding_gradients(evidence: Evidence) -> Verdict:
    """Gradients far larger than any that a network learns from."""
    looks = evidence.looks()
    if not looks:
        return NO_LOOK
    finite_looks = [look for look in looks if np.isfinite(_total(look))]
    if not finite_looks:
        return NotChecked("the gradients were no numbers any more when they were looked at")
    look = max(finite_looks, key=_total)
    epoch, largest = int(look["epoch"][0]), _total(look)
    if largest < LARGE_GRADIENT:
        return None
    return Finding(
        "exploding_gradients", "serious",
        f"After epoch {epoch} the gradient of all weights together had a norm of {number(largest)}; up to 20 is usual.",
        "Train again with batch normalisation, with clipped gradients, or with a smaller learning rate; in a network "
        "of your own, start with smaller weights.",
        {"epoch": epoch, "norm": largest},
        _bars(kernels(look), "gradient_norm", "Gradient norm", is_log=True),
    )  # fmt: skip


def vanishing_gradients(evidence: Evidence) -> Verdict:
    """Gradients that fade on their way to the first layers."""
    looks = evidence.looks()
    if not looks:
        return NO_LOOK
    look = kernels(looks[-1]).filter(~pl.col("is_frozen"))
    if look.height < FEWEST_KERNELS:
        return NotChecked(f"the network has fewer than {FEWEST_KERNELS} layers that it would show in")
    relative = look.with_columns((pl.col("gradient_norm") / pl.col("weight_norm")).alias("relative"))
    values = np.array(relative["relative"].fill_null(np.nan).to_list(), np.float64)
    early = values[: max(1, len(values) // 4)]
    if not np.isfinite(values).all() or _has_learnt(evidence) or not values.max():
        return None
    ratio = float(early.max() / values.max())
    if ratio >= SMALL_GRADIENT:
        return None
    return Finding(
        "vanishing_gradients", "serious",
        f"The gradients fade towards the input: in {look['layer'][0]} the gradient is {number(ratio)} of that of the "
        "layer where it is largest, each over the norm of its weights.",
        "Use ReLU instead of sigmoid or tanh, put batch normalisation or skip connections between the layers, or take "
        "layers out, then train again.",
        {"ratio": ratio, "layer": look["layer"][0]},
        _bars(relative, "relative", "Gradient / weights", is_log=True),
    )  # fmt: skip


def _total(look: pl.DataFrame) -> float:
    norms = np.array([value for value in look["gradient_norm"].to_list() if value is not None], np.float64)
    return float(np.sqrt((norms**2).sum()))


def _has_learnt(evidence: Evidence) -> bool:
    losses = evidence.epochs_of("train", "loss")[1]
    return bool(len(losses)) and bool(losses[-1] < LEARNT_LOSS)


def _wants_frozen(evidence: Evidence) -> bool:
    return bool(evidence.config.transfer.model_dump(exclude_defaults=True))


def _with_zeros(layers: pl.DataFrame) -> pl.DataFrame:
    return layers.with_columns(pl.col("weight_change").fill_null(0.0))


def _bars(
    layers: pl.DataFrame, column: str, title: str, is_log: bool = False, limit: tuple[float, str] | None = None
) -> Chart:
    values: list[Any] = layers[column].to_list()
    series = Series(title, tuple(layers["layer"].to_list()), tuple(values))
    return Chart("bars", "Layers, from input to output", title, (series,), is_log, None, limit)


def _listed(names: Sequence[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
