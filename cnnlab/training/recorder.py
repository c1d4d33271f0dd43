"""What training tells of itself, to whoever keeps it."""

from collections.abc import Sequence
from typing import Any, Protocol


class Recorder(Protocol):
    """Where a trainer reports; the run store's writer is one."""

    def event(self, name: str, **fields: Any) -> None:
        """Note that something happened."""

    def metrics(self, rows: Sequence[dict[str, Any]]) -> None:
        """Keep measured values; the rows are those of the store's metrics table."""

    def progress(self, values: dict[str, Any]) -> None:
        """Say how far it is; only the last word counts."""


class NullRecorder:
    """Keeps nothing: for tests and notebooks."""

    def event(self, name: str, **fields: Any) -> None: ...

    def metrics(self, rows: Sequence[dict[str, Any]]) -> None: ...

    def progress(self, values: dict[str, Any]) -> None: ...
