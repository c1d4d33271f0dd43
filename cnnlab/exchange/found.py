"""What a tool's files say of its runs, before anything of it is in our store."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cnnlab.errors import CNNLabError

# How much of a run was read, from 0 to 1.
Tell = Callable[[float], None]
Scalar = str | int | float | bool | None


class ImportRunsError(CNNLabError):
    """A file or folder holds no runs that can be imported, or is unsafe."""


class EmptyRunError(ImportRunsError):
    """A run holds neither numbers nor parameters."""


class ExportError(CNNLabError):
    """Runs cannot be exported to that place."""


def counted(number: int, noun: str) -> str:
    """Return `'1 run'` or `'1,200 runs'`."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


@dataclass(frozen=True)
class Series:
    """The numbers of one name, in the order of measuring; arrays of one length.

    Attributes:
        name: As the tool has it.
        steps: Whatever the tool counts.
        elapsed_s: Since the run began; NaN where no time is kept.
        epochs: Counted from 1, where the tool says so; else they are found out (`cnnlab.exchange.epochs`).
        by_epoch: `steps` are epochs.
        said: Split, output and metric, where the tool keeps them apart; else the name tells them.
    """

    name: str
    steps: NDArray[np.int64]
    elapsed_s: NDArray[np.float64]
    values: NDArray[np.float64]
    epochs: NDArray[np.int64] | None = None
    by_epoch: bool = False
    said: tuple[str, str, str] | None = None


@dataclass(frozen=True)
class FoundRun:
    """One run of a tool.

    Attributes:
        key: Which run of the source: a folder, an id or a name.
        identity: What stays the same when the run goes on, or lies elsewhere, and is imported again.
        is_named_by_place: The name only says where the files lie, so that a copy has another.
        state: One of `cnnlab.runs.status.STATES` that is an end.
        said_status: The tool's word for it, empty where it keeps none.
        started_s: Seconds since 1970.
        has_own_names: CNN Lab wrote the names of the numbers, as `cnnlab.exchange.names.name_of`.
        own_config: The text of the config, where CNN Lab exported the run.
        own_run: Its `run.json`.
        own_files: Further files of such a run, by the name in its folder.
        own_content: The content of such files, where the tool keeps texts or tables and no files.
        id_name: What the run's id begins with, where the name depends on which folder was imported.
        troubles: What could not be read of it, in words.
    """

    key: str
    name: str
    series: Sequence[Series]
    identity: str
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""
    experiment: str = ""
    state: str = "completed"
    said_status: str = ""
    failure: str = ""
    started_s: float | None = None
    ended_s: float | None = None
    is_named_by_place: bool = False
    has_own_names: bool = False
    own_config: str | None = None
    own_run: Mapping[str, object] | None = None
    own_files: Mapping[str, Path] = field(default_factory=dict)
    own_content: Mapping[str, bytes] = field(default_factory=dict)
    id_name: str = ""
    troubles: Sequence[str] = ()


class Source(Protocol):
    """The runs of one file or folder, read one at a time."""

    @property
    def tool(self) -> str:
        """A key of `cnnlab.runs.origin.TOOLS`."""

    @property
    def notes(self) -> Sequence[str]:
        """What of the source is left out and why, in sentences."""

    def run_keys(self) -> list[str]:
        """Return which runs there are, without reading their numbers."""

    def read(self, key: str, tell: Tell) -> FoundRun:
        """Return one run.

        Raises:
            ImportRunsError: it cannot be read; the others may.
        """
