"""What `python -m cnnlab measure` found out about a run's network, kept beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnlab.errors import StoreError
from cnnlab.runs import tables
from cnnlab.runs.schema import INFERENCE, check_row

if TYPE_CHECKING:
    import polars as pl

FILE = "inference.parquet"
# What makes two measurements the same one, done twice.
_SAME = ("batch_size", "hardware", "versions")


def read_inference(run_dir: Path) -> "pl.DataFrame":
    """Return the columns of `schema.INFERENCE`, no rows where nothing was measured."""
    return tables.read_frame(Path(run_dir) / FILE, INFERENCE)


def write_inference(run_dir: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows to what was measured before; those of the same batch size, hardware and versions are replaced.

    One process measures a run at a time: of two at once, the one that ends last has its way.

    Raises:
        StoreError: a row is not as `schema.INFERENCE` has it, or the folder cannot be written.
    """
    path = Path(run_dir) / FILE
    fresh = [{"run_id": path.parent.name, **row} for row in rows]
    for row in fresh:
        check_row(INFERENCE, row, FILE)
    done = {tuple(row[name] for name in _SAME) for row in fresh}
    before = [row for row in read_inference(run_dir).to_dicts() if tuple(row[name] for name in _SAME) not in done]
    try:
        tables.write_rows(path, INFERENCE, [*before, *fresh])
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror or error}. Expected a folder of yours with free space. "
            "Make room, or measure a copy of the run in another store."
        ) from error
