"""Who goes into train, val and test: stratified, seeded, the same for ever.

Draws come from NumPy's frozen `RandomState` streams, so that a split made today is made again by
any later NumPy.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from cnnlab.errors import DatasetError

SPLITS = ("train", "val", "test")


def stratified_split(labels: np.ndarray, fractions: Mapping[str, float], seed: int) -> np.ndarray:
    """Return the split's name of each sample; what no fraction takes is `train`.

    Every class gives its share to every split, rounded to the nearest image and at least one,
    while one is left for `train`.

    Args:
        labels: `(n,)` integers.
        fractions: Share of `val` and of `test`, each in (0, 1).
    """
    splits = np.full(len(labels), "train", dtype="<U5")
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        rows = rows[np.random.RandomState([seed, int(label)]).permutation(len(rows))]
        start = 0
        for split, fraction in fractions.items():
            count = min(max(1, round(fraction * len(rows))), len(rows) - 1 - start) if fraction > 0 else 0
            splits[rows[start : start + max(0, count)]] = split
            start += max(0, count)
    return splits


def check_classes(splits: np.ndarray, labels: np.ndarray, class_names: Sequence[str]) -> None:
    """Refuse splits in which a class has no image.

    Raises:
        DatasetError: names the class and the split.
    """
    for split in SPLITS:
        present = np.bincount(labels[splits == split], minlength=len(class_names)) > 0
        if not present.all():
            missing = [name for name, is_there in zip(class_names, present, strict=True) if not is_there]
            more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
            raise DatasetError(
                f"Class {missing[0]!r}{more} has no image in the split {split!r}. Every split needs every class. "
                "Add images of it there (three per class at least), or leave the class out of all splits."
            )
