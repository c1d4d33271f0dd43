"""Runs that were tested on real images of the store, with mistakes that a test chooses."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from made_runs import make_run

from cnnlab.datasets.storage import Dataset, open_dataset
from cnnlab.runs.store import Store
from cnnlab.runs.writer import RunWriter


def make_mistaken(
    root: Path, wrong: Mapping[int, int], sure: float = 0.9, dataset: Dataset | None = None, **values
) -> str:
    """Write a run on digits whose test answers are right but for some images, and return its id.

    Args:
        wrong: By the place of an image in the test split, the class that it is taken for.
        sure: Probability of the class that is taken.
        dataset: Another version, or set; digits when left out.
    """
    opened = dataset or open_dataset(root, "digits")
    if opened.info.name != "digits":
        values["data"] = {"dataset": opened.info.name}
    run_id = make_run(root, version=opened.info.version, **values)
    writer = RunWriter(Store(root).run_dir(run_id))
    for split in ("val", "test"):
        labels = opened.labels(split)["label"]
        taken = labels.copy()
        for place, number in wrong.items() if split == "test" else ():
            taken[place] = number
        shares = np.full((len(labels), 10), (1 - sure) / 9, np.float32)
        shares[np.arange(len(labels)), taken] = sure
        # Each a bit surer than the one before, so that every order is decided.
        shares[np.arange(len(labels)), taken] += np.arange(len(labels), dtype=np.float32) * 1e-5
        writer.predictions(split, "label", opened.sample_ids(split), labels.tolist(), shares)
    return run_id
