"""Which point of a chart was clicked."""

from typing import Any


def clicked(event: Any) -> int | None:
    """Return the customdata of the clicked point, None where nothing was clicked or it leads nowhere."""
    for point in event.selection.points:
        index = point.get("customdata")
        index = index[0] if isinstance(index, (list, tuple)) and index else index
        if isinstance(index, (int, float)) and index >= 0:
            return int(index)
    return None
