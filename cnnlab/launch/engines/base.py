"""What the queue and studies ask of an engine.

The engine says where the parent of a run lives, never how the run stands: that is in the
run folder, so pages read the same whatever engine ran it. Whatever an engine does twice,
`attempt-N.claim` in the run folder lets one parent of an attempt start, and no second.

On a cluster, where the store is on a shared folder, the chief and the workers of a study are jobs of its engine
(`Placer`), and each worker trains its runs where it was placed, in a queue of that node's own.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, Protocol, Self

# The parent takes its orders from this variable; a trainer never sees it.
LAUNCH_VARIABLE = "CNNLAB_LAUNCH"

# By what name the machine, on which an engine has placed the chief of a study, is reached from those of its workers.
# Where an engine sets none the chief listens to this machine alone: its port has no authentication.
ADDRESS_VARIABLE = "CNNLAB_ADDRESS"

# `waiting`: the engine has not started it yet.
Presence = Literal["waiting", "alive", "gone", "unreachable"]


@dataclass(frozen=True)
class Launch:
    """One start of one attempt of a run.

    Attributes:
        command: The trainer's whole command line.
        environment: Added to the trainer's environment, above what it inherits.
        slots: Ids of the slots reserved for it.
        queue: Path of the queue that reserved them; empty for a run without a queue.
        token: Names the reservation; one that has expired no longer starts anything.
    """

    run_dir: str
    attempt: int
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    slots: tuple[str, ...] = ()
    queue: str = ""
    token: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        value = json.loads(text)
        return cls(**value | {"command": tuple(value["command"]), "slots": tuple(value["slots"])})


@dataclass(frozen=True)
class Task:
    """The chief or a worker of a study.

    Attributes:
        name: `chief` or `worker0`, ..., for who looks at the engine's own list.
        command: Its whole command line.
        log: The file that what it prints is added to.
    """

    name: str
    command: tuple[str, ...]
    log: Path


@dataclass(frozen=True)
class Handle:
    """What finds a started process again: its pid and time of creation on this machine.

    Attributes:
        job: What another engine calls it; the pid means nothing then.
    """

    pid: int
    created: float | None
    job: str = ""


class Placer(Protocol):
    """Places chief and workers of studies; an entry point of the group `cnnlab.engines` makes one.

    What it places finds the store under the same path, and this package installed. On each node it sets
    `CNNLAB_QUEUE` to a file of that node, and for the chief `CNNLAB_ADDRESS`. It may leave its jobs alive when
    the supervisor dies: they notice and leave by themselves.
    """

    def place(self, task: Task) -> Handle:
        """Start the process, or line it up, and return at once; `QueueError` where it cannot be."""
        ...

    def status(self, handle: Handle) -> Presence:
        """Return whether the process is there; `unreachable` where the engine cannot be asked."""
        ...

    def cancel(self, handle: Handle) -> None:
        """Ask the process to leave (SIGTERM)."""
        ...

    def kill(self, handle: Handle) -> None:
        """End the process at once."""
        ...


class Engine(Protocol):
    """Starts parents and finds them again."""

    def submit(self, launch: Launch) -> Handle:
        """Start the parent and return at once; `QueueError` where it cannot be started."""
        ...

    def status(self, handle: Handle) -> Presence:
        """Return whether the parent is there; `unreachable` where the engine cannot be asked."""
        ...

    def cancel(self, handle: Handle) -> None:
        """Wake the parent, which then looks at the `cancel` file of its run."""
        ...

    def logs(self, run_dir: Path, lines: int = 200) -> str:
        """Return the last lines that the run printed."""
        ...
