"""`runs`, `show`, `logs`, `delete`: look at what is in the store."""

from typing import Annotated, Any

import polars as pl
import typer

from cnnlab.commands.annotate import bytes_text
from cnnlab.commands.documents import run_document
from cnnlab.commands.follow import follow_log
from cnnlab.commands.output import JsonOption, grouped, percent, print_json, print_table, say
from cnnlab.commands.selection import WhereOption, found, selected, why_none
from cnnlab.errors import UnknownNameError
from cnnlab.files import size_of
from cnnlab.launch.queue import Queue
from cnnlab.query.sql import SqlAnswer, ask_sql
from cnnlab.query.where import ordered, with_fields
from cnnlab.runs import fields
from cnnlab.runs.adopting import as_yaml
from cnnlab.runs.facts import read_config_values
from cnnlab.runs.origin import is_foreign
from cnnlab.runs.status import STATES
from cnnlab.runs.store import Store
from cnnlab.runs.trash import sweep_trash

RunArgument = Annotated[str, typer.Argument(help="A run's id, from 'python -m cnnlab runs'.")]


def list_runs(
    json: JsonOption = False,
    where: WhereOption = "",
    status: Annotated[str, typer.Option("--status", help="Only runs in this state.")] = "",
    columns: Annotated[
        str, typer.Option("--columns", help="Which, after the run: 'name,depth,training.batch_size,accuracy'.")
    ] = "",
    sort: Annotated[str, typer.Option("--sort", help="By a field; '-accuracy' is from high to low.")] = "",
    sql: Annotated[
        str | None,
        typer.Option("--sql", help="Ask this instead, of the tables runs, config, metrics, predictions, layers."),
    ] = None,
    has_archived: Annotated[bool, typer.Option("--archived", help="Archived runs, too.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, newest first.")] = 30,
) -> None:
    """List the runs of the store, newest first, or those for which a query holds."""
    if status and status not in STATES:
        raise UnknownNameError("state", status, STATES)
    store = Store()
    Queue().tick()
    table = found(store, where, has_archived=has_archived)
    table = table.filter(table["state"] == status) if status else table
    if sql is not None:
        is_all = not (where or status)
        _print_answer(ask_sql(store, sql, run_ids=None if is_all else table["run_id"].to_list()), json)
        return
    table = ordered(table, sort, lambda: fields.fields(store)) if sort else table
    names = [name.strip() for name in columns.split(",") if name.strip()]
    shown = _with_columns(store, table.head(limit), names)
    rows = shown.to_dicts()
    if json:
        print_json({"runs": rows, "total": table.height})
        return
    if not rows:
        _say_none(store, where, status, has_archived=has_archived)
        return
    if names:
        right = [name for name, kind in shown.schema.items() if kind.is_numeric()]
        print_table(("run", *shown.columns[1:]), [list(map(_cell_text, row)) for row in shown.iter_rows()], right=right)
    else:
        usual = ("run", "status", "test accuracy", "parameters", "MACs", "epochs", "train s")
        print_table(usual, [_cells(row) for row in rows], right=usual[2:])
    if table.height > limit:
        say(f"{table.height - limit} more runs not shown; see them with '--limit {table.height}'.")


def _with_columns(store: Store, table: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Return the columns that were asked for after the run's id; all of the summary for none."""
    if not names:
        return table
    wide, meant = with_fields(table, names, lambda: fields.fields(store))
    asked = [pl.col(meant[name].column).alias(name) for name in dict.fromkeys(names) if name != "run_id"]
    return wide.select("run_id", *asked)


def _cell_text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)


def _say_none(store: Store, where: str, status: str, *, has_archived: bool) -> None:
    if not ((where or status) and store.run_ids()):
        print("No runs yet. Train the first with 'python -m cnnlab train --dataset digits --architecture lenet5'.")
        return
    print("No run matches. See all with 'python -m cnnlab runs --archived'.")
    for sentence in why_none(store, where, has_archived=has_archived):
        print(sentence)


def _print_answer(answer: SqlAnswer, is_json: bool) -> None:
    frame = answer.frame
    if is_json:
        print_json({"columns": frame.columns, "rows": frame.to_dicts(), "is_cut": answer.is_cut})
        return
    right = [name for name, kind in frame.schema.items() if kind.is_numeric()]
    print_table(frame.columns, [list(map(_cell_text, row)) for row in frame.iter_rows()], right=right)
    if answer.is_cut:
        say(f"Only the first {frame.height:,} rows are shown; there are more.")


def show(run_id: RunArgument, json: JsonOption = False) -> None:
    """Show one run: status, numbers, failure with advice, config."""
    store = Store()
    document = run_document(store, run_id)
    text, values = _config(store, run_id)
    if json:
        print_json({**document, "config": values, "environment": store.read_environment(run_id)})
        return
    for name, value in document.items():
        if value not in (None, "", []) and name not in ("failure", "test"):
            print(f"{name}: {value}")
    if document["failure"]:
        print(f"failure: {document['failure']['message']} {document['failure']['advice']}")
        print(f"last lines of the log:\n{store.log_tail(run_id, lines=20)}")
    print(f"\n{text}")


def _config(store: Store, run_id: str) -> tuple[str, dict[str, Any]]:
    """Return the config of a run as YAML and as values; of an imported run what its tool kept."""
    if is_foreign(store.read_run(run_id)):
        values = read_config_values(store.run_dir(run_id) / "config.yaml")
        return as_yaml(values), values
    config = store.read_config(run_id)
    return config.to_yaml(), config.to_dict()


def logs(
    run_id: RunArgument,
    is_followed: Annotated[bool, typer.Option("-f", "--follow", help="Go on until the run has ended.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many from the end.")] = 200,
) -> None:
    """Print a run's log."""
    store = Store()
    if is_followed:
        follow_log(store, Queue(), run_id)
    else:
        print(store.log_tail(run_id, lines=lines))


def delete(
    run_ids: Annotated[list[str] | None, typer.Argument(help="Ids of ended runs.")] = None,
    where: WhereOption = "",
    is_sure: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Move runs to the store's trash, from where 'restore' brings them back."""
    store = Store()
    ids = selected(store, run_ids or [], where)
    size = bytes_text(sum(size_of(store.runs_dir / run_id) for run_id in ids))
    if not is_sure and not typer.confirm(f"Move {len(ids)} run(s), {size}, to the trash?"):
        raise typer.Exit(1)
    for run_id in ids:
        store.delete_run(run_id)
        say(f"{run_id}: in the trash; bring it back with 'python -m cnnlab restore {run_id}'.")
    sweep_trash(store)


def restore(run_ids: Annotated[list[str], typer.Argument(help="Ids of deleted runs.")]) -> None:
    """Bring deleted runs back from the trash."""
    store = Store()
    for run_id in run_ids:
        store.restore_run(run_id)
        say(f"{run_id}: restored.")


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    done = f"{row['epochs_done'] or 0}/{row['epochs'] or '–'}"
    seconds = None if row["train_s"] is None else f"{row['train_s']:.1f}"
    accuracy = percent(row["test_accuracy"])
    return (row["run_id"], row["state"], accuracy, grouped(row["num_params"]), grouped(row["macs"]), done, seconds)
