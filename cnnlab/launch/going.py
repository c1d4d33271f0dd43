"""From where the next attempt of a run goes on."""

from dataclasses import dataclass
from pathlib import Path

from cnnlab.runs.checkpoint import checkpoint_path, discard_checkpoint, place, read_about


@dataclass(frozen=True)
class Going:
    """From where the next attempt of a run trains.

    Attributes:
        place: How far its checkpoint is; empty without one.
        was_damaged: There was a checkpoint that cannot be read.
    """

    place: str
    was_damaged: bool = False

    @property
    def words(self) -> str:
        """Say it: `'from its checkpoint, after epoch 3 and 12 steps'`."""
        if self.place:
            return f"from its checkpoint, {self.place}"
        return "from the start, for its checkpoint is damaged" if self.was_damaged else "from the start"


def decide(run_dir: Path, *, from_start: bool) -> Going:
    """Return from where the next attempt goes on; a checkpoint that cannot be read or is not wanted is removed."""
    about = None if from_start else read_about(run_dir)
    if about is not None:
        return Going(place(about))
    was_damaged = not from_start and checkpoint_path(run_dir).exists()
    discard_checkpoint(run_dir)
    return Going("", was_damaged)
