"""How commands speak: one JSON document on standard output, or tables for people."""

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

# Nothing reads the lines of a pipe by the eye: they are as long as they need to be.
WIDTH_OF_A_PIPE = 1000

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output and nothing else.")
]


def print_json(value: Any) -> None:
    """Print `value` as one JSON document; NaN, which JSON has no word for, becomes null."""
    sys.stdout.write(json.dumps(_plain(value), ensure_ascii=False, indent=2) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[str] = ()) -> None:
    """Print a table; the columns named in `right` are numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        # The first column is the name that one copies into the next command: it is never broken.
        is_first = number == 0
        table.add_column(column, justify="right" if column in right else "left", overflow="fold", no_wrap=is_first)
    for row in rows:
        table.add_row(*("" if cell is None else Text(str(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_PIPE).print(table)


def say(text: str) -> None:
    """Tell a person something that is not the answer: on standard error."""
    sys.stderr.write(text + "\n")


def percent(value: float | None, digits: int = 2) -> str:
    """Return `97.22 %`, or an empty string where there is no number."""
    return "" if value is None or math.isnan(value) else f"{100 * value:.{digits}f} %"


def grouped(value: float | None) -> str:
    """Return `61,706`, or an empty string where there is no number."""
    return "" if value is None else f"{value:,.0f}"


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value
