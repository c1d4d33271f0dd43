"""A table of a run that is lines while the run lives and one parquet file once it has ended."""

import io
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from cnnlab.files import read_bytes
from cnnlab.runs import tables
from cnnlab.runs.lines import append_lines, parse_lines
from cnnlab.runs.schema import Table

if TYPE_CHECKING:
    import polars as pl

Line = dict[str, Any]


@dataclass(frozen=True)
class TailedTable:
    """Where the lines and the parquet file of one kind of table lie, and how one becomes the other.

    Attributes:
        name: `<name>.jsonl` holds the lines, `<name>.parquet` the table, both in the run's folder.
        schema: The table's columns.
        to_table: The table of a run id and its lines.
        to_lines: The lines of such a table.
    """

    name: str
    schema: Table
    to_table: Callable[[str, Sequence[Line]], pa.Table]
    to_lines: Callable[[pa.Table], Iterable[Line]]

    @property
    def tail(self) -> str:
        """Return the name of the file of lines."""
        return f"{self.name}.jsonl"

    @property
    def file(self) -> str:
        """Return the name of the parquet file."""
        return f"{self.name}.parquet"

    def append(self, run_dir: Path, lines: Sequence[Mapping[str, Any]]) -> None:
        """Append lines to those of a living run."""
        append_lines(run_dir / self.tail, lines)

    def read(self, run_dir: Path) -> "pl.DataFrame":
        """Return the table so far; lines win over a table, since a new attempt writes lines again."""
        import polars as pl

        tail, data = read_bytes(run_dir / self.tail), read_bytes(run_dir / self.file)
        if tail is not None or data is None:
            table: Any = pl.from_arrow(self.to_table(run_dir.name, parse_lines(tail or b"")))
            return tables.conform(table, self.schema)
        return tables.conform(pl.read_parquet(data), self.schema)

    def lines(self, run_dir: Path) -> list[Line] | None:
        """Return what there is so far as lines, None where there are no files of it."""
        tail, data = read_bytes(run_dir / self.tail), read_bytes(run_dir / self.file)
        if tail is not None:
            return parse_lines(tail)
        return None if data is None else list(self.to_lines(pq.read_table(io.BytesIO(data))))

    def copy(self, source: Path, target: Path) -> None:
        """Let a run begin with the lines of another one."""
        (target / self.tail).unlink(missing_ok=True)
        append_lines(target / self.tail, self.lines(source) or [])

    def rewind(self, run_dir: Path, kept: Callable[[Line], Line | None]) -> None:
        """Keep of each line what `kept` returns, as the lines that a new attempt goes on with."""
        lines = self.lines(run_dir)
        if lines is None:
            return
        tail = run_dir / self.tail
        temporary = tail.with_name(f"{tail.name}.new")
        temporary.unlink(missing_ok=True)
        append_lines(temporary, [left for line in lines if (left := kept(line))])
        if temporary.exists():
            os.replace(temporary, tail)
        else:
            tail.unlink(missing_ok=True)
        (run_dir / self.file).unlink(missing_ok=True)

    def compact(self, run_dir: Path) -> None:
        """Turn the lines into parquet."""
        tail = read_bytes(run_dir / self.tail)
        if tail is None:
            return
        tables.write_table(run_dir / self.file, self.schema, [self.to_table(run_dir.name, parse_lines(tail))])
        os.unlink(run_dir / self.tail)
