"""What `python -m cnnlab features` found out about a run's network, kept beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnlab.errors import StoreError
from cnnlab.runs import tables
from cnnlab.runs.schema import FEATURES, check_row

if TYPE_CHECKING:
    import polars as pl

FILE = "features.parquet"
# What makes two rows the same one, done twice.
_SAME = ("output", "classifier")


def read_feature_scores(run_dir: Path) -> "pl.DataFrame":
    """Return the columns of `schema.FEATURES`, no rows where nothing was asked."""
    return tables.read_frame(Path(run_dir) / FILE, FEATURES)


def write_feature_scores(run_dir: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows to those of before; a row of the same output and classifier is replaced.

    Raises:
        StoreError: a row is not as `schema.FEATURES` has it, or the folder cannot be written.
    """
    path = Path(run_dir) / FILE
    fresh = [{"run_id": path.parent.name, **row} for row in rows]
    for row in fresh:
        check_row(FEATURES, row, FILE)
    done = {tuple(row[name] for name in _SAME) for row in fresh}
    kept = [row for row in read_feature_scores(run_dir).to_dicts() if tuple(row[name] for name in _SAME) not in done]
    try:
        tables.write_rows(path, FEATURES, [*kept, *fresh])
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror or error}. Expected a folder of yours with free space. "
            "Make room, or ask for a copy of the run in another store."
        ) from error
