"""How long an epoch will take, from what completed runs measured; nothing is guessed where there are none.

Imports no Keras.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

# Networks are one and the same for the clock when their work differs by no more than this.
SAME_MACS = 0.01

Basis = Literal["same", "family", "others"]


@dataclass(frozen=True)
class EpochTime:
    """An estimate.

    Attributes:
        seconds: Of one epoch.
        num_runs: It is the median over so many runs.
        basis: They had the `same` network, one of its `family` or `others`; all but the first are scaled by MACs.
    """

    seconds: float
    num_runs: int
    basis: Basis


def epoch_time(
    runs: Iterable[Mapping[str, Any]], architecture: str, macs: int | None, num_images: int | None
) -> EpochTime | None:
    """Return the time of one epoch, None where no run can tell.

    Args:
        runs: Completed runs of one machine: `architecture`, `macs` and `images_per_s` of each.
        macs: Of the network for one image.
        num_images: In the training split.

    >>> runs = [{"architecture": "resnet", "macs": 200, "images_per_s": 50.0}]
    >>> epoch_time(runs, "resnet", 100, 1000)
    EpochTime(seconds=10.0, num_runs=1, basis='family')
    """
    known = [run for run in runs if run["macs"] and run["images_per_s"]]
    if not macs or not num_images or not known:
        return None
    family = [run for run in known if run["architecture"] == architecture]
    same = [run for run in family if abs(run["macs"] - macs) <= SAME_MACS * macs]
    basis: Basis
    basis, used = ("same", same) if same else ("family", family) if family else ("others", known)
    seconds_per_image = [1 / run["images_per_s"] * (1 if basis == "same" else macs / run["macs"]) for run in used]
    return EpochTime(num_images * median(seconds_per_image), len(used), basis)
