"""scikit-learn's digits: 1,797 real handwritten digits of 8x8 pixels, split 70/10/20.

Source: Alpaydin and Kaynak 1998, UCI, doi:10.24432/C50P49 (its test part, as scikit-learn ships it).
"""

import gzip
import importlib.util
from pathlib import Path

import numpy as np

from cnnlab.datasets.catalogue import DIGIT_NAMES
from cnnlab.datasets.splits import SPLITS, stratified_split
from cnnlab.datasets.storage import Progress
from cnnlab.datasets.writing import Content
from cnnlab.parameters import Parameters

FRACTIONS = {"val": 0.1, "test": 0.2}
SPLIT_SEED = 0
GREY_LEVELS = 16  # 0 is paper, 16 is ink


def build(name: str, parameters: Parameters, progress: Progress) -> Content:
    """Return the digits on the scale 0 to 255."""
    del parameters  # there are none
    table = _read_table()
    splits = stratified_split(table[:, -1], FRACTIONS, SPLIT_SEED)
    order = np.concatenate([np.flatnonzero(splits == split) for split in SPLITS])
    images = np.rint(table[order, :-1] * (255 / GREY_LEVELS)).astype(np.uint8).reshape(-1, 8, 8, 1)
    progress("reading", len(images), len(images))
    return Content(
        image_shape=(8, 8, 1),
        outputs={"label": DIGIT_NAMES},
        images=[images],
        splits=splits[order],
        labels={"label": table[order, -1].astype(np.int32)},
        sample_ids=[f"{name}-{index:04d}" for index in order],
    )


def _read_table() -> np.ndarray:
    """Return `(1797, 65)`: 64 grey levels and the digit."""
    # Importing scikit-learn takes a second and stays in a page's memory: its file alone is enough.
    spec = importlib.util.find_spec("sklearn")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "datasets" / "data" / "digits.csv.gz"
        if path.is_file():
            with gzip.open(path, "rt", encoding="ascii") as file:
                return np.loadtxt(file, delimiter=",")
    from sklearn.datasets import load_digits

    images, digits = load_digits(return_X_y=True)
    return np.column_stack([images, digits])
