"""The evidence of a run from its folder, and what the doctor said of it at its end."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from cnnlab.architectures.catalogue import get_architecture
from cnnlab.config import RunConfig
from cnnlab.datasets.storage import Dataset, DatasetInfo, list_datasets, read_info
from cnnlab.doctor.evidence import DataFacts, Evidence
from cnnlab.doctor.examine import Diagnosis, diagnosis_from_dict, diagnosis_to_dict, examine
from cnnlab.errors import CNNLabError
from cnnlab.runs import queries
from cnnlab.runs.store import Store
from cnnlab.runs.writer import RunWriter


def diagnose(store: Store, run_id: str) -> Diagnosis:
    """Return what the doctor says of a run now: what it said at the end of it, else what the tables say.

    Raises:
        RunNotFoundError: the store has no such run.
    """
    kept = store.read_doctor(run_id)
    diagnosis = diagnosis_from_dict(kept) if kept else None
    return diagnosis or examine(read_evidence(store, run_id))


def keep(run_dir: Path) -> None:
    """Look at a run that has come to its end, and leave what was found in its folder; called by its only writer."""
    store = Store(run_dir.resolve().parent.parent)
    RunWriter(run_dir).doctor(diagnosis_to_dict(examine(read_evidence(store, run_dir.name))))


def read_evidence(store: Store, run_id: str, *, data: DataFacts | None = None) -> Evidence:
    """Return what the store knows of a run so far.

    Args:
        data: Read from the store when left out; none where the data set is gone.
    """
    config = store.read_config(run_id)
    result = store.read_result(run_id) or {}
    facts = data or _stored_facts(store, config, result.get("dataset_version"))
    return Evidence(
        config=config,
        metrics=queries.metrics(store, [run_id]),
        steps=queries.steps(store, [run_id]),
        probes=queries.probes(store, [run_id]),
        predictions=queries.predictions(store, run_id, split=None),
        data=chosen_outputs(facts, config),
        brings_scaling=get_architecture(config.architecture.name).wants_pixels(config.architecture.parameters),
    )


def chosen_outputs(facts: DataFacts, config: RunConfig) -> DataFacts:
    """Return the facts with the outputs alone that the run learns."""
    asked = config.data.outputs
    classes = {name: names for name, names in facts.classes.items() if not asked or name in asked}
    return DataFacts(classes, facts.class_counts, facts.counts, facts.copies)


def data_facts(dataset: Dataset) -> DataFacts:
    """Return what the rules want to know of a data set; reads the table of its samples."""
    info, samples = dataset.info, dataset.samples()
    counts = {
        output: {split: _counts(samples, output, split, len(classes)) for split in info.counts}
        for output, classes in info.outputs.items()
    }
    return DataFacts(dict(info.outputs), counts, dict(info.counts), _copies(info.facts, samples))


def _counts(samples: pl.DataFrame, output: str, split: str, num_classes: int) -> list[int]:
    found = dict(samples.filter(pl.col("split") == split)[output].value_counts().iter_rows())
    return [found.get(place, 0) for place in range(num_classes)]


def _copies(facts: Mapping[str, Any], samples: pl.DataFrame) -> dict[str, int]:
    """Return how many images of val and test have the same content as one of train."""
    if facts.get("duplicates_across_splits") == 0 or "sha256" not in samples.columns:
        return {}
    known = samples.filter(pl.col("split") == "train")["sha256"].unique()
    rows = samples.filter((pl.col("split") != "train") & pl.col("sha256").is_in(known.to_list()))
    return {str(split): int(count) for split, count in rows["split"].value_counts().sort("split").iter_rows()}


def _stored_facts(store: Store, config: RunConfig, version: str | None) -> DataFacts:
    info = _info(store.root, config, version or config.data.version)
    try:
        return DataFacts() if info is None else _facts(info.path, info.version)
    except CNNLabError:  # its files are gone: a run outlives its data
        return DataFacts()


def _info(root: Path, config: RunConfig, version: str | None) -> DatasetInfo | None:
    named = [info for info in list_datasets(root) if info.name == config.data.dataset]
    if version:
        return next((info for info in named if info.version == version), None)
    asked = config.data.parameters
    return next((info for info in named if not asked or info.parameters == asked), None)


@functools.lru_cache(maxsize=16)
def _facts(path: Path, version: str) -> DataFacts:  # noqa: ARG001 the key
    info = read_info(path)
    return DataFacts() if info is None else data_facts(Dataset(info))
