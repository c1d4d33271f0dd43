"""The images that a run was tested on: of the version of the data set that it recorded, found by their ids."""

from collections.abc import Sequence
from pathlib import Path

from cnnlab.datasets.catalogue import DATASETS
from cnnlab.datasets.storage import Dataset, find_dataset
from cnnlab.errors import CNNLabError, DatasetError
from cnnlab.runs.store import Store


def dataset_of_run(store: Store, run_id: str) -> Dataset:
    """Open the data set that a run trained on, in the version that it recorded; build nothing.

    Raises:
        DatasetError: the version is not in the store any more.
        RunNotFoundError: there is no such run.
    """
    config, result = store.read_config(run_id), store.read_result(run_id) or {}
    name, version = config.data.dataset, result.get("dataset_version")
    try:
        return Dataset(find_dataset(Path(store.root), name, version))
    except CNNLabError:
        way_out = (
            "Make it again from the catalogue, with the same settings."
            if name in DATASETS
            else "Import the same files again with the same options, and the same version comes back."
        )
        raise DatasetError(
            f"The images that this run was tested on are not here: data set {name!r}, version {version}. Expected that "
            f"version in the store. {way_out}"
        ) from None


def places_of(dataset: Dataset, split: str, sample_ids: Sequence[str]) -> list[int | None]:
    """Return the places of images among those of a split; None for one that is not there."""
    known = {sample_id: place for place, sample_id in enumerate(dataset.sample_ids(split))}
    return [known.get(sample_id) for sample_id in sample_ids]
