"""A CSV file as a table of texts, whatever separates its columns and however its numbers are written."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cnnlab.exchange.found import ImportRunsError

SUFFIXES = (".csv", ".tsv", ".tab")
MOST_BYTES = 2 << 30
MOST_COLUMNS = 10_000
_SAMPLE_BYTES = 1 << 20
_SEPARATORS = (",", ";", "\t", "|")
_MISSING = ("", "na", "n/a", "null", "none", "-", "–")


def read_table(path: Path) -> pl.DataFrame:
    """Return the columns of a file as texts; what is empty is null.

    Raises:
        ImportRunsError: it is no table with a header, or too large.
    """
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
        raise _unreadable(path, str(error).splitlines()[0].rstrip(".")) from None
    if frame.width > MOST_COLUMNS or all(_is_number(name) for name in frame.columns):
        raise _unreadable(path, "its first line holds no names of columns")
    if frame.is_empty():
        raise _unreadable(path, "it has no rows")
    names = _distinct([name.strip().lstrip("\ufeff") for name in frame.columns])
    return frame.select(column.str.strip_chars().alias(name) for name, column in zip(names, frame, strict=True))


def numbers(column: pl.Series) -> tuple[NDArray[np.float64], int]:
    """Return the numbers of a column of texts, NaN where there are none, and how many texts are no numbers.

    A decimal comma is read where no number of the column has a point. `93.5 %` is 0.935.
    """
    text = column.str.strip_chars()
    known = text.is_not_null() & ~text.str.to_lowercase().is_in(_MISSING)
    text = text.set(~known, None)
    is_percent = text.str.ends_with("%")
    text = text.str.strip_suffix("%").str.strip_chars()
    if bool(text.str.contains(",", literal=True).any()) and not bool(text.str.contains(".", literal=True).any()):
        text = text.str.replace(",", ".", literal=True)
    found = text.cast(pl.Float64, strict=False)
    wrong = int((found.is_null() & known).sum())
    values = found.fill_null(math.nan).to_numpy().copy()
    values[is_percent.fill_null(False).to_numpy()] /= 100
    return values, wrong


def is_given(column: pl.Series) -> NDArray[np.bool_]:
    """Return where a column says something: NaN, when written out, is a number too."""
    text = column.str.strip_chars().str.to_lowercase()
    return (text.is_not_null() & ~text.is_in(_MISSING)).to_numpy()


def is_numeric(column: pl.Series) -> bool:
    """Return whether every text of a column is a number, and at least one is there."""
    return bool(is_given(column).any()) and numbers(column)[1] == 0


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
