"""The real tools write and read runs: in a process of their own, for they bring warnings, threads and settings.

    python real_tools.py write-mlflow FOLDER      an mlflow.db with RUNS
    python real_tools.py write-mlruns FOLDER      the same as a folder mlruns
    python real_tools.py mlflow FOLDER            what MLflow finds in FOLDER/mlflow.db, as JSON; then RUNS go in too
    python real_tools.py write-tensorboard FOLDER event files with RUNS
    python real_tools.py read-tensorboard FOLDER  what TensorBoard finds, by both of its readers, as JSON
    python real_tools.py write-tensorboardx FOLDER
    python real_tools.py write-keras FOLDER       what Keras's own callbacks leave
    python real_tools.py write-keras-tuner FOLDER a search

The folder `stores` was written by it; its README says with which versions.
"""

import json
import math
import os
import sys
import time
from pathlib import Path

# Times in milliseconds since 1970, so that they are the same everywhere.
BEGUN_MS = 1_700_000_000_000
# By name: state, parameters, tags, metrics as rows (step, milliseconds since the beginning, value).
RUNS = {
    "first": {
        "status": "FINISHED",
        "parameters": {"lr": 0.01, "optimizer": "adam", "batch_size": 32, "nested/depth": 3, "seed": 1},
        "tags": {"team": "a/b", "mlflow.note.content": "two\nlines"},
        "metrics": {
            "val_accuracy": [(0, 1000, 0.5), (1, 2000, 0.75), (2, 3000, 0.8125)],
            "val_loss": [(0, 1000, 1.25), (1, 2000, 0.3333333333333333), (2, 3000, math.nan)],
            "loss": [(0, 900, 1.5), (1, 1900, 1e-7), (2, 2900, math.inf)],
            "system/memory": [(0, 900, -12.5), (1, 1900, 0.0), (2, 2900, 1e300)],
        },
    },
    "second": {
        "status": "FAILED",
        "parameters": {"lr": 0.1},
        "tags": {},
        "metrics": {"loss": [(0, 500, 2.0), (1, 900, -math.inf)]},
    },
}


def write_mlflow(uri: str, folder: Path) -> None:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

    client = MlflowClient(tracking_uri=uri)
    experiment = client.create_experiment("cats & dogs", artifact_location=(folder / "artifacts").as_uri())
    for name, run in RUNS.items():
        made = client.create_run(experiment, start_time=BEGUN_MS, run_name=name).info.run_id
        client.log_batch(
            made,
            metrics=[
                Metric(key, value, BEGUN_MS + after, step)
                for key, rows in run["metrics"].items()
                for step, after, value in rows
            ],
            params=[Param(key, str(value)) for key, value in run["parameters"].items()],
            tags=[RunTag(key, value) for key, value in run["tags"].items()],
        )
        client.set_terminated(made, run["status"], end_time=BEGUN_MS + 4000)
    deleted = client.create_run(experiment, run_name="deleted").info.run_id
    client.delete_run(deleted)


def read_mlflow(folder: Path) -> dict:
    os.chdir(folder)
    from mlflow import MlflowClient
    from mlflow.artifacts import download_artifacts

    client = MlflowClient(tracking_uri="sqlite:///mlflow.db")
    experiments = [one.experiment_id for one in client.search_experiments()]
    found = {}
    for run in client.search_runs(experiments):
        run_id = run.info.run_id
        histories = {key: client.get_metric_history(run_id, key) for key in run.data.metrics}
        config = download_artifacts(run_id=run_id, artifact_path="config.yaml", tracking_uri="sqlite:///mlflow.db")
        found[run.info.run_name] = {
            "status": run.info.status,
            "start_ms": run.info.start_time,
            "end_ms": run.info.end_time,
            "parameters": run.data.params,
            "tags": run.data.tags,
            "latest": {key: repr(value) for key, value in run.data.metrics.items()},
            "metrics": {
                key: sorted((one.step, one.timestamp - run.info.start_time, repr(one.value)) for one in rows)
                for key, rows in histories.items()
            },
            "artifacts": sorted(one.path for one in client.list_artifacts(run_id)),
            "config": Path(config).read_text(),
        }
    return found


def write_tensorboard(folder: Path) -> None:
    sys.modules["tensorflow"] = None  # TensorBoard does without, seven seconds faster
    from tensorboard.compat.proto import event_pb2, summary_pb2
    from tensorboard.summary import Writer
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    for name, run in RUNS.items():
        old = EventFileWriter(str(folder / name))
        old.add_event(event_pb2.Event(wall_time=BEGUN_MS / 1000, summary=_session(run["parameters"])))
        for tag, rows in run["metrics"].items():
            for step, after, value in rows:
                short = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, simple_value=value)])
                old.add_event(event_pb2.Event(wall_time=(BEGUN_MS + after) / 1000, step=step, summary=short))
        old.close()
    # As TensorFlow 2 writes scalars: tensors, in one folder per split.
    for split, first in (("train", 1.0), ("validation", 2.0)):
        new = Writer(str(folder / "third" / split))
        for step in range(3):
            new.add_scalar("epoch_loss", first / (step + 1), step=step, wall_time=BEGUN_MS / 1000 + step)
        new.close()


def write_tensorboardx(folder: Path) -> None:
    """Write as scripts of PyTorch do: tensorboardX has the interface of its `SummaryWriter`."""
    from tensorboardX import SummaryWriter

    writer = SummaryWriter(str(folder))
    for step in range(0, 300, 100):
        writer.add_scalar("Loss/train", 1 / (step + 1), step, walltime=BEGUN_MS / 1000 + step)
        writer.add_scalars("Accuracy", {"train": step / 400, "val": step / 500}, step, walltime=BEGUN_MS / 1000 + step)
    writer.add_text("note", "hello", 0, walltime=BEGUN_MS / 1000)
    writer.add_hparams({"lr": 0.1, "optimizer": "adam", "augment": True}, {"best": 0.5})
    writer.close()


def _session(parameters: dict):
    """Return the summary with which a training says its hyperparameters, as PyTorch's `add_hparams` makes it."""
    from tensorboard.compat.proto import summary_pb2
    from tensorboard.plugins.hparams import plugin_data_pb2

    start = plugin_data_pb2.SessionStartInfo(start_time_secs=BEGUN_MS / 1000)
    for key, value in parameters.items():
        kind = "string_value" if isinstance(value, str) else "number_value"
        setattr(start.hparams[key], kind, value)
    content = plugin_data_pb2.HParamsPluginData(version=0, session_start_info=start).SerializeToString()
    said = summary_pb2.SummaryMetadata.PluginData(plugin_name="hparams", content=content)
    metadata = summary_pb2.SummaryMetadata(plugin_data=said)
    tag = "_hparams_/session_start_info"
    return summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, metadata=metadata)])


def read_tensorboard(folder: Path) -> dict:
    sys.modules["tensorflow"] = None
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import plugin_data_pb2

    found: dict = {"scalars": {}, "sessions": {}}
    for path in sorted({file.parent for file in folder.rglob("*tfevents*")}):
        events = EventAccumulator(str(path), size_guidance={"scalars": 0, "tensors": 0}).Reload()
        run = path.relative_to(folder).as_posix()
        for tag in events.Tags()["scalars"]:
            rows = [(one.step, one.wall_time, repr(one.value)) for one in events.Scalars(tag)]
            found["scalars"][f"{run}/{tag}"] = rows
        for data in _hparams(events).values():
            said = plugin_data_pb2.HParamsPluginData.FromString(data)
            if said.HasField("session_start_info"):
                values = {key: _plain(value) for key, value in said.session_start_info.hparams.items()}
                found["sessions"].setdefault(run, {})["parameters"] = values
            if said.HasField("session_end_info"):
                found["sessions"].setdefault(run, {})["status"] = said.session_end_info.status
    return found | {"fast": _read_fast(folder, sum(map(len, found["scalars"].values())))}


def _hparams(events) -> dict:
    try:
        return events.PluginTagToContent("hparams")
    except KeyError:
        return {}


def _plain(value):
    kind = value.WhichOneof("kind")
    return getattr(value, kind)


def _read_fast(folder: Path, expected: int) -> dict:
    """Return what the server finds that TensorBoard reads with by default: it is another program than the package.

    It answers while it still reads: asked until it has as many numbers as are expected, for 30 s at most.
    """
    from tensorboard.context import RequestContext
    from tensorboard.data import server_ingester
    from tensorboard.util import grpc_util

    ingester = server_ingester.SubprocessServerDataIngester(
        server_binary=server_ingester.get_server_binary(),
        logdir=str(folder),
        reload_interval=0,
        channel_creds_type=grpc_util.ChannelCredsType.LOCAL,
        samples_per_plugin={"scalars": 0},
    )
    ingester.start()
    provider, context = ingester.data_provider, RequestContext()
    deadline = time.monotonic() + 30
    while True:
        read = provider.read_scalars(context, experiment_id="", plugin_name="scalars", downsample=10**6)
        found = {
            f"{run}/{tag}": [(one.step, one.wall_time, repr(float(one.value))) for one in rows]
            for run, tags in read.items()
            for tag, rows in tags.items()
        }
        if sum(map(len, found.values())) >= expected or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def write_keras(folder: Path) -> None:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras
    import numpy as np

    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, metrics=["accuracy"])
    x, y = np.eye(2), np.arange(2)
    board = keras.callbacks.TensorBoard(
        str(folder / "keras-tensorboard"), write_graph=False, write_steps_per_second=True
    )
    log = keras.callbacks.CSVLogger(str(folder / "keras-csvlogger.csv"))
    history = model.fit(x, y, epochs=3, validation_data=(x, y), verbose=0, callbacks=[board, log]).history
    (folder / "keras-history.json").write_text(json.dumps(history))


def write_keras_tuner(folder: Path) -> None:
    os.environ["KERAS_BACKEND"] = "numpy"
    import keras_tuner as kt

    space = kt.HyperParameters()
    space.Choice("optimizer", ["adam", "sgd"])
    space.Float("lr", 1e-4, 1e-1, sampling="log")
    space.Int("units", 8, 64, step=8)
    space.Boolean("batch_norm")
    oracle = kt.oracles.RandomSearchOracle(
        objective=kt.Objective("val_accuracy", "max"), max_trials=3, hyperparameters=space, seed=1
    )
    oracle._set_project_dir(str(folder), "search")
    for number in range(3):
        trial = oracle.create_trial("tuner0")
        if number < 2:
            oracle.update_trial(trial.trial_id, {"val_accuracy": 0.5 + 0.25 * number, "loss": 0.125}, step=4)
        trial.status = "COMPLETED" if number < 2 else "INVALID"
        trial.message = None if number < 2 else "Out of memory."
        oracle.end_trial(trial)
    oracle.save()


def main() -> None:
    command, folder = sys.argv[1], Path(sys.argv[2]).absolute()
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    folder.mkdir(parents=True, exist_ok=True)
    if command == "write-mlflow":
        write_mlflow(f"sqlite:///{folder / 'mlflow.db'}", folder)
    elif command == "write-mlruns":
        os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
        write_mlflow((folder / "mlruns").as_uri(), folder)
    elif command == "mlflow":
        print(json.dumps(read_mlflow(folder)))
        write_mlflow("sqlite:///mlflow.db", folder)
    elif command == "write-tensorboard":
        write_tensorboard(folder)
    elif command == "write-tensorboardx":
        write_tensorboardx(folder)
    elif command == "read-tensorboard":
        print(json.dumps(read_tensorboard(folder)))
    elif command == "write-keras":
        write_keras(folder)
    elif command == "write-keras-tuner":
        write_keras_tuner(folder)
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
