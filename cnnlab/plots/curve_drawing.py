"""Draws curves into a figure: bands of groups, the raw line pale behind a smoothed one, one colour per run.

What a browser need not draw is left out here, and only here: all that is computed stands on all points.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnnlab.analysis.decimation import BUCKETS, kept_points
from cnnlab.plots.curve_axes import SHARES
from cnnlab.plots.curve_points import Curve, Numbers
from cnnlab.plots.labels import escaped, plural
from cnnlab.plots.palette import NEUTRAL, SYMBOLS, with_alpha

DASHES = {"train": "dot", "val": "solid", "test": "dash"}
# A click finds every point, drawn or not; but each marker that is drawn costs the browser.
MARKERS = 400
MARKERS_PER_CURVE = 100
# In a legend what explains styles and marks stands behind the runs, which stand at plotly's 1000.
LEGEND_END = 1100
# Of the first colours, whose markers are there to be clicked, and of those that tell runs of one colour apart.
PLAIN_PX, SYMBOL_PX = 4, 8
# Points of all lines together, of which a bucket of a line has four at most.
POINTS = 40_000
# Of a raw line; of one that was thinned out, whose points lie over one another in each pixel.
RAW_ALPHA, DENSE_ALPHA = 0.35, 0.15


@dataclass(frozen=True)
class Look:
    """How the curves of one panel are drawn.

    Attributes:
        scale: What x is divided by, and `x_text` how a hover shows it.
        axis: Of the panel, such as `y2`.
        markers: On each curve.
        buckets: Into which `kept_points` cuts a line.
        is_first: Its curves stand in the legend.
        is_plain: What is drawn belongs to no split: all lines are solid.
    """

    metric: str
    scale: float
    x_text: str
    colours: Mapping[str, str]
    symbols: Mapping[str, str]
    is_smoothed: bool
    is_grouped: bool
    is_log_x: bool = False
    is_log_y: bool = False
    axis: str = "y"
    markers: int = MARKERS_PER_CURVE
    buckets: int = BUCKETS
    is_first: bool = True
    is_plain: bool = False


def markers_for(count: int) -> int:
    """Return how many markers each of `count` curves may have."""
    return max(2, min(MARKERS_PER_CURVE, MARKERS // max(1, count)))


def buckets_for(count: int) -> int:
    """Return into how many buckets each of `count` lines is cut."""
    return max(100, min(BUCKETS, POINTS // (4 * max(1, count))))


def add_curves(figure: go.Figure, curves: Sequence[Curve], look: Look) -> None:
    """Draw the curves of one panel, the bands of all groups below them."""
    traces = [band for curve in curves if look.is_grouped for band in _bands(curve, look)]
    last = {curve.key: curve for curve in curves}
    for curve in curves:
        if look.is_smoothed:
            traces.append(_raw(curve, look))
        has_entry = look.is_first and last[curve.key] is curve and len(look.colours) > 1
        traces.append(_line(curve, look, has_entry=has_entry))
    # Twice as fast at once as one by one.
    figure.add_traces([{"type": "scatter", **trace} for trace in traces])


def explain_splits(figure: go.Figure, splits: Sequence[str], colours: Mapping[str, str]) -> None:
    """Say in the legend which line style is which split."""
    colour = NEUTRAL if len(colours) > 1 else next(iter(colours.values()))
    for split in dict.fromkeys(splits):
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="lines",
            line={"color": colour, "width": 2, "dash": DASHES.get(split, "dashdot")},
            name=split,
            hoverinfo="skip",
            legendrank=LEGEND_END,
        )


def _kept(curve: Curve, y: Numbers, look: Look) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return kept_points(np.log(curve.x) if look.is_log_x else curve.x, y, look.buckets)


def _sent(values: Numbers) -> NDArray[np.float32]:
    """Return numbers as they go to the browser: seven digits are more than a screen shows, at half the size."""
    return values.astype(np.float32)


def _bands(curve: Curve, look: Look) -> Iterator[dict[str, Any]]:
    """Give the interval of a group; a polygon per stretch without gaps, so that nothing is bridged."""
    kept = np.union1d(_kept(curve, curve.low, look), _kept(curve, curve.high, look))
    x, low, high = (values[kept] for values in (curve.x / look.scale, curve.low, curve.high))
    if look.is_log_y:  # an interval that reaches 0 has no lower end there: it is drawn down to half of the lowest point
        low = np.maximum(low, 0.5 * np.min(curve.smooth, where=curve.smooth > 0, initial=np.inf))
    known = np.isfinite(low) & np.isfinite(high)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8)))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        yield {
            "x": np.concatenate([x[start:stop], x[start:stop][::-1]]),
            "y": np.concatenate([high[start:stop], low[start:stop][::-1]]),
            "yaxis": look.axis,
            "mode": "lines",
            "fill": "toself",
            "fillcolor": with_alpha(look.colours[curve.key], 0.18 if curve.split != "train" else 0.09),
            "line": {"width": 0},
            "hoverinfo": "skip",
            "showlegend": False,
            "legendgroup": curve.key,
        }


def _raw(curve: Curve, look: Look) -> dict[str, Any]:
    kept = _kept(curve, curve.y, look)
    alpha = RAW_ALPHA if kept.size == curve.y.size else DENSE_ALPHA
    return {
        "x": _sent(curve.x[kept] / look.scale),
        "y": _sent(curve.y[kept]),
        "yaxis": look.axis,
        "mode": "lines",
        # Not by the opacity of the trace, which a browser may show as a pale box around it.
        "line": {"color": with_alpha(look.colours[curve.key], alpha), "width": 1},
        "hoverinfo": "skip",
        "showlegend": False,
        "legendgroup": curve.key,
    }


def _line(curve: Curve, look: Look, *, has_entry: bool) -> dict[str, Any]:
    kept = _kept(curve, curve.smooth, look)
    name, colour, symbol = escaped(curve.title), look.colours[curve.key], look.symbols[curve.key]
    y_text = "%{y:.2%}" if look.metric in SHARES else "%{y:.4~g}"
    dash = "solid" if look.is_plain else DASHES.get(curve.split, "dashdot")
    return {
        "x": _sent(curve.x[kept] / look.scale),
        "y": _sent(curve.smooth[kept]),
        "yaxis": look.axis,
        # A click selects markers only, never a bare line.
        "mode": "lines+markers",
        "marker": {
            "size": PLAIN_PX if symbol == SYMBOLS[0] else SYMBOL_PX,
            "color": colour,
            "symbol": symbol,
            "maxdisplayed": look.markers,
        },
        "line": {"color": colour, "width": 2, "dash": dash},
        "name": name,
        "legendgroup": curve.key,
        "showlegend": has_entry,
        "customdata": np.full(kept.size, curve.index, dtype=np.int16),
        "text": [plural(count, "run") for count in curve.n[kept].tolist()] if look.is_grouped else None,
        "hovertemplate": f"<b>{name}</b><br>{'' if look.is_plain else f'{curve.split}, '}{look.x_text}<br>{y_text}"
        + (" (smoothed)" if look.is_smoothed else "")
        + ("<br>mean of %{text}" if look.is_grouped else "")
        + "<extra></extra>",
    }
