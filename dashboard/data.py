"""The only door of the pages to the store, the queue and the inspector; all caching is here.

Frames come from caches that are shared by all sessions: never change them in place.
"""

import contextlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from cnnlab.architectures.own_files import refuse_own_file
from cnnlab.config import RunConfig, flatten
from cnnlab.datasets import storage
from cnnlab.datasets.catalogue import DATASETS
from cnnlab.datasets.storage import Dataset, DatasetInfo
from cnnlab.doctor.examine import Diagnosis
from cnnlab.doctor.reading import diagnose
from cnnlab.errors import CNNLabError
from cnnlab.files import read_json
from cnnlab.inspector.client import Inspector, shared_inspector
from cnnlab.launch.queue import Queue, QueueEntry, SlotState
from cnnlab.runs import queries
from cnnlab.runs.checkpoint import place, read_about
from cnnlab.runs.facts import read_config_values
from cnnlab.runs.feature_scores import read_feature_scores
from cnnlab.runs.origin import Origin, read_origin
from cnnlab.runs.status import RunStatus, settle, wants_pause
from cnnlab.runs.store import Store
from dashboard.questions import Answer, Questions

RUNNING_STATES = ("queued", "running")
TICK_EVERY_S = 2.0
MOST_SOURCES = 500
DOCTOR_EVERY_S = 10.0


# ---- the three parts behind this door ----


def store() -> Store:
    """Return the store named by `CNNLAB_STORE`, or the project's own."""
    return _store(os.environ.get("CNNLAB_STORE", ""))


def queue() -> Queue:
    """Return this user's queue on this machine."""
    return _queue(os.environ.get("CNNLAB_QUEUE", ""))


def inspector() -> Inspector:
    """Return the one warm Keras process beside the pages; it starts with the first question."""
    return shared_inspector(store().root)


@st.cache_resource(show_spinner=False)
def _store(root: str) -> Store:
    return Store(root or None)


@st.cache_resource(show_spinner=False)
def _queue(path: str) -> Queue:
    return Queue(Path(path)) if path else Queue()


@st.cache_resource(show_spinner=False)
def _last_tick(path: str) -> dict[str, float]:  # noqa: ARG001 one clock per queue
    return {"at": 0.0}


def tick() -> None:
    """Let the queue move on; called by every look at it, at most each two seconds."""
    clock = _last_tick(os.environ.get("CNNLAB_QUEUE", ""))
    if time.monotonic() - clock["at"] >= TICK_EVERY_S:
        clock["at"] = time.monotonic()
        queue().tick()


def refresh() -> None:
    """Forget what may have changed; call it after submit, cancel, delete, restore or import."""
    _summaries.clear()
    _datasets.clear()


# ---- runs ----


def summaries() -> pl.DataFrame:
    """Return one row per run, columns as in `cnnlab.runs.schema.SUMMARY`; at most a second old."""
    return _summaries(str(store().root))


@st.cache_resource(ttl=1.0, show_spinner=False)
def _summaries(root: str) -> pl.DataFrame:  # noqa: ARG001 the key
    tick()
    return queries.summaries(store())


def summary(run_id: str) -> dict[str, Any]:
    """Return the row of one run, read from its folder; raises `RunNotFoundError`."""
    return queries.summary(store(), run_id)


def status(run_id: str) -> RunStatus:
    """Return how a run stands, after settling what a dead process left behind."""
    return settle(store().run_dir(run_id))


def config(run_id: str) -> RunConfig:
    """Return the config of a run, whole, as it was asked for."""
    return _config(str(store().run_dir(run_id)))


@st.cache_resource(max_entries=2000, show_spinner=False)
def _config(run_dir: str) -> RunConfig:
    return store().read_config(Path(run_dir).name)


def origin(run_id: str) -> Origin | None:
    """Return where a run was imported from, None for one of our own."""
    return read_origin(store().run_dir(run_id))


def free_config(run_id: str) -> dict[str, Any]:
    """Return the settings of a run as they are, by dotted place, without checking them."""
    return flatten(read_config_values(store().run_dir(run_id) / "config.yaml"))


def metrics(run_ids: Sequence[str]) -> pl.DataFrame:
    """Return the long metrics of runs, the tail of running ones included."""
    stamps = tuple((run_id, _stamp(store().run_dir(run_id), "metrics.jsonl", "metrics")) for run_id in run_ids)
    return _metrics(str(store().root), stamps)


@st.cache_resource(max_entries=64, show_spinner=False)
def _metrics(root: str, stamps: tuple[tuple[str, int], ...]) -> pl.DataFrame:  # noqa: ARG001 the key
    return queries.metrics(store(), [run_id for run_id, _ in stamps])


def diagnosis(run_id: str, *, is_at_rest: bool) -> Diagnosis:
    """Return what the doctor says of a run; of a live one at most some seconds old."""
    files = ("metrics.jsonl", "metrics", "probes.jsonl", "doctor.json")
    stamp = _stamp(store().run_dir(run_id), *files)
    # Single steps come all the time: they are looked at now and then, not on each drawing.
    return _diagnosis(str(store().root), run_id, stamp, 0 if is_at_rest else int(time.time() / DOCTOR_EVERY_S))


@st.cache_resource(max_entries=64, show_spinner=False)
def _diagnosis(root: str, run_id: str, stamp: int, moment: int) -> Diagnosis:  # noqa: ARG001 the key
    return diagnose(store(), run_id)


def predictions(run_id: str, split: str = "test") -> pl.DataFrame:
    """Return the predictions of an ended run, one row per image and output."""
    return _predictions(str(store().root), run_id, split, _stamp(store().run_dir(run_id), "predictions.parquet"))


@st.cache_resource(max_entries=32, show_spinner=False)
def _predictions(root: str, run_id: str, split: str, stamp: int) -> pl.DataFrame:  # noqa: ARG001 the key
    return queries.predictions(store(), run_id, split=split)


def answers(run_id: str, output: str) -> pl.DataFrame:
    """Return sample_id, label and predicted of a run's test images: what comparing needs, and no more."""
    return _answers(str(store().root), run_id, output, _stamp(store().run_dir(run_id), "predictions.parquet"))


@st.cache_resource(max_entries=64, show_spinner=False)
def _answers(root: str, run_id: str, output: str, stamp: int) -> pl.DataFrame:  # noqa: ARG001 the key
    return queries.answers(store(), run_id, output)


def layers(run_id: str) -> pl.DataFrame:
    """Return the layers of a run's network with parameters and multiply-accumulates."""
    return _layers(str(store().root), run_id, _stamp(store().run_dir(run_id), "layers.parquet"))


@st.cache_resource(max_entries=64, show_spinner=False)
def _layers(root: str, run_id: str, stamp: int) -> pl.DataFrame:  # noqa: ARG001 the key
    return queries.layers(store(), run_id)


def config_differences(run_ids: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    """Return (field, value per run) for the fields in which the runs differ."""
    return _config_differences(str(store().root), tuple(run_ids))


@st.cache_resource(max_entries=64, show_spinner=False)
def _config_differences(root: str, run_ids: tuple[str, ...]) -> list[tuple[str, dict[str, Any]]]:  # noqa: ARG001
    return queries.config_differences(store(), list(run_ids))


def hardware(run_id: str) -> pl.DataFrame:
    """Return what the run used of its machine, columns as in `cnnlab.runs.schema.HARDWARE`."""
    return queries.hardware(store(), run_id)


def inference(run_ids: Sequence[str]) -> pl.DataFrame:
    """Return how fast the runs' networks answer, columns as in `cnnlab.runs.schema.INFERENCE`."""
    stamps = tuple((run_id, _stamp(store().run_dir(run_id), "inference.parquet")) for run_id in run_ids)
    return _inference(str(store().root), stamps)


@st.cache_resource(max_entries=32, show_spinner=False)
def _inference(root: str, stamps: tuple[tuple[str, int], ...]) -> pl.DataFrame:  # noqa: ARG001 the key
    return queries.inference(store(), [run_id for run_id, _ in stamps])


def result(run_id: str) -> dict[str, Any] | None:
    """Return what a run reached, or nothing while it has not ended."""
    return store().read_result(run_id)


def is_pausing(run_id: str) -> bool:
    """Return whether a run was asked to pause."""
    return wants_pause(store().run_dir(run_id))


def checkpoint_place(run_id: str) -> str:
    """Return where a run can go on, such as `'after epoch 3 and 12 steps'`; empty where it has no checkpoint."""
    return place(read_about(store().run_dir(run_id)))


def _stamp(run_dir: Path, *names: str) -> int:
    newest = 0
    for name in names:
        try:
            newest = max(newest, (run_dir / name).stat().st_mtime_ns)
        except OSError:
            continue  # not written yet, or moved to its final place between two looks
    return newest


def feature_scores(run_id: str) -> pl.DataFrame:
    """Return what other classifiers reached on a run's features, columns as in `cnnlab.runs.schema.FEATURES`."""
    return read_feature_scores(store().run_dir(run_id))


def transfer_report(run_id: str) -> dict[str, Any] | None:
    """Return which weights a run began with and which layers learnt; None where it began from scratch."""
    report = read_json(store().run_dir(run_id) / "transfer.json")
    return report if isinstance(report, dict) and "layers" in report else None


def sources(architecture: str) -> list[dict[str, Any]]:
    """Return the newest completed runs that have a model, those of an architecture first: rows of `summaries`."""
    rows = summaries().filter(pl.col("state") == "completed").sort("created_at", descending=True).head(MOST_SOURCES)
    found = [row for row in rows.to_dicts() if (store().runs_dir / row["run_id"] / "model.keras").is_file()]
    return sorted(found, key=lambda row: row["architecture"] != architecture)


# ---- data sets ----


def datasets() -> list[DatasetInfo]:
    """Return the data sets in the store: imported ones and those of the catalogue already built."""
    return _datasets(str(store().root))


@st.cache_resource(ttl=5.0, show_spinner=False)
def _datasets(root: str) -> list[DatasetInfo]:
    return storage.list_datasets(Path(root))


def dataset(name: str, *, version: str | None = None, parameters: Mapping[str, Any] | None = None) -> Dataset:
    """Open a data set, building one of the catalogue where it is missing (may take long for a download)."""
    return storage.open_dataset(store().root, name, version=version, parameters=parameters)


def main_output(run_config: RunConfig) -> str | None:
    """Return the output that accuracies of a run speak of: the first of its data set that it learns."""
    name, asked = run_config.data.dataset, run_config.data.outputs
    if name in DATASETS:
        known = list(DATASETS[name].outputs)
    else:
        known = next((list(info.outputs) for info in datasets() if info.name == name), list(asked or ()))
    return next((output for output in known if not asked or output in asked), None)


# ---- queue ----


def entries() -> list[QueueEntry]:
    """Return what waits and runs, of every store of this user, in the order of the queue."""
    return queue().entries()


def slots() -> list[SlotState]:
    """Return the slots of this machine and what keeps each busy."""
    return queue().slots()


def submit(run_config: RunConfig) -> list[str]:
    """Create the runs of a config and queue them; returns their ids."""
    from cnnlab.submit import submit_runs

    refuse_own_file(run_config)
    run_ids = submit_runs(store(), run_config, queue=queue())
    refresh()
    return run_ids


def extend(run_id: str, epochs: int) -> str:
    """Queue a run that trains a completed one for more epochs; returns its id."""
    from cnnlab.runs.continuing import extended
    from cnnlab.submit import submit_runs

    (new_id,) = submit_runs(store(), extended(store().runs_dir, run_id, epochs), queue=queue())
    refresh()
    return new_id


def warm(backend: str) -> None:
    """Start a trainer that waits for the next run, where one is wanted and none is there."""
    _warm(os.environ.get("CNNLAB_QUEUE", ""), backend)


@st.cache_resource(ttl=10.0, show_spinner=False)
def _warm(path: str, backend: str) -> None:  # noqa: ARG001 a look each ten seconds, not at each change of the form
    with contextlib.suppress(CNNLabError, OSError):  # a run starts without one, only later
        queue().warm(backend)


# ---- inspector ----


@st.cache_resource(show_spinner=False)
def _questions() -> Questions:
    return Questions()


def ask_later(kind: str, **arguments: Any) -> Answer:
    """Ask the inspector without waiting: pending at first, answered at a later look with the same arguments."""
    return _questions().ask(store().root, kind, arguments)


def costs(run_config: RunConfig) -> Answer:
    """Return num_params, trainable_params, macs, not_counted and layers of a config's network, or what is wrong."""
    # Training and augmentation change nothing about the network: leaving them out keeps answers useful.
    values = run_config.to_dict()
    return ask_later("costs", config={"data": values["data"], "architecture": values["architecture"]})


def inspect(
    architecture: str, parameters: Mapping[str, Any], input_shape: tuple[int, int, int], num_classes: int
) -> Answer:
    """Return all about a network of the catalogue: totals, layers, edges, conventions, parts of training memory."""
    return ask_later(
        "inspect",
        architecture=architecture,
        parameters=dict(parameters),
        input_shape=list(input_shape),
        num_classes=num_classes,
    )


def inspect_file(upload: str, content: Callable[[], bytes], title: str, side_px: int) -> Answer:
    """Return what the network of an uploaded `.keras` file costs, or what is wrong with the file.

    Args:
        upload: What tells this upload from others.
        title: What sentences call it.
        side_px: Height and width of the images where the network leaves them open.
    """
    return _questions().ask_about_file(store().root, upload, content, title, {"side_px": side_px})


def freeze_map(run_config: RunConfig) -> Answer:
    """Return which layers learn in which stage of a training that begins with the weights of a source."""
    values = run_config.to_dict()
    asked = {name: values[name] for name in ("data", "architecture", "transfer")}
    return ask_later("freeze_map", config={**asked, "training": {"epochs": run_config.training.epochs}})


def preview(chosen: Mapping[str, Any], line: str, image_size: int, count: int, seed: int) -> Answer:
    """Return training images before and after an augmentation line: label, before_png_b64, after_png_b64.

    Args:
        chosen: The `data` part of a config.
    """
    return ask_later(
        "preview",
        dataset=chosen["dataset"],
        version=chosen["version"],
        parameters=chosen["parameters"],
        augmentation=line,
        image_size=image_size,
        count=count,
        seed=seed,
    )
