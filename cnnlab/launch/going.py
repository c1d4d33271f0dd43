"""From where the next attempt of a run goes on."""

from dataclasses import dataclass
from pathlib import Path

from cnnlab.runs.checkpoint import checkpoint_path, discard_checkpoint, read_about


@dataclass(frozen=True)
class Going:
    """From where the next attempt of a run trains.

    Attributes:
        epoch: Epochs done; 0 together with `step` 0 is the start.
        step: Steps done of the epoch after them.
        was_damaged: There was a checkpoint that cannot be read.
    """

    epoch: int
    step: int
    was_damaged: bool = False

    @property
    def words(self) -> str:
        """Say it: `'from its checkpoint (epoch 4, after 12 steps)'`."""
        if not self.epoch and not self.step:
            return "from the start, for its checkpoint is damaged" if self.was_damaged else "from the start"
        steps = f", after {self.step} steps" if self.step else ""
        return f"from its checkpoint (epoch {self.epoch + 1}{steps})"


def decide(run_dir: Path, *, from_start: bool) -> Going:
    """Return from where the next attempt goes on; a checkpoint that cannot be read or is not wanted is removed."""
    about = None if from_start else read_about(run_dir)
    if about is not None:
        return Going(int(about["position"]["epoch"]), int(about["position"]["step"]))
    is_damaged = not from_start and checkpoint_path(run_dir).exists()
    discard_checkpoint(run_dir)
    return Going(0, 0, is_damaged)
