"""A trainer that waits: started ahead, with Keras imported, for the next run that fits it.

Whoever expects a training soon starts one (`ensure`): the training form, `python -m cnnlab warm`, and
the end of a run that had one. It is a parent with its trainer (`cnnlab.launch.waiting`), known to the
queue by a row. Who dispatches a run takes the row, in one transaction, and sends it the launch; without
one, or one of another kind, the run starts cold. Killing it costs nothing but time.
"""

import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cnnlab
from cnnlab.errors import QueueError
from cnnlab.launch import jobs, slots
from cnnlab.launch.database import Database
from cnnlab.launch.engines.base import LAUNCH_VARIABLE, Handle, Launch
from cnnlab.processes import ATTEMPT_VARIABLE, RUN_VARIABLE, created_of, is_alive, kill_group

VARIABLE = "CNNLAB_WARM"
IDLE_S = 900.0
# It takes about 0.6 GiB: where there is not much more, runs need it.
ENOUGH_BYTES = 8 * 2**30
SCARCE_BYTES = 3 * 2**29
_CHOICE = "warm"
# What a trainer inherits and what changes how it computes or where its code is.
_TELLING = ("CUDA", "TF_", "XLA_", "JAX_", "KERAS_", "OMP_", "MKL_", "PYTHON", "LD_", "CNNLAB_")
_SAYS_NOTHING = (VARIABLE, LAUNCH_VARIABLE, RUN_VARIABLE, ATTEMPT_VARIABLE, "CNNLAB_STORE", "CNNLAB_QUEUE")
_BACKEND = re.compile(rb"^compute:\n(?:  .*\n)*?  backend: (\w+)", re.M)


@dataclass(frozen=True)
class Waiting:
    """A trainer that waits: its parent and the kind of run that it fits."""

    pid: int
    created: float | None
    kind: str

    @property
    def handle(self) -> Handle:
        return Handle(self.pid, self.created)


@dataclass(frozen=True)
class WarmState:
    """What pages and commands say of it.

    Attributes:
        pid: Of the parent of the trainer that waits; None where none does.
        memory_bytes: What both take.
    """

    is_wanted: bool
    pid: int | None
    memory_bytes: int


def state(database: Database) -> WarmState:
    """Return whether trainers are started ahead, and what the one that waits takes."""
    one = waiting(database)
    return WarmState(is_wanted(database), one.pid if one else None, memory_bytes(one) if one else 0)


# === Whether ===


def is_wanted(database: Database) -> bool:
    """Return whether trainers are started ahead: by `$CNNLAB_WARM`, else as chosen, else where memory is plenty."""
    given = os.environ.get(VARIABLE, "").strip()
    if given:
        return given != "0"
    chosen = database.rows("SELECT value FROM choices WHERE name = ?", _CHOICE)
    if chosen:
        return str(chosen[0]["value"]) == "1"
    import psutil

    return psutil.virtual_memory().total >= ENOUGH_BYTES


def choose(database: Database, is_on: bool) -> None:
    """Keep the choice of this queue's user; off ends the one that waits."""
    with database.transaction() as change:
        change.execute("INSERT OR REPLACE INTO choices (name, value) VALUES (?, ?)", (_CHOICE, str(int(is_on))))
    if not is_on:
        dismiss(database)


# === Starting and taking ===


def ensure(
    database: Database, backend: str, *, trainer: Sequence[str] | None = None, slot_ids: Sequence[str] = ()
) -> bool:
    """Start one for a run with one slot, unless it is there, not wanted, or the slots are needed; return whether.

    Args:
        trainer: Replaces the waiting trainer's command line.
        slot_ids: Slots of a run after which another one will come, as in a study: one is started for that
            although they are taken, beside those that wait for other slots.
    """
    if os.name == "nt" or not is_wanted(database) or (jobs.has_line(database) and not slot_ids):
        return False
    from cnnlab.launch.engines.local import start_detached  # which imports this module

    machine = slots.machine_slots()
    busy = {slot_id for job in jobs.active(database) for slot_id in job.slot_ids}
    free = [slot for slot in machine if slot.id not in busy][:1]
    meant = [slot for slot in machine if slot.id in slot_ids] if slot_ids else free
    if not meant or is_short_of_memory():
        return False
    environment = slots.slot_environment(meant, machine)
    kind = kind_of(backend, environment)
    with database.transaction() as change:
        there = _living(database)
        if any(one.kind == kind for one in there):
            return False
        stay = [one.pid for one in there] if slot_ids else []
        change.execute(f"DELETE FROM waiting WHERE pid NOT IN ({', '.join('?' * len(stay))})", stay)
        command = list(trainer or (sys.executable, "-m", "cnnlab.warm_worker", backend))
        orders = json.dumps({"queue": str(database.path), "trainer": command, "environment": environment})
        arguments = [sys.executable, "-m", "cnnlab.launch.waiting", orders]
        try:
            process = start_detached(arguments, {}, output=subprocess.DEVNULL)
        except OSError:
            return False
        change.execute(
            "INSERT OR REPLACE INTO waiting (pid, pid_created, kind) VALUES (?, ?, ?)",
            (process.pid, created_of(process.pid), kind),
        )
    for other in there:  # of another kind
        if other.pid not in stay:
            kill_group(other.pid, 15)
    _sweep(database.path)
    return True


def _sweep(queue: Path) -> None:
    """Remove what those left that were killed."""
    for path in queue.parent.glob(f"{queue.name}.waiting-*"):
        pid = path.name.rpartition("-")[2]
        if pid.isdecimal() and not is_alive(int(pid), None):
            path.unlink(missing_ok=True)


def take(launch: Launch, command: Sequence[str]) -> Handle | None:
    """Hand a launch to a trainer that waits and fits; None where there is none.

    Args:
        command: The command line of a cold start; one that differs in the launch is nobody's to replace.
    """
    if not launch.queue or launch.command != tuple(command) or os.name == "nt":
        return None
    try:
        database = Database(Path(launch.queue))
        try:
            found = _take_row(database, launch)
        finally:
            database.close()
        if found is None or not _send(fifo_of(Path(launch.queue), found.pid), launch.to_json()):
            return None
    except (QueueError, OSError):
        return None
    return found.handle


def _take_row(database: Database, launch: Launch) -> Waiting | None:
    if not _living(database):
        return None
    kind = kind_of(backend_of(Path(launch.run_dir)), launch.environment)
    with database.transaction() as change:
        found = next((one for one in _living(database) if one.kind == kind), None)
        if found is not None:
            change.execute("DELETE FROM waiting WHERE pid = ?", (found.pid,))
    return found


def _send(fifo: Path, text: str) -> bool:
    try:
        end = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)  # fails where nobody listens
    except OSError:
        return False
    with os.fdopen(end, "wb") as file:
        os.set_blocking(file.fileno(), True)
        file.write(text.encode() + b"\n")
    return True


def fifo_of(queue: Path, pid: int) -> Path:
    """Return where the parent of a waiting trainer hears its launch."""
    return queue.with_name(f"{queue.name}.waiting-{pid}")


# === Looking ===


def waiting(database: Database) -> Waiting | None:
    """Return the trainer that waits, None where there is none."""
    return next(iter(_living(database)), None)


def memory_bytes(one: Waiting) -> int:
    """Return what a waiting trainer and its parent take of the memory."""
    import psutil

    total = 0
    with contextlib.suppress(psutil.Error):
        parent = psutil.Process(one.pid)
        for process in (parent, *parent.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
    return total


def dismiss(database: Database) -> None:
    """End the trainer that waits."""
    for one in _living(database):
        with database.transaction() as change:
            is_mine = change.execute("DELETE FROM waiting WHERE pid = ?", (one.pid,)).rowcount
        if is_mine:  # nobody took it meanwhile
            kill_group(one.pid, 15)


def _living(database: Database) -> list[Waiting]:
    rows = database.rows("SELECT * FROM waiting")
    return [
        Waiting(row["pid"], row["pid_created"], row["kind"]) for row in rows if is_alive(row["pid"], row["pid_created"])
    ]


# === Kinds ===


def kind_of(backend: str, environment: Mapping[str, str]) -> str:
    """Return what a run and a waiting trainer must share: backend, code and all that changes how it computes."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(_TELLING) and name not in _SAYS_NOTHING and name not in environment
    }
    parts = [backend, sys.executable, cnnlab.__version__, _newest_code(), inherited, dict(environment)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _newest_code() -> int:
    """Return when the code was last changed: a trainer that waits has read an older one."""
    root = Path(cnnlab.__file__).parent
    return max(path.stat().st_mtime_ns for path in root.rglob("*.py"))


def backend_of(run_dir: Path) -> str:
    """Return the backend of a run's config, which is not worth reading whole here."""
    found = _BACKEND.search((run_dir / "config.yaml").read_bytes())
    return found.group(1).decode() if found else ""


def is_short_of_memory() -> bool:
    """Return whether memory is needed for other things than waiting."""
    import psutil

    return psutil.virtual_memory().available < SCARCE_BYTES
