"""Which point of a chart was clicked, and the run behind it."""

from collections.abc import Sequence
from typing import Any

from dashboard.state import go


def clicked(event: Any) -> int | None:
    """Return the customdata of the clicked point, None where nothing was clicked or it leads nowhere."""
    for point in event.selection.points:
        index = point.get("customdata")
        index = index[0] if isinstance(index, (list, tuple)) and index else index
        if isinstance(index, (int, float)) and index >= 0:
            return int(index)
    return None


def open_clicked(event: Any, members: Sequence[str | Sequence[str]]) -> None:
    """Open the run behind a clicked point; a group opens its first."""
    index = clicked(event)
    if index is not None and index < len(members):
        member = members[index]
        go("run", run=member if isinstance(member, str) else member[0])
