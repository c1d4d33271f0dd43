"""Which runs a command is about: ids, or a query in the language of `cnnlab.query`."""

from collections.abc import Sequence
from typing import Annotated

import polars as pl
import typer

from cnnlab.errors import ConfigError, QueryError
from cnnlab.query import where as queries_in_words
from cnnlab.query.language import parse
from cnnlab.runs import fields, queries
from cnnlab.runs.store import Store

WhereOption = Annotated[
    str,
    typer.Option(
        "--where",
        metavar="QUERY",
        help="Runs for which this holds, such as 'architecture=resnet accuracy>90% not tag:old'.",
    ),
]


def found(store: Store, where: str, *, has_archived: bool) -> pl.DataFrame:
    """Return the runs for which a query holds, newest first; archived ones where asked for, or where it names them.

    Raises:
        QueryError: the query cannot be read.
    """
    tree = parse(where)
    runs = queries_in_words.visible(queries.summaries(store), tree, has_archived=has_archived)
    return queries_in_words.find(runs, tree, lambda: fields.fields(store))


def why_none(store: Store, where: str, *, has_archived: bool) -> list[str]:
    """Return what each part of a query keeps alone, in sentences; raises as `found`."""
    runs = queries_in_words.visible(queries.summaries(store), parse(where), has_archived=has_archived)
    parts = queries_in_words.parts(runs, where, lambda: fields.fields(store)) if where.strip() else []
    return [part.sentence for part in parts]


def selected(store: Store, run_ids: Sequence[str], where: str) -> list[str]:
    """Return the runs that a command is about.

    Raises:
        ConfigError: neither ids nor a query were given, or both.
        QueryError: no run matches the query.
        RunNotFoundError: one of the ids is not in the store.
    """
    if bool(run_ids) == bool(where.strip()):
        raise ConfigError("Neither ids nor a query, or both. Expected ids of runs or --where. Give one of them.")
    for run_id in run_ids:
        store.run_dir(run_id)
    if run_ids:
        return list(dict.fromkeys(run_ids))
    ids = found(store, where, has_archived=True)["run_id"].to_list()
    if not ids:
        raise QueryError(f"No run matches {where!r}. Expected one or more. Try it with 'cnnlab runs --where'.")
    return ids
