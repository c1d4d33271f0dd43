"""How the numbers of a column are written: with a point or a comma, and whether thousands are parted by the other.

Each number that has both is clear by itself. One such as `1.234` is not, so the others of its column decide; where
they do not, it is no number: a loss of 1234 for 1.234 would be worse than none.
"""

import polars as pl

_EXPONENT = r"(?:[eE][+-]?\d+)?$"
_BOTH_COMMA, _BOTH_POINT = (
    rf"^[+-]?\d{{1,3}}(?:\.\d{{3}})+,\d+{_EXPONENT}",
    rf"^[+-]?\d{{1,3}}(?:,\d{{3}})+\.\d+{_EXPONENT}",
)
_ONE_COMMA, _ONE_POINT = rf"^[+-]?\d*,\d*{_EXPONENT}", rf"^[+-]?\d*\.\d*{_EXPONENT}"
# May be thousands or a fraction; 0.123 may not.
_UNSURE_COMMA, _UNSURE_POINT = r"^[+-]?[1-9]\d{0,2}(?:,\d{3})+$", r"^[+-]?[1-9]\d{0,2}(?:\.\d{3})+$"


def with_points(text: pl.Series) -> pl.Series:
    """Return numbers as Python writes them; null for those that may mean two."""
    if not bool(text.str.contains(",", literal=True).any()):
        return text
    is_comma, is_point = _matches(text, _BOTH_COMMA), _matches(text, _BOTH_POINT)
    unsure_comma, unsure_point = _matches(text, _UNSURE_COMMA), _matches(text, _UNSURE_POINT)
    with_comma = _matches(text, _ONE_COMMA)
    outvoted = int(unsure_point.sum()) > int(with_comma.sum())
    sure_comma = bool(is_comma.any()) or (bool((with_comma & ~unsure_comma).any()) and not outvoted)
    sure_point = bool((_matches(text, _ONE_POINT) & ~unsure_point).any()) or bool(is_point.any())
    if not (sure_comma or sure_point or bool(unsure_point.any())):
        sure_comma = True  # commas alone: as with a point alone
    by_comma = _without(text, ".").str.replace(",", ".", literal=True)
    by_point = _without(text, ",")
    plain = text.zip_with(~is_comma, by_comma).zip_with(~is_point, by_point)
    if sure_comma and not sure_point:
        thousands = unsure_point & bool(is_comma.any())
        plain = plain.zip_with(~(with_comma | thousands), by_comma)
        return plain.set(unsure_point & ~thousands, None)
    if sure_point and not sure_comma and bool(is_point.any()):
        return plain.zip_with(~unsure_comma, by_point)
    return plain


def _matches(text: pl.Series, pattern: str) -> pl.Series:
    return text.str.contains(pattern).fill_null(False)


def _without(text: pl.Series, separator: str) -> pl.Series:
    return text.str.replace_all(separator, "", literal=True)
