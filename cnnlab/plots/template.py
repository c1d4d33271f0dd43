"""What all figures share: transparent ground, quiet grid, margins, hover. No font colour is set: the page's holds."""

from collections.abc import Iterable

import plotly.graph_objects as go

from cnnlab.plots.palette import CATEGORICAL, NEUTRAL, with_alpha

CLEAR = "rgba(0,0,0,0)"
GRID = with_alpha(NEUTRAL, 0.25)

_AXIS: dict[str, object] = {
    "gridcolor": GRID,
    "zeroline": False,
    "automargin": True,
    "ticks": "outside",
    "tickcolor": GRID,
}
_TEMPLATE = go.layout.Template(
    layout={
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "colorway": CATEGORICAL,
        "xaxis": _AXIS,
        "yaxis": _AXIS,
    }
)

HEIGHT_PX = 420


def new_figure(*, x_title: str = "", y_title: str = "", height_px: int = HEIGHT_PX, revision: str = "") -> go.Figure:
    """Return an empty figure in the house style.

    Args:
        x_title: With its unit.
        y_title: With its unit.
        height_px: The width is the page's.
        revision: While it stays the same, zoom and hidden curves survive new data.
    """
    figure = go.Figure(layout={"template": _TEMPLATE})
    figure.update_layout(
        height=height_px,
        margin={"l": 8, "r": 8, "t": 28, "b": 8},
        hoverlabel={"namelength": -1},
        uirevision=revision or "same",
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.2, "yanchor": "top", "title": {"text": ""}},
    )
    figure.update_xaxes(title={"text": x_title})
    figure.update_yaxes(title={"text": y_title})
    return figure


def empty_figure(reason: str, *, height_px: int = 240) -> go.Figure:
    """Return a figure without axes that says in one sentence why nothing is drawn."""
    figure = new_figure(height_px=height_px)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.add_annotation(text=escaped(reason), x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)
    return figure


def escaped(text: str) -> str:
    """Return `text` so that plotly shows it as it is: it reads `<b>` and `<a href>` in names."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shortened(text: str, length: int = 28) -> str:
    """Return `text`, or its beginning and end around an ellipsis when it is too long for an axis."""
    if len(text) <= length:
        return text
    half = (length - 1) // 2
    return f"{text[: length - 1 - half]}…{text[-half:]}"


def unique_labels(names: Iterable[str], length: int = 28) -> list[str]:
    """Return names fit for a categorical axis, which would merge two of the same text."""
    labels: list[str] = []
    for name in names:
        label = first = escaped(shortened(str(name), length))
        again = 2
        while label in labels:
            label, again = f"{first} ({again})", again + 1
        labels.append(label)
    return labels


def plural(count: int, noun: str, many: str = "") -> str:
    """Return `1 run` or `1,234 runs`."""
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"
