"""What chief and workers of a study have to keep to at the moment: one small file, written by the supervisor."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path

from cnnlab.files import read_json, write_json

LIMITS_FILE = "limits.json"
# Where the chief listens.
CHIEF_FILE = "chief.json"
# Where the oracle keeps what it knows.
ORACLE, ORACLE_FILE = "oracle", "oracle.json"
# What it says there of the trials from which others may still go on; missing where none ever does.
CONTINUING = "continuing"
# Where workers show that they go on.
BEATS = "beats"


@dataclass(frozen=True)
class Limits:
    """What holds now.

    Attributes:
        width: Workers that may begin a trial: those with a smaller number.
        trials: How many trials may be begun in all.
        closed: Why no trial is begun any more; None where some may be.
        is_paused: Running trials keep their state and leave their slots.
        start: Which start of the supervisor says so. Who was started by an earlier one leaves: on a cluster it may
            outlive its supervisor.
    """

    width: int = 1
    trials: int = 1
    closed: str | None = None
    is_paused: bool = False
    start: int = 0


_FIELDS = frozenset(field.name for field in fields(Limits))


def read_limits(study_dir: Path) -> Limits:
    """Return what holds now; nothing may begin where nobody said anything."""
    value = read_json(study_dir / LIMITS_FILE)
    if not isinstance(value, dict):
        return Limits(closed="The study has no supervisor.")
    return Limits(**{key: part for key, part in value.items() if key in _FIELDS})


def write_limits(study_dir: Path, limits: Limits) -> None:
    """Replace what holds."""
    write_json(study_dir / LIMITS_FILE, asdict(limits), durable=False)


def is_outdated(study_dir: Path, start: int) -> bool:
    """Return whether who was started by this start of the supervisor is to leave: there was another one since."""
    return read_limits(study_dir).start > start


def worker_name(index: int) -> str:
    """Return the fixed name of a worker, by which it finds its trial again."""
    return f"worker{index}"


def worker_index(name: str) -> int:
    """Return the number of a worker."""
    return int(name.removeprefix("worker"))


def beat_path(study_dir: Path, worker: str) -> Path:
    """Return the file that a worker touches as long as it goes on."""
    return study_dir / BEATS / worker


def farewell_path(study_dir: Path, name: str) -> Path:
    """Return the file that a worker leaves when it has no more to do: no engine says how a process ended."""
    return study_dir / BEATS / f"{name}.left"
