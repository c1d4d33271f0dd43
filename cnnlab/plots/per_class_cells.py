"""Many runs and their classes as a table of coloured numbers: a row per class, a column per run."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from cnnlab.plots.inked_cells import add_inked_cells
from cnnlab.plots.labels import escaped, unique_labels
from cnnlab.plots.overlays import Line
from cnnlab.plots.palette import sequential

ROW_PX, HEAD_PX = 26, 200
# Longer names of runs would take more height than ten classes.
NAME_LENGTH = 22


def add_class_cells(
    figure: go.Figure, lines: Sequence[Line], shown: int, hovers: list[list[str]], *, is_dark: bool
) -> None:
    """Draw the first classes from the top; white or the page's colour is the lowest number of all.

    Args:
        hovers: Of each class and run.
    """
    shares = np.array([line.y[:shown] for line in lines], dtype=np.float64).T
    known = shares[np.isfinite(shares)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    add_inked_cells(
        figure,
        shares,
        [[_percent(share) for share in row] for row in shares.tolist()],
        scale=sequential(is_dark, power=1.4),
        low=low,
        high=high if high > low else low + 1,
        x=unique_labels((line.label for line in lines), NAME_LENGTH),
        xgap=1,
        ygap=1,
        showscale=False,
        name="",
        customdata=hovers,
        hovertemplate="%{customdata}<extra></extra>",
    )
    figure.update_xaxes(side="top", tickangle=-60, showgrid=False, type="category", title=None)
    figure.update_layout(height=HEAD_PX + ROW_PX * shown, showlegend=False)


def cell_hover(label: str, text: str) -> str:
    """Return the hover text of a cell."""
    return f"<b>{escaped(label)}</b><br>{text}"


def _percent(share: float) -> str:
    """Return whole percents, as many as a column on a phone has room for; 100 for all alone."""
    return "" if share != share else f"{100 * share:.0f}" if share == 1 else f"{min(100 * share, 99.4):.0f}"
