"""Questions about runs, answered as polars frames; the only door of pages and commands to the store's tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from cnnlab.config import NOT_IN_FINGERPRINT, flatten
from cnnlab.runs import facts, index, tables
from cnnlab.runs.hardware import read_hardware
from cnnlab.runs.inference import read_inference
from cnnlab.runs.probes import read_probes
from cnnlab.runs.schema import HARDWARE, INFERENCE, LAYERS, METRICS, PREDICTIONS, PROBES, STEPS, polars_schema
from cnnlab.runs.steps import read_steps
from cnnlab.runs.store import Store


def summaries(store: Store) -> pl.DataFrame:
    """Return one row per run, newest first, with the columns of `schema.SUMMARY`."""
    return index.summaries(store)


def summary(store: Store, run_id: str) -> dict[str, Any]:
    """Return the row of one run, read from its folder."""
    run_dir = store.run_dir(run_id)
    return facts.summary_row(run_dir, store.read_status(run_id))


def metrics(store: Store, run_ids: Sequence[str]) -> pl.DataFrame:
    """Return what the runs measured so far, live ones included, run after run in the order given."""
    frames = [tables.read_metrics(run_dir) for run_dir in _dirs(store, run_ids)]
    return pl.concat(frames) if frames else pl.DataFrame(schema=polars_schema(METRICS))


def steps(store: Store, run_ids: Sequence[str]) -> pl.DataFrame:
    """Return what each optimizer step measured so far, live runs included, run after run in the order given."""
    frames = [read_steps(run_dir) for run_dir in _dirs(store, run_ids)]
    return pl.concat(frames) if frames else pl.DataFrame(schema=polars_schema(STEPS))


def probes(store: Store, run_ids: Sequence[str]) -> pl.DataFrame:
    """Return what looks at the layers found so far, live runs included, run after run in the order given."""
    frames = [read_probes(run_dir) for run_dir in _dirs(store, run_ids)]
    return pl.concat(frames) if frames else pl.DataFrame(schema=polars_schema(PROBES))


def predictions(store: Store, run_id: str, split: str | None = "test") -> pl.DataFrame:
    """Return the predictions of one run on `split`, on all splits for None; no rows where there are none yet."""
    frame = tables.read_frame(store.run_dir(run_id) / "predictions.parquet", PREDICTIONS)
    return frame if split is None else frame.filter(pl.col("split") == split)


def answers(store: Store, run_id: str, output: str, split: str = "test") -> pl.DataFrame:
    """Return sample_id, label and predicted of one run and output: what comparing needs, without the probabilities."""
    columns = ("sample_id", "split", "output", "label", "predicted")
    frame = tables.read_frame(store.run_dir(run_id) / "predictions.parquet", PREDICTIONS, columns)
    return frame.filter((pl.col("split") == split) & (pl.col("output") == output)).drop("split", "output")


def layers(store: Store, run_id: str) -> pl.DataFrame:
    """Return the layers of one run's network and their costs, no rows until it was built."""
    return tables.read_frame(store.run_dir(run_id) / "layers.parquet", LAYERS)


def hardware(store: Store, run_id: str) -> pl.DataFrame:
    """Return what the run used of its machine, one row every 2 s."""
    lines = read_hardware(store.run_dir(run_id))
    rows = [{name: line.get(name) for name in HARDWARE.names} for line in lines]
    return pl.DataFrame(rows, schema=polars_schema(HARDWARE), orient="row")


def inference(store: Store, run_ids: Sequence[str]) -> pl.DataFrame:
    """Return how fast the runs' networks answer, run after run, for those that were measured."""
    frames = [read_inference(run_dir) for run_dir in _dirs(store, run_ids)]
    return pl.concat(frames) if frames else pl.DataFrame(schema=polars_schema(INFERENCE))


def config_differences(store: Store, run_ids: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    """Return the settings in which the runs differ, and nothing else.

    Names, notes and repeats are no settings. A setting that a run lacks, because an older
    version wrote it or its architecture has no such parameter, is None.

    Returns:
        `("training.learning_rate", {run_id: value, ...})` in the order of the config.
    """
    configs = {
        run_dir.name: flatten(facts.read_config_values(run_dir / "config.yaml")) for run_dir in _dirs(store, run_ids)
    }
    fields = dict.fromkeys(field for config in configs.values() for field in config)
    differences = []
    for field in fields:
        if field in NOT_IN_FINGERPRINT:
            continue
        values = {run_id: config.get(field) for run_id, config in configs.items()}
        first, *rest = values.values()
        if any(value != first or type(value) is not type(first) for value in rest):
            differences.append((field, values))
    return differences


def _dirs(store: Store, run_ids: Sequence[str]) -> list[Path]:
    return [store.run_dir(run_id) for run_id in dict.fromkeys(run_ids)]
