"""What the axes of curves are called, and in which units they count."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from cnnlab.plots.curve_points import Curve, Horizontal

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
# Of a logarithmic axis, about: plotly then writes decades, or 1, 2 and 5 of each, or a few numbers within one. At its
# own choice they run into one another.
LOG_TICKS = 3
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


def set_y(figure: go.Figure, metric: str, *, is_log: bool = False, axis: str = "yaxis") -> None:
    """Give an axis the ticks and the range that a metric asks for."""
    look: dict[str, object] = {}
    if metric in SHARES:
        # The interval of two seeds can leave [0, 1] by far; the axis need not follow it.
        look = {"tickformat": ".2~%"} if is_log else {"tickformat": ".0%"}
        look |= {} if is_log else {"autorangeoptions": {"clipmin": -0.01, "clipmax": 1.01}}
    if metric == "learning_rate":
        look = {"exponentformat": "power", "rangemode": "tozero"}
    figure.update_layout({axis: look | ({"type": "log", "nticks": LOG_TICKS} if is_log else {})})


def set_x(figure: go.Figure, x: Horizontal, curves: Sequence[Curve], *, is_log: bool, epochs: int | None) -> None:
    """Give the axis to the right its ticks; over epochs it stands still while the curves grow."""
    if x in ("images", "operations"):
        figure.update_xaxes(tickformat="~s")
    if x == "epoch":
        last = max((float(np.nanmax(curve.x, initial=0.0)) for curve in curves), default=0.0)
        stands = {} if is_log else {"range": [0, max(last, epochs or 0) * 1.02 + 0.2]}
        figure.update_xaxes(tickformat="d", **stands)
    if is_log:  # with prefixes of SI a few milliseconds would read as minutes
        figure.update_xaxes(type="log", nticks=LOG_TICKS, tickformat="~g" if x == "elapsed_s" else "~s")
