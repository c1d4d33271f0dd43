"""How a study stands, and what people ask of it: small files that outlive every process.

The supervisor alone writes `status.json` and touches `heartbeat`. Who wants something else than it was made
with leaves a file in `asked/`.
"""

import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from cnnlab import processes
from cnnlab.errors import ConfigError, StoreError
from cnnlab.files import read_bytes, read_json, write_atomic, write_json

STATES = ("running", "stopped", "completed", "failed")
# The supervisor touches `heartbeat` every 2 s.
HEARTBEAT_S = 2.0
SILENCE_S = 10.0


@dataclass(frozen=True)
class StudyStatus:
    """What `status.json` of a study holds.

    Attributes:
        width: How many trials are trained at a time.
        trials: How many may be begun in all; None where the algorithm decides.
        active_s: For how long it was at work, over all starts.
        starts: How often its supervisor was started.
        disk_bytes: What its runs take on disk.
        pid: Of the supervisor, with its time of creation (`cnnlab.processes.created_of`).
    """

    state: str = "running"
    reason: str | None = None
    width: int = 1
    trials: int | None = None
    active_s: float = 0.0
    starts: int = 0
    disk_bytes: int = 0
    started_at: str | None = None
    ended_at: str | None = None
    host: str | None = None
    process_space: str | None = None
    pid: int | None = None
    pid_created: float | None = None

    @property
    def has_ended(self) -> bool:
        """Whether it goes on only when somebody says so."""
        return self.state != "running"


@dataclass(frozen=True)
class Asked:
    """What somebody asked for since the study was made; None where nothing was said.

    Attributes:
        width: Trials at a time; `trials`: in all.
    """

    stop: bool = False
    width: int | None = None
    trials: int | None = None


_STATUS_FIELDS = frozenset(field.name for field in fields(StudyStatus))


def read_status(folder: Path) -> StudyStatus:
    """Return how a study stands by its own word; `is_at_work` says whether somebody sees to it."""
    value = read_json(folder / "status.json")
    known = {key: part for key, part in (value or {}).items() if key in _STATUS_FIELDS} if value else {}
    return StudyStatus(**known) if known.get("state") in STATES else StudyStatus()


def write_status(folder: Path, status: StudyStatus) -> None:
    """Replace `status.json`, whole or not at all."""
    write_json(folder / "status.json", asdict(status), durable=status.has_ended)


def is_at_work(folder: Path, status: StudyStatus) -> bool:
    """Return whether the supervisor of a study lives.

    Where its pid means something that is certain; elsewhere the heartbeat decides.
    """
    if status.process_space == processes.process_space():
        return processes.is_alive(status.pid, status.pid_created)
    try:
        return time.time() - (folder / "heartbeat").stat().st_mtime < SILENCE_S
    except OSError:
        return False


def read_asked(folder: Path) -> Asked:
    """Return what was asked for since the study was made."""
    asked = folder / "asked"
    return Asked((asked / "stop").exists(), _number(asked / "width"), _number(asked / "trials"))


def ask(folder: Path, *, stop: bool | None = None, width: int | None = None, trials: int | None = None) -> None:
    """Leave a wish for the supervisor, which looks twice a second.

    Raises:
        ConfigError: a number is out of range.
        StoreError: the folder cannot be written.
    """
    for name, number, highest in (("width", width, 256), ("trials", trials, 100_000)):
        if number is not None and not 1 <= number <= highest:
            raise ConfigError(f"{name}={number} is out of range. Expected 1 to {highest}. Choose another number.")
    try:
        (folder / "asked").mkdir(exist_ok=True)
        if width is not None:
            write_atomic(folder / "asked" / "width", str(width))
        if trials is not None:
            write_atomic(folder / "asked" / "trials", str(trials))
        if stop:
            (folder / "asked" / "stop").touch()
        elif stop is not None:
            (folder / "asked" / "stop").unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(
            f"The study {folder.name!r} cannot be written: {error.strerror or error}. Expected a folder of yours "
            "with free space. Check who owns it."
        ) from error


def _number(path: Path) -> int | None:
    text = (read_bytes(path) or b"").strip()
    return int(text) if text.isdigit() else None
