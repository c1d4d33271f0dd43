"""`features`: classifiers of scikit-learn on the features of a trained network."""

import json as json_module
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cnnlab.commands.options import read_config
from cnnlab.commands.output import JsonOption, percent, print_json, print_table
from cnnlab.config import RunConfig
from cnnlab.errors import CNNLabError, UnknownNameError
from cnnlab.runs.feature_scores import write_feature_scores
from cnnlab.runs.store import Store

NAMES = ("svm", "knn", "linear")
COLUMNS = ("output", "classifier", "setting", "features", "n train", "val", "test", "95 % interval", "n", "own test")


def features(
    run_or_config: Annotated[str, typer.Argument(metavar="RUN_OR_CONFIG", help="Id of a run, or a YAML file.")],
    classifiers: Annotated[
        list[str] | None, typer.Option("--classifier", help="svm, knn or linear; may be repeated. Default: svm.")
    ] = None,
    json: JsonOption = False,
    is_progress_json: Annotated[
        bool, typer.Option("--progress-json", help="Tell the progress as JSON lines on standard error.")
    ] = False,
) -> int:
    """Classify the features of a run's network, or of a config's with the weights of its source, in another way.

    A linear SVM, nearest neighbours or a linear classifier learn on what enters the network's own classifier. Their
    setting is chosen on the validation images. Of a run the numbers are kept in its folder.
    """
    names = tuple(dict.fromkeys(classifiers or ["svm"]))
    for name in names:
        if name not in NAMES:
            raise UnknownNameError("classifier", name, NAMES)
    store = Store()
    is_file = run_or_config.lower().endswith((".yaml", ".yml"))
    config = read_config(Path(run_or_config)) if is_file else store.read_config(run_or_config)
    run_id = "" if is_file else run_or_config
    try:
        rows = _rows(store, config, run_id, names, is_progress_json)
    except CNNLabError as error:
        if not is_progress_json:
            raise
        print_json({"error": type(error).__name__, "message": str(error)})  # a page reads it
        return 2
    if run_id:
        write_feature_scores(store.run_dir(run_id), rows)
    own = _own(store, run_id)
    if json:
        print_json({"run_id": run_id or None, "rows": rows, "own": own})
    else:
        print_table(COLUMNS, [_cells(row, own) for row in rows], right=COLUMNS[3:])
    return 0


def _rows(store: Store, config: RunConfig, run_id: str, names: Any, is_told: bool) -> list[dict[str, Any]]:
    # Before Keras is imported: it reads the backend once.
    os.environ["KERAS_BACKEND"] = config.compute.backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from cnnlab.training import feature_classifiers as classifying

    def report(stage: str, done: int, total: int) -> None:
        if is_told:
            sys.stderr.write(json_module.dumps({"stage": stage, "done": done, "total": total}) + "\n")
            sys.stderr.flush()

    dataset = classifying.dataset_of(store, config)
    if run_id:
        network = classifying.network_of_run(store, run_id)
    else:
        network = classifying.network_of_config(store, config, dataset)
    return list(classifying.rows(network, config, dataset, names, report))


def _own(store: Store, run_id: str) -> dict[str, Any]:
    """Return the run's own numbers on the test images by output; none of a config."""
    result = (store.read_result(run_id) or {}) if run_id else {}
    return dict(result.get("test", {}))


def _cells(row: dict[str, Any], own: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["output"],
        row["classifier"],
        row["setting"],
        str(row["num_features"]),
        str(row["n_train"]),
        percent(row["val_accuracy"]),
        percent(row["test_accuracy"]),
        f"{percent(row['test_low'])} to {percent(row['test_high'])}",
        str(row["test_n"]),
        percent((own.get(row["output"]) or {}).get("accuracy")),
    )
