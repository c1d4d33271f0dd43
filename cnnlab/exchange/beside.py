"""What else lies in a folder of which one kind of runs is imported: said, so that nobody takes the one for all."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnlab.exchange.csv_table import SUFFIXES
from cnnlab.exchange.found import FoundRun, ImportRunsError, Source, Tell
from cnnlab.exchange.mlflow_database import DATABASE, MLflowDatabase, databases_in
from cnnlab.exchange.mlflow_files import STORE_OF_FILES, is_file_store
from cnnlab.exchange.tensorboard_folders import MARK

# So many folders are looked into: a look must not take longer than the import.
MOST_LOOKED_INTO = 2_000
# What lies there belongs to runs of MLflow.
_ARTIFACTS = frozenset({"artifacts", "mlartifacts", STORE_OF_FILES})


@dataclass(frozen=True)
class Noted:
    """A source with more to say of it."""

    source: Source
    more: Sequence[str]

    @property
    def tool(self) -> str:
        """As the source says."""
        return self.source.tool

    @property
    def notes(self) -> Sequence[str]:
        """What the source says, and the rest."""
        return [*self.source.notes, *self.more]

    def run_keys(self) -> list[str]:
        """Return which runs there are."""
        return self.source.run_keys()

    def read(self, key: str, tell: Tell) -> FoundRun:
        """Return one run."""
        return self.source.read(key, tell)


def other_tools(tools: Sequence[str]) -> str:
    """Return the sentence that says of which tools there are runs too."""
    things = {"mlflow": "runs of MLflow", "tensorboard": "event files of TensorBoard", "csv": "CSV files"}
    named, flags = _listed([things[tool] for tool in tools], "and"), _listed([repr(tool) for tool in tools], "or")
    return f"There are also {named} in it. Import them too, with the format {flags} (--format)."


def other_stores(folder: Path) -> list[str]:
    """Return what is to be said of a folder's stores of MLflow other than the one that is imported."""
    databases = databases_in(folder)
    stores = [path.name for path in databases[1:] if _has_runs(path)]
    stores += [STORE_OF_FILES] if databases and is_file_store(folder / STORE_OF_FILES) else []
    said = []
    if (folder / DATABASE).is_file() and folder / DATABASE not in databases:
        said.append(f"{DATABASE!r} is empty or damaged, so left out.")
    if stores:
        is_one = len(stores) == 1
        named = _listed([repr(name) for name in stores], "and")
        way = "Import that by its own path." if is_one else "Import these by their own paths."
        said.append(f"There {'is' if is_one else 'are'} also {named} of MLflow in it. {way}")
    return said


def has_event_files(folder: Path) -> bool:
    """Return whether a short look finds event files in a folder, other than those that runs of MLflow keep."""
    return any(MARK in name for name in _files(folder))


def has_csv_files(folder: Path) -> bool:
    """Return whether a short look finds CSV files in a folder, other than those that runs of MLflow keep."""
    return any(Path(name).suffix.lower() in SUFFIXES for name in _files(folder))


def _files(folder: Path) -> Iterator[str]:
    for count, (_, folders, files) in enumerate(os.walk(folder)):
        if count >= MOST_LOOKED_INTO:
            return
        folders[:] = [name for name in folders if name not in _ARTIFACTS]
        yield from files


def _listed(words: Sequence[str], last: str) -> str:
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _has_runs(path: Path) -> bool:
    try:
        return bool(MLflowDatabase(path).run_keys())
    except ImportRunsError:
        return False
