"""What all figures share: transparent ground, quiet grid, margins, hover. No font colour is set: the page's holds."""

import plotly.graph_objects as go

from cnnlab.plots.labels import escaped
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
        "modebar": {"bgcolor": CLEAR, "color": NEUTRAL, "remove": ["lasso2d", "select2d", "autoScale2d"]},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
    }
)

HEIGHT_PX = 420
# On a phone a legend has a row per entry; of more than so many the rest is scrolled to, or a page would be legend.
LEGEND_ROW_PX, LEGEND_ROWS = 20, 13
# Above the first row and below the last, without which it could be scrolled by nothing.
LEGEND_EDGE_PX = 10
# What the margin of a figure holds anyway.
USUAL_ROWS = 3


def new_figure(*, x_title: str = "", y_title: str = "", height_px: int = HEIGHT_PX, revision: str = "") -> go.Figure:
    """Return an empty figure in the house style.

    Args:
        x_title: With its unit.
        y_title: With its unit.
        height_px: The width is the page's.
        revision: While it stays the same, zoom and hidden curves survive new data.
    """
    # In one call: plotly checks what it was given before at each further one, which takes five times as long.
    layout = {
        "template": _TEMPLATE,
        "height": height_px,
        "margin": {"l": 8, "r": 28, "t": 28, "b": 8},
        "hoverlabel": {"namelength": -1},
        "uirevision": revision or "same",
        "legend": {
            "orientation": "h",
            "traceorder": "normal",
            "x": 0,
            "xanchor": "left",
            "y": -0.2,
            "yanchor": "top",
        },
        "xaxis": {"title": {"text": x_title, "standoff": 8}},
        "yaxis": {"title": {"text": y_title, "standoff": 8}},
    }
    return go.Figure(layout=layout)


def give_legend_room(figure: go.Figure, entries: int) -> None:
    """Make a figure taller by the rows that its legend takes on a phone, where it would take them from the plot."""
    rows = min(LEGEND_ROWS, entries)
    height_px = figure.layout.height + LEGEND_ROW_PX * max(0, rows - USUAL_ROWS)
    figure.update_layout(height=height_px, legend={"maxheight": LEGEND_ROW_PX * max(rows, USUAL_ROWS) + LEGEND_EDGE_PX})


def empty_figure(reason: str, *, height_px: int = 240) -> go.Figure:
    """Return a figure without axes that says in one sentence why nothing is drawn."""
    figure = new_figure(height_px=height_px)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.add_annotation(text=escaped(reason), x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)
    return figure
