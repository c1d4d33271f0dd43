"""What the benchmark asks of every tracker: to write runs, to serve them, and to say when a page of its can be used.

Standard library only at import: the writers run in environments of the trackers' own.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tracker_sides.made_run import MadeRun

# A table shows so many runs at least before anybody can call it a list.
LEAST_ROWS = 15


@dataclass(frozen=True)
class View:
    """A page of a tracker.

    Attributes:
        path: What comes after the server's address; such as a person would keep as a bookmark.
        is_usable: A function in JavaScript, asked again and again while the page builds up. It may press what a
            person would have to press.
    """

    path: str
    is_usable: str


class Side(ABC):
    """One tracker.

    Attributes:
        name: In rows and folders.
        requirement: What pip installs for it, with its version; None for what is installed here.
        health: The path that is answered as soon as the server serves.
        derived: Folders of the store that looking at it makes, and that a store nobody has looked at lacks.
    """

    name: str
    requirement: str | None = None
    health = "/"
    derived: tuple[str, ...] = ()

    @abstractmethod
    def write(self, runs: Iterable[MadeRun], folder: Path) -> list[str]:
        """Write runs by the tracker's own interface, one after the other; return the ids that it gave them."""

    @abstractmethod
    def command(self, scripts: Path, folder: Path, port: int) -> list[str]:
        """Return the command that serves a store on this machine, with the tracker's own defaults.

        Args:
            scripts: Where the programs of its environment lie.
        """

    def environment(self, folder: Path) -> dict[str, str]:
        """Return the variables that the server needs beside those of this process."""
        return {}

    @abstractmethod
    def list_view(self, names: Sequence[str]) -> View:
        """Return the list of all runs, usable once rows of runs are drawn and all runs can be found.

        Args:
            names: Of all runs, oldest first.
        """

    @abstractmethod
    def comparison_view(self, run_ids: Sequence[str], epochs: int) -> View:
        """Return the curves of `COMPARED_SERIES` of some runs, usable once there is a whole line for each of them."""


def side_named(name: str) -> Side:
    """Return the tracker of a name; its module is imported only now.

    Raises:
        KeyError: there is none of that name.
    """
    from benchmarks.tracker_sides.aim import Aim
    from benchmarks.tracker_sides.mlflow import Mlflow
    from benchmarks.tracker_sides.ours import Ours
    from benchmarks.tracker_sides.tensorboard import TensorBoard

    sides: dict[str, type[Side]] = {kind.name: kind for kind in (Ours, Mlflow, TensorBoard, Aim)}
    return sides[name]()
