"""What one comparison of a query means for a column of a kind: numbers, times, texts, yes or no, lists.

Texts are equal whatever the case, and `*` in an unquoted one stands for anything. Of a list one element is
enough.
"""

import re
from collections.abc import Callable
from functools import reduce
from operator import and_

import polars as pl

from cnnlab.errors import QueryError
from cnnlab.query import values
from cnnlab.query.language import Range, Text

MISSING = "missing"
_LESS: dict[str, Callable[[pl.Expr, float], pl.Expr]] = {
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
}
# What a float loses on its way through text, JSON and parquet.
_RELATIVE = 1e-9


def compared(frame: pl.DataFrame, column: str, operator: str, asked: Text | Range) -> pl.Expr:
    """Return where a column compares so, null where there is nothing to compare.

    Args:
        operator: One of `language.OPERATORS`, but not `!=`.

    Raises:
        QueryError: the column cannot be compared so.
    """
    kind = frame.schema[column]
    if isinstance(asked, Text) and asked.text.lower() == MISSING and not asked.is_quoted and operator in "=:":
        return pl.col(column).list.len() == 0 if isinstance(kind, pl.List) else pl.col(column).is_null()
    if isinstance(kind, pl.Null):
        return pl.lit(False)
    if isinstance(kind, pl.Boolean):
        return _compared_flag(column, operator, asked)
    if isinstance(kind, pl.Datetime):
        return _compared_time(column, operator, asked)
    if isinstance(kind, pl.List):
        return _compared_list(column, operator, asked)
    if isinstance(kind, pl.String):
        return _compared_text(frame, column, operator, asked)
    # To polars a NaN is larger than every number.
    number = pl.col(column).fill_nan(None) if kind.is_float() else pl.col(column)
    return _compared_number(column, number, operator, asked)


def _compared_flag(column: str, operator: str, asked: Text | Range) -> pl.Expr:
    if not isinstance(asked, Text) or operator not in ("=", ":"):
        raise QueryError(f"{column} is yes or no. Expected {column}=yes or {column}=no. Write one of them.")
    return pl.col(column) == values.yes_or_no(asked.text, column)


def _compared_time(column: str, operator: str, asked: Text | Range) -> pl.Expr:
    time = pl.col(column)
    if isinstance(asked, Range):
        low = [time >= values.moment(asked.low.text, column).begin] if asked.low else []
        high = [time < values.moment(asked.high.text, column).end] if asked.high else []
        return reduce(and_, low + high)
    moment = values.moment(asked.text, column)
    match operator:
        case "<":
            return time < moment.begin
        case "<=":
            return time < moment.end
        case ">":
            return time >= moment.end
        case ">=":
            return time >= moment.begin
    return (time >= moment.begin) & (time < moment.end)


def _compared_number(column: str, number: pl.Expr, operator: str, asked: Text | Range) -> pl.Expr:
    if isinstance(asked, Range):
        low = [number >= _number(column, asked.low)] if asked.low else []
        high = [number <= _number(column, asked.high)] if asked.high else []
        return reduce(and_, low + high)
    value = _number(column, asked)
    if operator in _LESS:
        return _LESS[operator](number, value)
    return (number - value).abs() <= _RELATIVE * abs(value)


def _number(column: str, text: Text) -> float:
    value = None if text.is_quoted else values.number(text.text, column)
    if value is None:
        raise QueryError(f"{column} is a number, and {text.text!r} is none. Expected such as {column}>10. Write one.")
    return value


def _compared_text(frame: pl.DataFrame, column: str, operator: str, asked: Text | Range) -> pl.Expr:
    words = pl.col(column)
    # A setting that is a number in some runs and a list or word in others is kept as text.
    number = words.cast(pl.Float64, strict=False)
    if isinstance(asked, Range) or operator in _LESS:
        parts = [asked] if isinstance(asked, Text) else [one for one in (asked.low, asked.high) if one]
        has_numbers = frame.select(number.is_not_null().any()).item()
        if not has_numbers or any(one.is_quoted or values.number(one.text, column) is None for one in parts):
            raise QueryError(
                f"{column} is text, which is neither smaller nor larger. Expected {column}=… or {column}:… for a part "
                "of it. Write '=' or ':'."
            )
        return _compared_number(column, number, operator, asked)
    same = _same_text(words, operator, asked)
    value = None if asked.is_quoted or operator == ":" else values.number(asked.text, column)
    return same if value is None else same.fill_null(False) | _compared_number(column, number, "=", asked)


def _same_text(words: pl.Expr, operator: str, asked: Text) -> pl.Expr:
    lower = asked.text.lower()
    is_pattern = "*" in lower and not asked.is_quoted
    if not is_pattern:
        same = words.str.to_lowercase()
        return same.str.contains(lower, literal=True) if operator == ":" else same == lower
    pattern = ".*".join(map(re.escape, lower.split("*")))
    return words.str.to_lowercase().str.contains(f"(?s){pattern}" if operator == ":" else f"(?s)^{pattern}$")


def _compared_list(column: str, operator: str, asked: Text | Range) -> pl.Expr:
    if not isinstance(asked, Text) or operator not in ("=", ":"):
        raise QueryError(f"{column} are words. Expected {column}=… or {column}:… for a part of one. Write '=' or ':'.")
    return pl.col(column).list.eval(_same_text(pl.element(), operator, asked)).list.any()
