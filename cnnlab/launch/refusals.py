"""What the queue refuses to do, each with the way out."""

import contextlib
import shutil
from pathlib import Path

from cnnlab.errors import QueueError, RunNotFoundError
from cnnlab.launch import slots
from cnnlab.runs.origin import not_ours, read_origin
from cnnlab.runs.status import RunStatus

FREE_BYTES = 200 * 2**20


def existing(run_dir: Path) -> Path:
    """Return the whole path of a run's folder; raises `RunNotFoundError` where there is none."""
    path = Path(run_dir).resolve()
    if not path.is_dir():
        raise RunNotFoundError(f"No run {path.name!r} in {str(path.parent)!r}. List runs with 'python -m cnnlab runs'.")
    return path


def check_room(run_dir: Path) -> None:
    """Refuse to queue a run whose disk is full."""
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(run_dir).free
        if free < FREE_BYTES:
            raise QueueError(
                f"Only {free // 2**20} MiB are free on the disk of {str(run_dir.parent)!r}. "
                f"A run needs at least {FREE_BYTES // 2**20} MiB. Delete runs you no longer need, then try again."
            )


def check_ours(run_dir: Path) -> None:
    """Refuse to train a run that another tool trained: nothing says how."""
    origin = read_origin(run_dir)
    if origin is not None and not origin.has_config:
        raise QueueError(not_ours(run_dir.name, origin))


def check_slots(wanted: int) -> None:
    """Refuse a number of slots that this machine does not have."""
    count = len(slots.machine_slots())
    if not 1 <= wanted <= count:
        raise QueueError(f"slots={wanted} is out of range. This machine has {count}. Ask for 1 to {count}.")


def not_now(run_dir: Path, status: RunStatus, *, already: bool = False) -> QueueError:
    """Return the refusal of something that does not fit the state of the run."""
    words = "waiting in the queue" if status.state == "queued" else status.state
    return QueueError(f"Run {run_dir.name!r} is {words}{' already' if already else ''}. {_cure(status)}")


def not_waiting(run_dir: Path) -> QueueError:
    """Return the refusal to order a run that is not in the line."""
    return QueueError(f"Run {run_dir.name!r} is not waiting. Only waiting runs have a place. Look at the queue again.")


def _cure(status: RunStatus) -> str:
    match status.state:
        case "queued":
            return "Wait for it, or cancel it."
        case "running":
            return "Wait for its end, or pause or cancel it first."
        case "paused":
            return "Resume it to go on, or cancel it."
        case "completed":
            return "Submit its config as a new run to train it again, or train it for more epochs."
        case _:
            return "Retry it to run it again."
