"""What the axes of curves are called, and in which units they count."""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from cnnlab.plots.curve_points import Curve, Horizontal, Numbers

METRIC_TITLES = {
    "loss": "Loss (cross-entropy)",
    "accuracy": "Accuracy (%)",
    "error": "Error (%)",
    "learning_rate": "Learning rate",
    "feed_wait": "Waiting for images (%)",
    "gradient_norm": "Gradient norm (L2)",
    "weight": "Weight in the loss",
}
SHARES = ("accuracy", "error", "feed_wait")
LARGER_IS_BETTER = {"accuracy": True, "loss": False, "error": False}
_X_TITLES = {
    "epoch": "Epoch",
    "step": "Step (optimizer updates)",
    "images": "Images seen in training",
    "operations": "Operations spent in training (MACs)",
}
# Over how large a factor a logarithmic axis has decades alone, and 1, 2 and 5 of each; at plotly's choice it is each
# digit, and they run into one another. Over less a few numbers are as good as round ones.
DECADES_FROM, DIGITS_FROM = 200.0, 6.0
MOST_DECADES, FEW_TICKS = 5, 3
_TIMES = ((3600.0, "h"), (60.0, "min"))


def horizontal(x: Horizontal, curves: Sequence[Curve]) -> tuple[float, str, str]:
    """Return what x is divided by, its title with the unit, and how a hover shows it."""
    if x != "elapsed_s":
        shown = {"epoch": "epoch %{x:.6~g}", "step": "step %{x}"}.get(x, f"%{{x:.4~s}} {x}")
        return 1.0, _X_TITLES[x], shown
    longest = max((float(np.nanmax(curve.x, initial=0.0)) for curve in curves), default=0.0)
    seconds, unit = next(((size, name) for size, name in _TIMES if longest >= 3 * size), (1.0, "s"))
    return seconds, f"Elapsed time ({unit})", f"%{{x:.4~g}} {unit}"


def metric_title(metric: str) -> str:
    """Return what an axis calls a metric."""
    return METRIC_TITLES.get(metric, metric.replace("_", " ").capitalize())


def metric_name(metric: str) -> str:
    """Return what sentences call a metric."""
    return metric_title(metric).partition(" (")[0].lower()


def value_text(value: float, metric: str) -> str:
    """Return a value as sentences say it."""
    return f"{value:.2%}".replace("%", " %") if metric in SHARES else f"{value:.4g}"


def log_ticks(values: Sequence[Numbers]) -> dict[str, object]:
    """Return how plotly is to choose the ticks of a logarithmic axis over these values."""
    known = np.concatenate([np.zeros(0), *values])
    known = known[np.isfinite(known) & (known > 0)]
    factor = float(known.max() / known.min()) if known.size else 1.0
    if factor >= DECADES_FROM:
        return {"dtick": math.ceil(math.log10(factor) / MOST_DECADES)}
    return {"dtick": "D2"} if factor >= DIGITS_FROM else {"nticks": FEW_TICKS}


def set_y(
    figure: go.Figure, metric: str, curves: Sequence[Curve], *, is_log: bool = False, axis: str = "yaxis"
) -> None:
    """Give an axis the ticks and the range that a metric asks for."""
    look: dict[str, object] = {}
    if metric in SHARES:
        # The interval of two seeds can leave [0, 1] by far; the axis need not follow it.
        look = {"tickformat": ".2~%"} if is_log else {"tickformat": ".0%"}
        look |= {} if is_log else {"autorangeoptions": {"clipmin": -0.01, "clipmax": 1.01}}
    if metric == "learning_rate":
        look = {"exponentformat": "power", "rangemode": "tozero"}
    if is_log:  # without a format the digits between decades are written alone
        look = {"tickformat": "~g", **look, "type": "log", **log_ticks([curve.smooth for curve in curves])}
    figure.update_layout({axis: look})


def set_x(figure: go.Figure, x: Horizontal, curves: Sequence[Curve], *, is_log: bool, epochs: int | None) -> None:
    """Give the axis to the right its ticks; over epochs it stands still while the curves grow."""
    if x in ("images", "operations"):
        figure.update_xaxes(tickformat="~s")
    if x == "epoch":
        last = max((float(np.nanmax(curve.x, initial=0.0)) for curve in curves), default=0.0)
        stands = {} if is_log else {"range": [0, max(last, epochs or 0) * 1.02 + 0.2]}
        figure.update_xaxes(tickformat="d", **stands)
    if is_log:  # with prefixes of SI a few milliseconds would read as minutes
        ticks = log_ticks([curve.x for curve in curves])
        figure.update_xaxes(type="log", tickformat="~g" if x == "elapsed_s" else "~s", **ticks)
