"""A CSV file as a table of texts, whatever separates its columns and however its numbers are written."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cnnlab.exchange.csv_decimals import with_points
from cnnlab.exchange.found import ImportRunsError, counted

PARQUET = ".parquet"
SUFFIXES = (".csv", ".tsv", ".tab", PARQUET)
MOST_BYTES = 2 << 30
MOST_COLUMNS = 10_000
_SAMPLE_BYTES = 1 << 20
_SEPARATORS = (",", ";", "\t", "|")
_MISSING = ("", "na", "n/a", "null", "none", "-", "–")


def read_table(path: Path, *, may_be_empty: bool = False) -> pl.DataFrame:
    """Return the columns of a file as texts; what is empty is null. Parquet is read as our own export writes it.

    Raises:
        ImportRunsError: it is no table with a header, or too large.
    """
    if path.suffix.lower() == PARQUET:
        return _read_parquet(path)
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            sample = file.read(_SAMPLE_BYTES)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from None
    if size > MOST_BYTES:
        raise ImportRunsError(
            f"{path.name!r} has {size / 1e9:.1f} GB. Expected at most {MOST_BYTES / 1e9:.1f} GB. Split it into files "
            "of some runs each, and import their folder."
        )
    encoding = _encoding(sample)
    text = sample.decode(encoding, errors="replace")
    _check(path, sample, text)
    try:
        frame = pl.read_csv(
            path, separator=_separator(text), infer_schema=False, encoding=encoding if encoding != "utf-8" else "utf8"
        )
    except (pl.exceptions.PolarsError, UnicodeError, ValueError) as error:
        if (ragged := _ragged(path, encoding, _separator(text))) is not None:
            raise ragged from None
        raise _unreadable(path, str(error).splitlines()[0].rstrip(".")) from None
    if frame.width > MOST_COLUMNS or all(_is_number(name) for name in frame.columns):
        raise _unreadable(path, "its first line holds no names of columns")
    if frame.is_empty() and not may_be_empty:
        raise _unreadable(path, "it has no rows")
    names = _distinct([name.strip().lstrip("\ufeff") for name in frame.columns])
    return frame.select(column.str.strip_chars().alias(name) for name, column in zip(names, frame, strict=True))


def _read_parquet(path: Path) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(path)
        return frame.select(_as_text(pl.col(name), dtype) for name, dtype in frame.schema.items())
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ImportRunsError(
            f"{path.name!r} cannot be read as parquet: {str(error).splitlines()[0].rstrip('.')}. Expected a table as "
            "'python -m cnnlab export' writes it. Export it again."
        ) from None


def _as_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return a column as the texts that a CSV file of it has."""
    if isinstance(dtype, pl.List):
        return column.list.join(" ")
    return column.dt.to_string("iso") if isinstance(dtype, pl.Datetime) else column.cast(pl.String)


def _ragged(path: Path, encoding: str, separator: str) -> ImportRunsError | None:
    """Return the error that says which line is no row like the others; None where all are."""
    with open(path, encoding=encoding, errors="replace", newline="") as file:
        rows = csv.reader(file, delimiter=separator, strict=True)
        before = 0
        try:
            expected = len(next(rows, []))
            before = rows.line_num
            for row in rows:
                if len(row) > expected:
                    return _too_many(path, before + 1, len(row), expected)
                before = rows.line_num
        except csv.Error:
            return _unreadable(path, f"the quotes that begin in line {before + 1:,} are not closed")
    return None


def _too_many(path: Path, line: int, fields: int, expected: int) -> ImportRunsError:
    return ImportRunsError(
        f"{path.name!r} cannot be read as a table: line {line:,} has {counted(fields, 'field')}, the first {expected}. "
        "Expected as many in each. Take out what is too much in that line, or put a text that holds the separator "
        "into quotes."
    )


def numbers(column: pl.Series) -> tuple[NDArray[np.float64], int]:
    """Return the numbers of a column of texts, NaN where there are none, and how many texts are no numbers.

    Decimal commas and marks of thousands are read where they can mean one number only. `93.5 %` is 0.935.
    """
    text = column.str.strip_chars()
    known = text.is_not_null() & ~text.str.to_lowercase().is_in(_MISSING)
    text = text.set(~known, None)
    is_percent = text.str.ends_with("%")
    text = text.str.strip_suffix("%").str.strip_chars()
    found = with_points(text).cast(pl.Float64, strict=False)
    wrong = int((found.is_null() & known).sum())
    values = found.fill_null(math.nan).to_numpy().copy()
    values[is_percent.fill_null(False).to_numpy()] /= 100
    return values, wrong


def without_headers(frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return the rows that do not repeat the header, as a log that was appended to has it, and how many do."""
    is_header = pl.all_horizontal(pl.col(name).eq_missing(pl.lit(name)) for name in frame.columns)
    kept = frame.filter(~is_header)
    return kept, frame.height - kept.height


def is_given(column: pl.Series) -> NDArray[np.bool_]:
    """Return where a column says something: NaN, when written out, is a number too."""
    text = column.str.strip_chars().str.to_lowercase()
    return (text.is_not_null() & ~text.is_in(_MISSING)).to_numpy()


def is_numeric(column: pl.Series) -> bool:
    """Return whether every text of a column is a number, and at least one is there."""
    count, wrong = counted_numbers(column)
    return bool(count) and not wrong


def counted_numbers(column: pl.Series) -> tuple[int, int]:
    """Return how many texts of a column are numbers, NaN among them, and how many are not."""
    wrong = numbers(column)[1]
    return int(is_given(column).sum()) - wrong, wrong


def _encoding(sample: bytes) -> str:
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        sample[: -4 or None].decode("utf-8")  # a character may be cut at the end of the sample
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _separator(text: str) -> str:
    """Return what separates the columns: of the candidates that part the header the one that parts it most."""
    first = text.splitlines()[0]
    return max(_SEPARATORS, key=lambda candidate: len(next(csv.reader([first], delimiter=candidate), [])))


def _check(path: Path, sample: bytes, text: str) -> None:
    if not text.strip():
        raise _unreadable(path, "it is empty")
    if b"\0" in sample and not sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _unreadable(path, "it holds no text")


def _distinct(names: Sequence[str]) -> list[str]:
    """Return names of which none comes twice, nor is empty."""
    found: list[str] = []
    for place, name in enumerate(names, 1):
        wanted = name or f"column {place}"
        while wanted in found:
            wanted += "'"
        found.append(wanted)
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _unreadable(path: Path, reason: str) -> ImportRunsError:
    return ImportRunsError(
        f"{path.name!r} cannot be read as a table: {reason}. Expected a CSV file whose first line names the columns. "
        "Export it again, as UTF-8 with commas."
    )
