"""What the table of runs asks of the store, beside `data`: settings of all runs, what people say, the trash, views.

Frames come from caches that are shared by all sessions: never change them in place.
"""

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
import streamlit as st

from cnnlab.errors import CNNLabError
from cnnlab.query import where
from cnnlab.query.language import parse
from cnnlab.query.sql import SqlQuestion
from cnnlab.runs import annotations, trash, views
from cnnlab.runs import fields as runs_fields
from cnnlab.runs.annotations import Change
from cnnlab.runs.trash import Trashed
from cnnlab.runs.views import View
from dashboard import data

SWEEP_EVERY_S = 3600.0
# Of each, the answers that pages of several people may need at a time.
MOST_KEPT = 16


# ---- settings and queries ----


def fields() -> pl.DataFrame:
    """Return a column per setting and number of all runs, as `cnnlab.runs.fields`."""
    return runs_fields.fields(data.store())


def found(runs: pl.DataFrame, question: str, *, has_archived: bool) -> pl.DataFrame:
    """Return the runs for which a question holds, archived ones only where asked for; raises `QueryError`."""
    tree = parse(question)
    return where.find(where.visible(runs, tree, has_archived=has_archived), tree, fields)


def ordered(runs: pl.DataFrame, by: str) -> pl.DataFrame:
    """Return the runs in the order of a field; raises `QueryError`."""
    return where.ordered(runs, by, fields) if by else runs


def parts(runs: pl.DataFrame, question: str, *, has_archived: bool) -> list[where.Part]:
    """Return what each part of a question keeps alone, of the runs that `found` looks at."""
    return where.parts(where.visible(runs, parse(question), has_archived=has_archived), question, fields)


def with_columns(runs: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Return the runs with the settings and numbers that are named, as columns of that name."""
    lacking = [column for column in columns if column not in runs.columns]
    return where.with_fields(runs, lacking, fields)[0] if lacking else runs


def remembered(kind: str, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
    """Return what was made for this key before; frames in it are the same only where they are the same object."""
    kept: list[tuple[tuple[Any, ...], Any]] = _kept(str(data.store().root), kind)
    for known, value in list(kept):
        if len(known) == len(key) and all(map(_is_same, known, key)):
            return value
    value = make()
    kept.insert(0, (key, value))
    del kept[MOST_KEPT:]
    return value


def _is_same(one: Any, other: Any) -> bool:
    return one is other if isinstance(one, pl.DataFrame) else bool(one == other)


@st.cache_resource(show_spinner=False)
def _kept(root: str, kind: str) -> list[Any]:  # noqa: ARG001 the key
    return []


# ---- what people say ----


def annotate(run_ids: Sequence[str], change: Change) -> None:
    """Say the same of some runs; raises as `cnnlab.runs.annotations.annotate`."""
    annotations.annotate(data.store(), run_ids, change)
    data.refresh()


def tags(runs: pl.DataFrame) -> list[str]:
    """Return the tags that runs have, the commonest first."""
    counted = runs["tags"].explode(empty_as_null=True).drop_nulls().value_counts(sort=True)
    return counted["tags"].to_list()


# ---- trash ----


def trashed() -> list[tuple[Trashed, int]]:
    """Return what is in the trash, the longest deleted first, and the bytes of each; at most 5 s old."""
    _sweep(str(data.store().root))
    return _trashed(str(data.store().root))


@st.cache_resource(ttl=5.0, show_spinner=False)
def _trashed(root: str) -> list[tuple[Trashed, int]]:  # noqa: ARG001 the key
    return [(one, one.disk_bytes) for one in trash.contents(data.store())]


@st.cache_resource(ttl=SWEEP_EVERY_S, show_spinner=False)
def _sweep(root: str) -> None:  # noqa: ARG001 the key
    try:
        trash.sweep_trash(data.store())
    except CNNLabError:  # a store of somebody else, or days that are none: the command line says so
        return


def empty_trash() -> int:
    """Delete for good what is in the trash and return the bytes that became free; raises `StoreError`."""
    try:
        return trash.empty_trash(data.store())
    finally:
        _trashed.clear()


def kept_days() -> float | None:
    """Return for how many days the trash keeps what was deleted, 0 for ever; None where the variable says none."""
    try:
        return trash.kept_days()
    except CNNLabError:
        return None


def delete(run_ids: Sequence[str]) -> tuple[list[str], list[str]]:
    """Move runs to the trash; return those that went and why others did not."""
    return _each(run_ids, data.store().delete_run)


def restore(run_ids: Sequence[str]) -> tuple[list[str], list[str]]:
    """Bring runs back from the trash; return those that came and why others did not."""
    return _each(run_ids, data.store().restore_run)


def _each(run_ids: Sequence[str], act: Callable[[str], object]) -> tuple[list[str], list[str]]:
    done, wrong = [], []
    for run_id in run_ids:
        try:
            act(run_id)
            done.append(run_id)
        except CNNLabError as error:  # started, deleted or brought back by somebody else meanwhile
            wrong.append(str(error))
    data.refresh()
    _trashed.clear()
    return done, wrong


# ---- views and SQL ----


def view_names() -> list[str]:
    """Return the names of the views that people kept."""
    return views.view_names(data.store())


def read_view(name: str) -> View:
    """Return a view; raises `UnknownNameError`."""
    return views.read_view(data.store(), name)


def keep_view(name: str, view: View) -> None:
    """Keep a view; raises `ConfigError` or `StoreError`."""
    views.keep_view(data.store(), name, view)


def delete_view(name: str) -> None:
    """Forget a view; raises `UnknownNameError` or `StoreError`."""
    views.delete_view(data.store(), name)


def ask_sql(question: str, run_ids: Sequence[str] | None) -> SqlQuestion:
    """Ask a question in SQL; the answer comes in the background."""
    return SqlQuestion(data.store(), question, run_ids=run_ids)
