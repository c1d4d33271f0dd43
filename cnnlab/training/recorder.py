"""What training tells of itself, to whoever keeps it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Recorder(Protocol):
    """Where a trainer reports; the run store's writer is one."""

    def event(self, name: str, **fields: Any) -> None:
        """Note that something happened."""

    def metrics(self, rows: Sequence[dict[str, Any]]) -> None:
        """Keep measured values; the rows are those of the store's metrics table."""

    def steps(
        self, epoch: int, first_step: int, measured: Mapping[str, NDArray[np.float64]], rates: Any, elapsed_s: float
    ) -> None:
        """Keep what single steps measured: loss and accuracies by name, and their learning rates.

        Args:
            epoch: 1-based.
            first_step: Of the first of them, 1-based, over all epochs.
        """

    def probe(self, epoch: int, step: int, rows: Sequence[dict[str, Any]]) -> None:
        """Keep what a look at the layers found after an epoch; the rows are those of the store's probes.

        Args:
            epoch: 1-based.
            step: Optimizer updates done by then.
        """

    def progress(self, values: dict[str, Any]) -> None:
        """Say how far it is; only the last word counts."""


class NullRecorder:
    """Keeps nothing: for tests and notebooks."""

    def event(self, name: str, **fields: Any) -> None: ...

    def metrics(self, rows: Sequence[dict[str, Any]]) -> None: ...

    def steps(self, epoch: int, first_step: int, measured: Any, rates: Any, elapsed_s: float) -> None: ...

    def probe(self, epoch: int, step: int, rows: Sequence[dict[str, Any]]) -> None: ...

    def progress(self, values: dict[str, Any]) -> None: ...
