"""What commands tell of a run, as plain mappings."""

from typing import Any

from cnnlab.analysis.intervals import wilson
from cnnlab.runs import queries
from cnnlab.runs.origin import is_foreign
from cnnlab.runs.status import settle
from cnnlab.runs.store import Store


def run_document(store: Store, run_id: str) -> dict[str, Any]:
    """Return what is known of a run now: status, numbers where it has them, config, failure.

    Raises:
        RunNotFoundError: the store has no such run.
    """
    run_dir = store.run_dir(run_id)
    status = settle(run_dir)
    said = store.read_run(run_id)
    if is_foreign(said):
        return _foreign(store, run_id)
    config = store.read_config(run_id)
    document: dict[str, Any] = {
        "run_id": run_id,
        "name": said["name"],
        "status": status.state,
        "failure": status.failure,
        "dataset": config.data.dataset,
        "architecture": config.architecture.name,
        "seed": config.training.seed,
        "group_id": config.fingerprint(),
        "queued_at": status.queued_at,
        "started_at": status.started_at,
        "ended_at": status.ended_at,
        "path": str(run_dir),
    }
    result = store.read_result(run_id)
    if result:
        document.update(_numbers(result))
    return document


def _foreign(store: Store, run_id: str) -> dict[str, Any]:
    """Return what is known of a run that another tool trained: how many images it was tested on is not."""
    row = queries.summary(store, run_id)
    names = ("dataset", "architecture", "seed", "group_id", "origin", "epochs_done", "best_epoch", "train_s")
    status = settle(store.run_dir(run_id))
    return {
        "run_id": run_id,
        "name": row["name"],
        "status": status.state,
        "failure": status.failure,
        **{name: row[name] for name in (*names, "val_accuracy", "test_accuracy", "test_loss")},
        "started_at": status.started_at,
        "ended_at": status.ended_at,
        "path": str(store.run_dir(run_id)),
    }


def _numbers(result: dict[str, Any]) -> dict[str, Any]:
    main = result["test"][result["main_output"]]
    low, high = wilson(main["correct"], main["n"])
    names = ("num_params", "trainable_params", "macs", "depth", "not_counted", "epochs_done", "best_epoch", "train_s")
    return {
        "test_accuracy": main["accuracy"],
        "test_accuracy_95": [low, high],
        "test_n": main["n"],
        "test_loss": main["loss"],
        "val_accuracy": result["val"][result["main_output"]]["accuracy"],
        **{name: result.get(name) for name in (*names, "images_per_s", "dataset_version")},
        "test": result["test"],
        # Accuracies compare only with others that are averaged over the same views.
        "test_time": result.get("test_time", "none"),
        **({"plain": result["plain"]} if "plain" in result else {}),
    }
