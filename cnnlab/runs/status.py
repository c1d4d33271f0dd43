"""How a run stands, and who says so.

`status.json` is written by the parent of the run (`cnnlab.launch.parent`) while it lives.
Where it died, the first reader who looks (`settle`) writes what happened, so no run shows
as running for ever. Standard library and psutil only: every process of a run imports this.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

from cnnlab import processes
from cnnlab.files import read_json, write_json
from cnnlab.processes import is_alive

__all__ = [
    "ADVICE",
    "ENDED",
    "EXIT_PAUSED",
    "FAILURES",
    "STATES",
    "Failure",
    "RunStatus",
    "failure",
    "is_alive",
    "locked",
    "now",
    "read_status",
    "request_cancel",
    "request_pause",
    "settle",
    "silence_s",
    "wants_cancel",
    "wants_pause",
    "write_status",
]

STATES = ("queued", "running", "paused", "completed", "failed", "cancelled", "lost")
ENDED = ("completed", "failed", "cancelled", "lost")

# A trainer that was asked to pause leaves with this: "try again later" among the exit codes of Unix.
EXIT_PAUSED = 75

ADVICE: dict[str, str] = {
    "out_of_memory": "Choose a smaller batch size, image size or network, or wait until other programs free memory.",
    "nan_loss": "Lower the learning rate, add warm-up epochs or clip the gradients.",
    "bad_data": "Check the data set on its page, or import it again.",
    "download": "Check that this machine reaches the network, then retry the run; what is on disk already stays.",
    "killed": "If nobody stopped it, memory was short: choose a smaller batch size or fewer runs at once, then retry.",
    "code_error": "Read the last lines of the log; the first error there is the cause.",
    "lost": "The machine may have gone down or was short of memory. Retry the run.",
    "not_started": "Read the last lines of the log, check that the store can be written, then retry the run.",
}
FAILURES = tuple(ADVICE)

# The parent touches `heartbeat` every 2 s; three missed ones are silence.
HEARTBEAT_S = 2.0
SILENCE_S = 6.0


class Failure(TypedDict):
    """Why a run did not complete: `kind` is one of `FAILURES`."""

    kind: str
    message: str
    advice: str


@dataclass(frozen=True)
class RunStatus:
    """What `status.json` holds.

    Attributes:
        pid: The supervising parent; `child_pid` is the trainer. Both with their time of creation
            (`cnnlab.processes.created_of`), since pids are reused.
        process_space: Boot and container in which these pids mean something.
        signal: Name of the signal that ended the trainer, such as SIGKILL.
        slot: Ids of the slots it holds or held, such as `gpu0`.
    """

    state: str = "queued"
    attempt: int = 1
    host: str | None = None
    process_space: str | None = None
    pid: int | None = None
    pid_created: float | None = None
    child_pid: int | None = None
    child_created: float | None = None
    queued_at: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    exit_code: int | None = None
    signal: str | None = None
    failure: Failure | None = None
    slot: tuple[str, ...] = ()

    @property
    def has_ended(self) -> bool:
        return self.state in ENDED

    @property
    def is_at_rest(self) -> bool:
        """Whether it has no process and waits for none: it has ended, or goes on only when somebody says so."""
        return self.has_ended or self.state == "paused"


_FIELDS = frozenset(field.name for field in fields(RunStatus))


def now() -> str:
    """Return the time as ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def failure(kind: str, message: str) -> Failure:
    """Return a failure with the advice that belongs to its kind; an unknown kind is a code error."""
    kind = kind if kind in ADVICE else "code_error"
    return {"kind": kind, "message": message, "advice": ADVICE[kind]}


def read_status(run_dir: Path) -> RunStatus:
    """Return what `status.json` says; where it is missing or damaged, what the claims of the attempts say."""
    value = read_json(Path(run_dir) / "status.json")
    status = _parse(value) if isinstance(value, dict) else None
    return status or _status_of_claims(Path(run_dir))


def _parse(value: dict[str, Any]) -> RunStatus | None:
    known = {key: part for key, part in value.items() if key in _FIELDS}
    if known.get("state") not in STATES or not isinstance(known.get("attempt", 1), int):
        return None
    return RunStatus(**known | {"slot": tuple(known.get("slot") or ())})


def _status_of_claims(run_dir: Path) -> RunStatus:
    numbers = [name.stem.removeprefix("attempt-") for name in run_dir.glob("attempt-*.claim")]
    attempt = max((int(number) for number in numbers if number.isdecimal()), default=1)
    claim = read_json(run_dir / f"attempt-{attempt}.claim")
    if not isinstance(claim, dict):
        return RunStatus(attempt=attempt)
    known = {key: claim.get(key) for key in ("host", "process_space", "pid", "pid_created")}
    return RunStatus(state="running", attempt=attempt, started_at=claim.get("started_at"), **known)  # type: ignore[arg-type]


def write_status(run_dir: Path, status: RunStatus, *, durable: bool = True) -> None:
    """Replace `status.json`, whole or not at all."""
    write_json(Path(run_dir) / "status.json", asdict(status) | {"slot": list(status.slot)}, durable=durable)


def request_cancel(run_dir: Path) -> None:
    """Ask for the end of a run; its parent looks for this file all the time."""
    (Path(run_dir) / "cancel").touch()


def wants_cancel(run_dir: Path) -> bool:
    """Return whether somebody asked for the end of this run."""
    return (Path(run_dir) / "cancel").exists()


def request_pause(run_dir: Path) -> None:
    """Ask a run to stop where it can go on later; its trainer looks for this file between two steps."""
    (Path(run_dir) / "pause").touch()


def wants_pause(run_dir: Path) -> bool:
    """Return whether somebody asked this run to pause."""
    return (Path(run_dir) / "pause").exists()


def settle(run_dir: Path) -> RunStatus:
    """Return how the run stands, after recording the end of one whose parent died without a word.

    Where the pids of the parent mean something its death is certain. Elsewhere on a machine of
    the same name (a reboot, a container) three missed heartbeats decide. A run of another
    machine is never judged: `silence_s` says for how long nothing was heard.
    """
    run_dir = Path(run_dir)
    status = read_status(run_dir)
    if not _is_gone(run_dir, status):
        return status
    try:
        with locked(run_dir):
            status = read_status(run_dir)  # the parent may have written its last word before it left
            if not _is_gone(run_dir, status):
                return status
            return record_loss(run_dir, status)
    except OSError:  # a full disk or a store that may only be read: the verdict stands all the same
        return _verdict(run_dir, status)


def record_loss(run_dir: Path, status: RunStatus) -> RunStatus:
    """End what is left of an attempt without a parent and write how it ended; call it with the run locked."""
    if status.state == "running" and status.process_space == processes.process_space():
        if is_alive(status.child_pid, status.child_created):
            processes.kill_group(status.child_pid or 0, 9)
        processes.kill_marked(str(run_dir.resolve()), status.attempt)
    ended = _verdict(run_dir, status)
    write_status(run_dir, ended)
    return ended


def _is_gone(run_dir: Path, status: RunStatus) -> bool:
    if status.state in ("queued", "paused"):
        return wants_cancel(run_dir)
    if status.state != "running" or status.host not in (None, processes.host_name()):
        return False
    if status.process_space == processes.process_space():
        return not is_alive(status.pid, status.pid_created)
    return silence_s(run_dir) > SILENCE_S


def _verdict(run_dir: Path, status: RunStatus) -> RunStatus:
    ended = replace(status, ended_at=_last_sign(run_dir) if status.state == "running" else now())
    if wants_cancel(run_dir):
        return replace(ended, state="cancelled")
    said = read_json(run_dir / "failure.json")
    if isinstance(said, dict) and "kind" in said:
        return replace(ended, state="failed", failure=failure(str(said["kind"]), str(said.get("message", ""))))
    message = "The process that watched over the training ended without a word, and the training with it."
    return replace(ended, state="lost", failure=failure("lost", message))


def _last_sign(run_dir: Path) -> str:
    try:
        moment = (run_dir / "heartbeat").stat().st_mtime
    except OSError:
        return now()
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def silence_s(run_dir: Path) -> float:
    """Return for how many seconds the parent of the run has been silent; infinite without a heartbeat.

    The heartbeat is compared with a file made beside it now: both times come from the clock of
    the file system, which on a network drive is not the one of this machine.
    """
    try:
        with open(run_dir / "heartbeat", "rb") as file:  # opening makes a network drive ask its server
            beat = os.fstat(file.fileno()).st_mtime
    except OSError:
        return float("inf")
    import tempfile  # late, since every parent imports this module and few measure silence

    try:
        with tempfile.TemporaryFile(dir=run_dir) as probe:
            return os.fstat(probe.fileno()).st_mtime - beat
    except OSError:
        return datetime.now(UTC).timestamp() - beat


@contextlib.contextmanager
def locked(run_dir: Path) -> Iterator[None]:
    """Hold the status of a run against other readers who would write it; the parent never waits for this."""
    if os.name == "nt":  # without it two readers may record the same loss twice, which says the same
        yield
        return
    import fcntl

    with open(run_dir / "status.lock", "ab") as file:
        with contextlib.suppress(OSError):  # some network drives have no locks
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
