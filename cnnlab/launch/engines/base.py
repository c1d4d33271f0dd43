"""What the queue asks of an engine.

The engine says where the parent of a run lives, never how the run stands: that is in the
run folder, so pages read the same whatever engine ran it. Whatever an engine does twice,
`attempt-N.claim` in the run folder lets one parent of an attempt start, and no second.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, Protocol, Self

# The parent takes its orders from this variable; a trainer never sees it.
LAUNCH_VARIABLE = "CNNLAB_LAUNCH"

Presence = Literal["alive", "gone", "unreachable"]


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
class Handle:
    """What finds a started parent again: its pid and time of creation on this machine."""

    pid: int
    created: float | None


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
