"""The columns that the table of runs may have: what they are called, what they mean, how their cells read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import polars as pl

from cnnlab.analysis.intervals import wilson
from cnnlab.errors import QueryError
from cnnlab.query.names import note_of, resolve
from cnnlab.query.values import is_share
from dashboard.components import numbers, picking_table
from dashboard.components.comparing import setting_text
from dashboard.components.status import look

# A cell of a table takes text only, so the icons of `STATES` have stand-ins here.
SIGNS: Mapping[str, str] = {
    "running": "▶",
    "queued": "…",
    "paused": "Ⅱ",
    "completed": "✓",
    "failed": "✕",
    "cancelled": "■",
    "lost": "?",
}
# Made of several columns of the summary, and sorted by the last of them.
INTERVAL, EPOCHS = "interval", "epochs_of"
MADE = {INTERVAL: ("test_correct", "test_n", "test_accuracy"), EPOCHS: ("epochs", "epochs_done")}
USUAL = (
    "name",
    "state",
    "tags",
    "dataset",
    "architecture",
    "test_accuracy",
    INTERVAL,
    "num_params",
    "macs",
    EPOCHS,
    "train_s",
    "seed",
    "created_at",
    "serious_findings",
)
_TITLES = {
    "name": "Name",
    "state": "Status",
    "serious_findings": "Doctor",
    "dataset": "Data set",
    "test_accuracy": "Test top-1",
    "val_accuracy": "Best validation",
    INTERVAL: "95 % interval",
    "num_params": "Parameters",
    "macs": "MACs",
    "depth": "Depth",
    EPOCHS: "Epochs",
    "train_s": "Duration",
    "created_at": "Created (UTC)",
    "started_at": "Started (UTC)",
    "ended_at": "Ended (UTC)",
    "disk_bytes": "Disk",
    "is_starred": "Starred",
    "is_archived": "Archived",
    "test_n": "Test images",
    "images_per_s": "Images / s",
    "run_id": "Run",
}
_HELP = {
    INTERVAL: "Wilson interval of one run's test accuracy: what another sample of images may give.",
    EPOCHS: "Done / asked for.",
    "serious_findings": "How many serious findings the doctor had at the end; the run's page says which.",
    "state": "Whether it waits, trains, or how it ended.",
}


@dataclass(frozen=True)
class RunColumn:
    """One column of the table of runs.

    Attributes:
        column: Of the summary or of the fields; a name of `MADE` for what is made of several.
    """

    column: str
    title: str
    help: str

    @property
    def sources(self) -> Sequence[str]:
        """The columns of a frame that it needs; the last one is what it is sorted by."""
        return MADE.get(self.column, (self.column,))


def run_column(name: str, columns: Sequence[str] = ()) -> RunColumn:
    """Return a column by its name in an address, a short word or the end of a setting; raises `QueryError`."""
    column = name if name in MADE else resolve(name, columns).column
    note = note_of(column) or column
    is_setting = "." in column
    last = column.rpartition(".")[2].replace("_", " ")
    title = _TITLES.get(column) or (note if is_setting and not column.startswith("result.") else last.capitalize())
    return RunColumn(column, title, _HELP.get(column) or (column if is_setting else note))


def run_columns(names: Sequence[str], columns: Sequence[str] = ()) -> tuple[list[RunColumn], list[str]]:
    """Return the columns of names, the name of the run always first, and what is wrong with the others."""
    found, wrong = {"name": run_column("name")}, []
    for name in names or USUAL:
        try:
            one = run_column(name, columns)
            found.setdefault(one.column, one)
        except QueryError as error:
            wrong.append(str(error))
    return list(found.values()), wrong


def head(columns: Sequence[RunColumn], frame: pl.DataFrame) -> list[picking_table.Column]:
    """Return how the columns look; numbers and times are on the right."""
    return [
        picking_table.Column(
            one.column,
            one.title,
            one.help,
            is_right=one.column in MADE or _is_right(one.column, frame.schema.get(one.column, pl.Null())),
            kind="link" if one.column == "name" else "tags" if one.column == "tags" else "text",
        )
        for one in columns
    ]


def _is_right(column: str, kind: pl.DataType) -> bool:
    return (kind.is_numeric() or kind.is_temporal()) and column != "serious_findings"


def cells(columns: Sequence[RunColumn], row: Mapping[str, Any]) -> list[str | list[str] | None]:
    """Return the cells of one run; None for what is not known."""
    return [_cell(one.column, row) for one in columns]


def _cell(column: str, row: Mapping[str, Any]) -> str | list[str] | None:
    if column == INTERVAL:
        return wilson_text(row["test_correct"], row["test_n"])
    if column == EPOCHS:
        return f"{row['epochs_done'] or 0} / {numbers.count(row['epochs'])}"
    value = row[column]
    if column == "tags":
        return list(value or ())
    if value is None or value == "":
        return None
    return _text(column, value)


def _text(column: str, value: Any) -> str:
    if column in _SPECIAL:
        return _SPECIAL[column](value)
    if hasattr(value, "strftime"):
        return str(value.strftime("%Y-%m-%d %H:%M"))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number_text(column, value)
    return setting_text(value)


def _number_text(column: str, value: float) -> str:
    if is_share(column):
        return numbers.percent(value)
    if column.endswith("_bytes"):
        return numbers.short(value, "B")
    if column.endswith("_s") and not column.endswith("_per_s"):
        return numbers.duration(value)
    if isinstance(value, int):
        return numbers.count(value) if abs(value) >= 10_000 else str(value)
    return numbers.number(value)


_SPECIAL: Mapping[str, Callable[[Any], str]] = {
    "state": lambda state: f"{SIGNS.get(state, '')} {look(state).label}",
    "macs": numbers.short,
    "num_params": numbers.count,
    "serious_findings": lambda count: f"⚠ {count}" if count else "none",
    "images_per_s": numbers.count,
    "notes": lambda text: " ".join(text.split())[:200],
}


@lru_cache(maxsize=1 << 16)
def wilson_text(correct: int | None, n: int | None) -> str | None:
    """Return the Wilson interval in percent, or None for a run that was not tested."""
    return numbers.percent_interval(*wilson(correct, n)) if correct is not None and n else None
