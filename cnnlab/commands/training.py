"""From a config to an ended run: `train`, `submit`, `queue`, and what can be done with a run on the way."""

from typing import Annotated, Any

import typer

from cnnlab.commands.documents import run_document
from cnnlab.commands.follow import follow
from cnnlab.commands.options import with_config
from cnnlab.commands.output import JsonOption, percent, print_json, print_table, say
from cnnlab.config import ComputeConfig, RunConfig
from cnnlab.launch.queue import Queue
from cnnlab.parameters import check
from cnnlab.runs.continuing import extended
from cnnlab.runs.store import Store
from cnnlab.submit import submit_runs

PriorityOption = Annotated[int, typer.Option("--priority", help="Higher goes first; runs of one priority go in order.")]


@with_config
def train(config: RunConfig, json: JsonOption = False) -> None:
    """Train now and wait: a progress bar, then the result. Ctrl-C cancels."""
    store, queue = Store(), Queue()
    run_ids = submit_runs(store, config, queue=queue)
    follow(store, queue, run_ids)
    documents = [run_document(store, run_id) for run_id in run_ids]
    if json:
        print_json(_train_document(documents))
    else:
        _print_results(documents)
    for document in documents:
        if document["failure"]:
            say(f"{document['run_id']}: {document['failure']['message']} {document['failure']['advice']}")
        elif document["status"] == "paused":
            say(f"{document['run_id']}: paused; go on with 'python -m cnnlab resume {document['run_id']}'.")
    if any(document["status"] != "completed" for document in documents):
        raise typer.Exit(1)


@with_config
def submit(config: RunConfig, json: JsonOption = False, priority: PriorityOption = 0) -> None:
    """Queue one run, or several with --repeats, and return at once."""
    run_ids = submit_runs(Store(), config, priority=priority)
    if json:
        print_json({"run_ids": run_ids, "group_id": config.fingerprint()})
    else:
        for run_id in run_ids:
            print(run_id)


def show_queue(json: JsonOption = False) -> None:
    """List what runs and what waits on this machine, and its slots."""
    queue = Queue()
    queue.tick()
    entries, slots = queue.entries(), queue.slots()
    if json:
        print_json({"entries": [vars(entry) for entry in entries], "slots": [vars(slot) for slot in slots]})
        return
    if not entries:
        print("Nothing runs and nothing waits. Queue a run with 'python -m cnnlab submit'.")
    else:
        rows = [(entry.run_id, entry.state, entry.position or None, entry.slots, entry.priority) for entry in entries]
        print_table(("run", "state", "place", "slots", "priority"), rows, right=("place", "slots", "priority"))
    for slot in slots:
        print(f"{slot.title}: {slot.busy_with or slot.foreign or 'free'}")


def cancel(run_ids: Annotated[list[str], typer.Argument(help="Ids of queued or running runs.")]) -> None:
    """Cancel queued or running runs; what they logged stays."""
    store, queue = Store(), Queue()
    run_dirs = [store.run_dir(run_id) for run_id in run_ids]
    for run_dir in run_dirs:
        queue.cancel(run_dir)
        say(f"{run_dir.name}: cancelled.")


def pause(run_ids: Annotated[list[str], typer.Argument(help="Ids of queued or running runs.")]) -> None:
    """Let runs stop where they can go on later, and free their slots."""
    store, queue = Store(), Queue()
    run_dirs = [store.run_dir(run_id) for run_id in run_ids]
    for run_dir in run_dirs:
        queue.pause(run_dir)
        say(f"{run_dir.name}: pauses after the steps at hand; go on with 'python -m cnnlab resume {run_dir.name}'.")


def resume(run_ids: Annotated[list[str], typer.Argument(help="Ids of paused runs.")]) -> None:
    """Queue paused runs again, to go on from where they stopped."""
    store, queue = Store(), Queue()
    run_dirs = [store.run_dir(run_id) for run_id in run_ids]
    for run_dir in run_dirs:
        say(f"{run_dir.name}: queued again; it trains {queue.resume(run_dir).words}.")


def retry(
    run_ids: Annotated[list[str], typer.Argument(help="Ids of failed, cancelled or lost runs.")],
    from_start: Annotated[bool, typer.Option("--from-start", help="Throw their checkpoints away.")] = False,
) -> None:
    """Queue ended runs again under the same id, to go on from their last checkpoint where they have one."""
    store, queue = Store(), Queue()
    run_dirs = [store.run_dir(run_id) for run_id in run_ids]
    for run_dir in run_dirs:
        say(f"{run_dir.name}: queued again; it trains {queue.retry(run_dir, from_start=from_start).words}.")


def extend(
    run_id: Annotated[str, typer.Argument(help="Id of a completed run.")],
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="How many epochs more.")],
    json: JsonOption = False,
    priority: PriorityOption = 0,
) -> None:
    """Train a completed run for more epochs, as a new run that goes on from its last state.

    The old run stays as it is. The learning rate follows the schedule over all epochs, old and new.
    """
    store, queue = Store(), Queue()
    store.run_dir(run_id)
    (new_id,) = submit_runs(store, extended(store.runs_dir, run_id, epochs), queue=queue, priority=priority)
    if json:
        print_json({"run_id": new_id, "continues": run_id})
    else:
        print(new_id)


def warm(
    is_on: Annotated[
        bool | None, typer.Option("--on/--off", help="Keep for good whether one is started ahead.")
    ] = None,
    backend: Annotated[str, typer.Option("--backend", help="Of the run that is expected.")] = "tensorflow",
    json: JsonOption = False,
) -> None:
    """Start a trainer that waits, so that the next run begins sooner; it leaves after a quarter of an hour."""
    check(ComputeConfig, {"backend": backend})
    queue = Queue()
    if is_on is not None:
        queue.choose_warm(is_on)
    queue.warm(backend)
    state = queue.warm_state()
    if json:
        print_json(vars(state))
    elif state.pid:
        print(f"A trainer waits for the next run (pid {state.pid}, {state.memory_bytes / 2**20:,.0f} MiB).")
    elif state.is_wanted:
        print("None waits: every slot is taken, or memory is short. Try again when a slot is free.")
    else:
        print("None waits, and none is started. Change that with '--on', or unset CNNLAB_WARM.")


def _train_document(documents: list[dict[str, Any]]) -> dict[str, Any]:
    if len(documents) == 1:
        return documents[0]
    from cnnlab.analysis.intervals import student

    accuracies = [document["test_accuracy"] for document in documents if "test_accuracy" in document]
    mean, low, high = student(accuracies)
    group = {"group_id": documents[0]["group_id"], "n": len(accuracies)}
    return {**group, "test_accuracy_mean": mean, "test_accuracy_95": [low, high], "runs": documents}


def _print_results(documents: list[dict[str, Any]]) -> None:
    rows = []
    for document in documents:
        low, high = document.get("test_accuracy_95", (None, None))
        interval = f"{percent(low)} to {percent(high)}" if low is not None else ""
        cells = (document["run_id"], document["status"], percent(document.get("test_accuracy")), interval)
        rows.append((*cells, document.get("test_n"), document.get("train_s")))
    columns = ("run", "status", "test accuracy", "95 % interval", "n", "train s")
    print_table(columns, rows, right=columns[2:])
