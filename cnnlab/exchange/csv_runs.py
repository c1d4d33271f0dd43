"""The table of runs beside a table of numbers, as our own export has it: names, times and settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cnnlab.exchange.csv_table import read_table
from cnnlab.exchange.found import Scalar
from cnnlab.exchange.settings import typed
from cnnlab.runs.status import ENDED

CONFIG = "config."


@dataclass(frozen=True)
class AboutRun:
    """What a table of runs says of one."""

    name: str
    state: str = "completed"
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    started_s: float | None = None
    ended_s: float | None = None


def about_runs(path: Path) -> dict[str, AboutRun]:
    """Return what `runs.csv` says of each run, by the id that `metrics.csv` names it with; nothing without one."""
    frame = read_table(path)
    if "run_id" not in frame.columns:
        return {}
    return {str(row["run_id"]): _about(row) for row in frame.iter_rows(named=True)}


def _about(row: Mapping[str, str | None]) -> AboutRun:
    settings = {
        name.removeprefix(CONFIG): typed(text) for name, text in row.items() if name.startswith(CONFIG) and text
    }
    state = str(row.get("state") or "completed")
    return AboutRun(
        name=str(row.get("name") or row["run_id"]),
        state=state if state in ENDED else "lost",
        parameters={name: value for name, value in settings.items() if name not in ("name", "notes")},
        started_s=_seconds(row.get("started_at")),
        ended_s=_seconds(row.get("ended_at")),
    )


def _seconds(text: str | None) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp() if text else None
    except (ValueError, OverflowError):
        return None
