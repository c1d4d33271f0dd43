"""A study on CIFAR-10: what tuning gives over the defaults in some minutes."""

from pathlib import Path
from typing import Any

from benchmarks.tuning_sides.place import Place, moment
from cnnlab.analysis.intervals import student
from cnnlab.analysis.significance import welch
from cnnlab.config import RunConfig, config_from_dict
from cnnlab.datasets.importing import import_images
from cnnlab.files import read_json
from cnnlab.tuning.control import trial_config

NAME = "cifar10_images"
SPACE = {
    "training.learning_rate": "float(3e-4, 1e-1, log)",
    "training.optimizer": ["sgd", "adam", "adamw"],
    "training.momentum": "float(0.5, 0.99)",
    "training.batch_size": [64, 128, 256],
    "training.weight_decay": "float(1e-5, 1e-2, log)",
    "architecture.parameters.dropout": "float(0, 0.5)",
    "architecture.parameters.pooling": ["max", "average"],
    "augmentation": ["", "flip_lr", "flip_lr|crop(pad=4)"],
}


def cifar10(place: Place, source: Path, count: int, epochs: int, seeds: int) -> list[dict[str, Any]]:
    """Return one row per trial of the study, then one per seed of the defaults and of the best trial.

    LeNet-5; TPE with the median rule, which begins with the defaults. Test images are looked at only behind the search.
    """
    import_images(source, place.store.root, NAME)
    run = {"data": {"dataset": NAME}, "training": {"epochs": epochs}}
    place.set_warm(is_on=True)
    ended = place.study(
        {
            "run": run, "space": SPACE, "budget": {"trials": count},
            "algorithm": {"name": "tpe", "initial_points": 8, "begin_with_run": True},
            "pruning": {"rule": "median"}, "keep_checkpoints": 1,
        }
    )  # fmt: skip
    rows: list[dict[str, Any]] = [
        {
            "what": "trial", "trial": row["number"], "status": row["status"], "epochs": row.get("epochs_done"),
            "elapsed_s": moment(row["ended_at"]) - ended.begun,
            "val_accuracy": (row.get("objectives") or {}).get("val_accuracy"),
        }
        for row in ended.rows
    ]  # fmt: skip
    completed = [row for row in ended.rows if row["status"] == "completed"]
    best = max(completed, key=lambda row: row["objectives"]["val_accuracy"])
    configs = {"defaults": config_from_dict(run), "best": trial_config(place.store, ended.study_id, best["trial_id"])}
    for what, config in configs.items():
        rows += _seeds(place, what, config, seeds)
    place.set_warm(is_on=False)
    return rows


def _seeds(place: Place, what: str, config: RunConfig, seeds: int) -> list[dict[str, Any]]:
    """Train a config with seeds that the search has not used."""
    values = config.to_dict()
    values["repeats"] = seeds
    values["training"]["seed"] += 1
    run_ids, _ = place.alone(config_from_dict(values))
    found = []
    for number, run_id in enumerate(run_ids):
        result = read_json(place.store.run_dir(run_id) / "result.json")
        (scores,) = result["test"].values()
        found.append({"what": what, "seed": number, "test_accuracy": scores["accuracy"], "train_s": result["train_s"]})
    return found


def report_cifar10(rows: list[dict[str, Any]]) -> None:
    """Print what the search took and found, and what it gives on the test images."""
    trials = [row for row in rows if row["what"] == "trial"]
    counts = {status: sum(row["status"] == status for row in trials) for status in ("completed", "stopped", "failed")}
    best = max(row["val_accuracy"] for row in trials if row["status"] == "completed")
    said = ", ".join(f"{count} {status}" for status, count in counts.items())
    print(
        f"{len(trials)} trials in {trials[-1]['elapsed_s']:.0f} s ({said}); best validation accuracy {100 * best:.2f} %"
    )
    by = {what: [100 * row["test_accuracy"] for row in rows if row["what"] == what] for what in ("defaults", "best")}
    for what, values in by.items():
        mean, low, high = student(values)
        print(f"{what}: test accuracy {mean:.2f} % ({low:.2f} to {high:.2f}, n = {len(values)} seeds)")
    apart = welch(by["best"], by["defaults"])
    print(f"tuning gives {apart.value:+.2f} points ({apart.low:+.2f} to {apart.high:+.2f}, Welch, 95 %)")
