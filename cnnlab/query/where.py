"""Which runs a question means: a tree of `language` becomes a filter of polars.

A comparison never holds for what a run lacks; so `not accuracy>0.9` and `optimizer!=sgd` keep runs that have
no accuracy or no optimizer. `accuracy=missing` asks for these.
"""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import and_, or_

import polars as pl

from cnnlab.errors import QueryError
from cnnlab.query.comparisons import compared
from cnnlab.query.language import All, Comparison, Either, Not, Text, Tree, Word, parse, text
from cnnlab.query.names import AGE, Field, resolve

# Among so many texts at most one is looked for that was perhaps meant: among 10,000 names it took 0.7 s, at each key.
MOST_KNOWN = 1000
# Where a word alone is looked for.
SEARCHED = (
    "run_id",
    "name",
    "notes",
    "dataset",
    "architecture",
    "augmentation",
    "optimizer",
    "state",
    "failure",
    "origin",
)


def find(runs: pl.DataFrame, question: str | Tree, fields: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    """Return the runs for which a question holds, in the order of `runs`.

    Args:
        runs: As `queries.summaries` returns them.
        fields: Returns those of `cnnlab.runs.fields`; called only where the question needs them.

    Raises:
        QueryError: the question cannot be read, or names or compares what does not fit.
    """
    tree = parse(question) if isinstance(question, str) else question
    frame, columns = with_fields(runs, names_in(tree), fields)
    return runs.filter(frame.select(_expression(tree, frame, columns).alias("holds"))["holds"])


def with_fields(
    runs: pl.DataFrame, names: list[str], fields: Callable[[], pl.DataFrame]
) -> tuple[pl.DataFrame, dict[str, Field]]:
    """Return the runs with a column for each setting or number that is named, and what each name means.

    Raises:
        QueryError: a name means nothing, or several things.
    """
    found: dict[str, Field] = {}
    for name in dict.fromkeys(names):
        try:
            found[name] = resolve(name)
        except QueryError:
            found[name] = resolve(name, fields().columns)
    wanted = [field.column for field in found.values() if not field.is_summed]
    if wanted:
        flat = fields()
        have = [column for column in dict.fromkeys(wanted) if column in flat.columns]
        runs = runs.join(flat.select("run_id", *have), on="run_id", how="left", maintain_order="left")
        lacking = [pl.lit(None, pl.Null).alias(column) for column in dict.fromkeys(wanted) if column not in have]
        runs = runs.with_columns(lacking)
    if any(field.column == AGE for field in found.values()):
        seconds = (pl.lit(datetime.now(UTC)) - pl.col("created_at")).dt.total_microseconds() / 1e6
        runs = runs.with_columns(seconds.alias(AGE))
    return runs, found


def names_in(tree: Tree) -> list[str]:
    """Return the names of fields in a question, also of flags such as `starred`."""
    match tree:
        case Word(word):
            return [word.text] if _is_flag(word) else []
        case Comparison(field, _, _):
            return [field]
        case Not(part):
            return names_in(part)
        case All(parts) | Either(parts):
            return [name for part in parts for name in names_in(part)]


@dataclass(frozen=True)
class Part:
    """How many runs a part of a question alone keeps, and why none.

    Attributes:
        lacking: The fields that no run has.
        near: A value that runs have and that was perhaps meant.
    """

    text: str
    num_kept: int
    lacking: str = ""
    near: str = ""

    @property
    def sentence(self) -> str:
        """What is to be said of it.

        >>> Part("arch=resnt", 0, near="resnet").sentence
        "arch=resnt: no run alone. Did you mean 'resnet'?"
        """
        kept = {0: "no run", 1: "1 run"}.get(self.num_kept, f"{self.num_kept:,} runs")
        lacking = f" No run has {self.lacking}." if self.lacking else ""
        near = f" Did you mean {self.near!r}?" if self.near else ""
        return f"{self.text}: {kept} alone.{lacking}{near}"


def parts(runs: pl.DataFrame, question: str, fields: Callable[[], pl.DataFrame]) -> list[Part]:
    """Return what each part of a question keeps alone: why nothing is left of all; raises as `find`."""
    tree = parse(question)
    found = []
    for part in tree.parts if isinstance(tree, All) else (tree,):
        frame, columns = with_fields(runs, names_in(part), fields)
        empty = [one.column for one in columns.values() if frame[one.column].null_count() == frame.height]
        lacking = empty if frame.height else []
        num_kept = find(runs, part, fields).height
        near = "" if num_kept or lacking else _near(part, frame, columns)
        found.append(Part(text(part), num_kept, ", ".join(lacking), near))
    return found


def _near(part: Tree, frame: pl.DataFrame, columns: Mapping[str, Field]) -> str:
    """Return a text that runs have and that looks like the one that was asked for; empty where none does."""
    if not isinstance(part, Comparison) or part.operator not in "=:":
        return ""
    column = frame[columns[part.field].column]
    asked = part.values[0]
    if not isinstance(asked, Text) or column.dtype != pl.String:
        return ""
    known = column.drop_nulls().unique().sort()
    close = difflib.get_close_matches(asked.text, known.to_list(), n=1) if known.len() <= MOST_KNOWN else []
    return close[0] if close else ""


def ordered(runs: pl.DataFrame, by: str, fields: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    """Return the runs in the order of a field, what lacks it last; `-accuracy` is from high to low.

    Runs that are equal in it stay in the order they had.

    Raises:
        QueryError: there is no such field.
    """
    name = by.removeprefix("-")
    frame, columns = with_fields(runs, [name], fields)
    key = frame[columns[name].column]
    if key.dtype == pl.Null:
        return runs
    if isinstance(key.dtype, pl.List):
        key = key.list.join(" ").replace("", None)
    elif key.dtype == pl.String:
        number = key.cast(pl.Float64, strict=False)
        key = number if number.null_count() == key.null_count() else key.str.to_lowercase()
    elif key.dtype == pl.Float64:
        key = key.fill_nan(None)
    places = pl.arg_sort_by(key, descending=by.startswith("-"), nulls_last=True, maintain_order=True)
    return runs[runs.select(places).to_series()]


def visible(runs: pl.DataFrame, tree: Tree, *, has_archived: bool) -> pl.DataFrame:
    """Return the runs that a question speaks of: archived ones where asked for, or where it names them."""
    return runs if has_archived or mentions(tree, "is_archived") else runs.filter(~pl.col("is_archived"))


def mentions(tree: Tree, column: str) -> bool:
    """Return whether a question names a column of the summary."""
    return any(_column_of(name) == column for name in names_in(tree))


def _column_of(name: str) -> str | None:
    try:
        return resolve(name).column
    except QueryError:
        return None


def _is_flag(word: Text) -> bool:
    return not word.is_quoted and _column_of(word.text) in ("is_starred", "is_archived")


def _expression(tree: Tree, frame: pl.DataFrame, fields: dict[str, Field]) -> pl.Expr:
    match tree:
        case Word(word):
            return pl.col(fields[word.text].column) if _is_flag(word) else _holds_word(word.text)
        case Not(part):
            return ~_expression(part, frame, fields)
        case All(parts):
            return reduce(and_, (_expression(part, frame, fields) for part in parts), pl.repeat(True, pl.len()))
        case Either(parts):
            return reduce(or_, (_expression(part, frame, fields) for part in parts))
        case Comparison(name, operator, asked):
            column = fields[name].column
            positive = "=" if operator == "!=" else operator
            holds = reduce(or_, (compared(frame, column, positive, one) for one in asked)).fill_null(False)
            return ~holds if operator == "!=" else holds


def _holds_word(word: str) -> pl.Expr:
    everything = pl.concat_str([pl.col(name).fill_null("") for name in SEARCHED] + [pl.col("tags").list.join("\n")],
                         separator="\n")  # fmt: skip
    return everything.str.to_lowercase().str.contains(word.lower(), literal=True)
