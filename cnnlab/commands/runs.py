"""`runs`, `show`, `logs`, `delete`: look at what is in the store."""

from typing import Annotated, Any

import typer

from cnnlab.commands.documents import run_document
from cnnlab.commands.follow import follow_log
from cnnlab.commands.output import JsonOption, grouped, percent, print_json, print_table, say
from cnnlab.launch.queue import Queue
from cnnlab.runs import queries
from cnnlab.runs.store import Store

RunArgument = Annotated[str, typer.Argument(help="A run's id, from 'python -m cnnlab runs'.")]


def list_runs(
    json: JsonOption = False,
    status: Annotated[str, typer.Option("--status", help="Only runs in this state.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, newest first.")] = 30,
) -> None:
    """List the runs of the store, newest first."""
    store = Store()
    Queue().tick()
    table = queries.summaries(store).sort("created_at", descending=True)
    if status:
        table = table.filter(table["state"] == status)
    rows = table.head(limit).to_dicts()
    if json:
        print_json({"runs": rows, "total": table.height})
        return
    if not rows:
        print("No runs yet. Train the first with 'python -m cnnlab train --dataset digits --architecture lenet5'.")
        return
    columns = ("run", "status", "test accuracy", "parameters", "MACs", "epochs", "train s")
    print_table(columns, [_cells(row) for row in rows], right=columns[2:])
    if table.height > limit:
        say(f"{table.height - limit} older runs not shown; see them with '--limit {table.height}'.")


def show(run_id: RunArgument, json: JsonOption = False) -> None:
    """Show one run: status, numbers, failure with advice, config."""
    store = Store()
    document = run_document(store, run_id)
    config = store.read_config(run_id)
    if json:
        print_json({**document, "config": config.to_dict(), "environment": store.read_environment(run_id)})
        return
    for name, value in document.items():
        if value not in (None, "", []) and name not in ("failure", "test"):
            print(f"{name}: {value}")
    if document["failure"]:
        print(f"failure: {document['failure']['message']} {document['failure']['advice']}")
        print(f"last lines of the log:\n{store.log_tail(run_id, lines=20)}")
    print(f"\n{config.to_yaml()}")


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
    run_ids: Annotated[list[str], typer.Argument(help="Ids of ended runs.")],
    is_sure: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Move runs to the store's trash, from where 'restore' brings them back."""
    store = Store()
    for run_id in run_ids:
        store.run_dir(run_id)
    if not is_sure and not typer.confirm(f"Move {len(run_ids)} run(s) to the trash?"):
        raise typer.Exit(1)
    for run_id in run_ids:
        store.delete_run(run_id)
        say(f"{run_id}: in the trash; bring it back with 'python -m cnnlab restore {run_id}'.")


def restore(run_ids: Annotated[list[str], typer.Argument(help="Ids of deleted runs.")]) -> None:
    """Bring deleted runs back from the trash."""
    store = Store()
    for run_id in run_ids:
        store.restore_run(run_id)
        say(f"{run_id}: restored.")


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    done = f"{row['epochs_done'] or 0}/{row['epochs']}"
    seconds = None if row["train_s"] is None else f"{row['train_s']:.1f}"
    accuracy = percent(row["test_accuracy"])
    return (row["run_id"], row["state"], accuracy, grouped(row["num_params"]), grouped(row["macs"]), done, seconds)
