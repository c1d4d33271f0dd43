"""The numbers of a chart as CSV, whatever their columns hold."""

import polars as pl
import polars.selectors as cs

# Spreadsheets run a text that begins so as a formula, and names of runs are anybody's; numbers they leave alone.
_FORMULA = r"^[=+\-@\t\r]"
_NUMBER = r"^[+-]?[0-9.,]+([eE][+-]?[0-9]+)?( %)?$"


def csv_text(table: pl.DataFrame) -> str:
    """Return `table` as CSV: lists with spaces between their values, null empty, NaN as `NaN`.

    A text that a spreadsheet would run as a formula begins with an apostrophe.
    """
    flat = table.with_columns(cs.list().cast(pl.List(pl.String)).list.join(" "))
    return flat.with_columns(_harmless(pl.col(name)) for name in flat.select(cs.string()).columns).write_csv()


def _harmless(text: pl.Expr) -> pl.Expr:
    is_formula = text.str.contains(_FORMULA) & ~text.str.contains(_NUMBER)
    return pl.when(is_formula).then("'" + text).otherwise(text).name.keep()
