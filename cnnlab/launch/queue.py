"""The queue of runs of this machine, without a server.

It lives in a small file; every process that submits, looks or ends a run moves it on
(`tick`). While runs wait, one small process (`cnnlab.launch.tick`) looks every two seconds,
so the queue goes on when no dashboard is open.
"""

import contextlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cnnlab.errors import QueueError, RunNotFoundError
from cnnlab.launch import dispatch, jobs, slots, tick
from cnnlab.launch.database import Database, default_path
from cnnlab.launch.engines.base import Engine
from cnnlab.launch.engines.local import LocalEngine
from cnnlab.launch.jobs import Job
from cnnlab.launch.parent import default_command
from cnnlab.launch.slots import SlotState
from cnnlab.runs.status import (
    RunStatus,
    locked,
    now,
    read_status,
    record_loss,
    request_cancel,
    settle,
    silence_s,
    write_status,
)

FREE_BYTES = 200 * 2**20
# A run of another machine from which nothing was heard for so long is given up when its end is asked for.
GIVE_UP_S = 60.0
KEPT_ENDED = 2000


@dataclass(frozen=True)
class QueueEntry:
    """A run that waits or runs.

    Attributes:
        position: 1 for the first in line, 0 for one that has its slots.
    """

    run_id: str
    run_dir: Path
    state: str
    position: int
    priority: int
    slots: int
    slot_ids: tuple[str, ...]
    submitted_at: str
    started_at: str | None


class Queue:
    """Submits, cancels, orders and starts runs.

    Args:
        path: The queue's file; by default `$CNNLAB_QUEUE`, else that of this user and machine.
        engine: Starts the parents of runs; by default on this machine.
        command: Replaces the trainer's command line for runs submitted here; the run folder is added to it.
    """

    def __init__(self, path: Path | None = None, engine: Engine | None = None, command: Sequence[str] | None = None):
        self.path = Path(path).expanduser().absolute() if path else default_path()
        self._engine = engine or LocalEngine()
        self._command = tuple(command) if command else None
        self._database = Database(self.path)

    def close(self) -> None:
        """Close the queue's file; the next use opens it again."""
        self._database.close()

    # === Coming and going ===

    def submit(
        self, run_dir: Path, *, slots: int = 1, priority: int = 0, environment: Mapping[str, str] | None = None
    ) -> None:
        """Queue a run, and start it when its slots are free; return at once.

        Args:
            environment: Variables for the trainer, above what it inherits.

        Raises:
            QueueError: it is queued, running or over already, asks for more slots than there are,
                or the store's disk is full.
        """
        run_dir = _existing(run_dir)
        _check_room(run_dir)
        _check_slots(slots)
        with locked(run_dir):
            status = read_status(run_dir)
            if status.state != "queued" or self._is_known(run_dir):
                raise QueueError(f"Run {run_dir.name!r} is {_words(status)} already. {_cure(status)}")
            self._enter(run_dir, status.attempt, slots, priority, environment or {}, self._command_of(run_dir))
        self.tick()

    def retry(self, run_dir: Path) -> None:
        """Queue a run that failed, was cancelled or was lost as its next attempt, as it was submitted before.

        Raises:
            QueueError: it waits, runs or has completed.
        """
        run_dir = _existing(run_dir)
        _check_room(run_dir)
        settle(run_dir)
        with locked(run_dir):
            status = read_status(run_dir)
            if status.state in ("running", "completed") or (status.state == "queued" and self._is_known(run_dir)):
                raise QueueError(f"Run {run_dir.name!r} is {_words(status)}. {_cure(status)}")
            for leftover in ("cancel", "failure.json", "heartbeat"):
                (run_dir / leftover).unlink(missing_ok=True)
            before = jobs.find(self._database, run_dir)
            attempt = status.attempt + 1 if status.has_ended else status.attempt
            if before is None:
                self._enter(run_dir, attempt, 1, 0, {}, self._command_of(run_dir))
            else:
                command = self._command_of(run_dir) if self._command else before.command
                self._enter(run_dir, attempt, before.slots, before.priority, before.environment, command)
        self.tick()

    def cancel(self, run_dir: Path) -> None:
        """Take a waiting run out of the line, or end a running one with everything it started.

        It asks and returns; a running one says `cancelled` about 0.3 s later. What was logged stays.

        Raises:
            QueueError: it has ended already.
        """
        run_dir = _existing(run_dir)
        status = settle(run_dir)
        if status.has_ended:
            raise QueueError(f"Run {run_dir.name!r} is {_words(status)} already. {_cure(status)}")
        request_cancel(run_dir)
        with self._database.transaction() as change:
            change.execute("UPDATE jobs SET state = 'ended' WHERE run_dir = ? AND state = 'queued'", (str(run_dir),))
        status = settle(run_dir)
        job = jobs.find(self._database, run_dir)
        if status.state == "running" and job is not None and job.handle is not None:
            self._engine.cancel(job.handle)
        elif status.state == "running" and silence_s(run_dir) > GIVE_UP_S:
            with locked(run_dir):
                record_loss(run_dir, read_status(run_dir))
        self.tick()

    def tick(self) -> None:
        """Move the queue on: see what ended, start what can start. Any process may, at any time."""
        dispatch.move_on(self._database, self._engine)
        if jobs.has_line(self._database):
            tick.ensure_waiter(self._database)

    # === Looking and ordering ===

    def entries(self, store_root: Path | None = None) -> list[QueueEntry]:
        """Return what runs, then what waits in its order, after a tick; of one store only, where given."""
        self.tick()
        found = [_entry(job, 0) for job in jobs.active(self._database)]
        found += [_entry(job, place) for place, job in enumerate(jobs.in_line(self._database), start=1)]
        if store_root is None:
            return found
        root = Path(store_root).resolve()
        return [entry for entry in found if root in entry.run_dir.parents]

    def slots(self) -> list[SlotState]:
        """Return every slot of this machine with who is on it."""
        machine = slots.machine_slots()
        busy = {slot_id: job.run_dir.name for job in jobs.active(self._database) for slot_id in job.slot_ids}
        foreign = slots.foreign_use(slot for slot in machine if slot.id not in busy)
        return [SlotState(one.id, one.kind, one.title, busy.get(one.id), foreign.get(one.id)) for one in machine]

    def set_priority(self, run_dir: Path, priority: int) -> None:
        """Let a waiting run go before all of a lower priority."""
        run_dir = _existing(run_dir)
        with self._database.transaction() as change:
            done = change.execute(
                "UPDATE jobs SET priority = ? WHERE run_dir = ? AND state = 'queued'", (priority, str(run_dir))
            )
            if not done.rowcount:
                raise _not_waiting(run_dir)
        self.tick()

    def move(self, run_dir: Path, position: int) -> None:
        """Give a waiting run this position in the line, 1 for the first; it takes the priority that belongs there."""
        run_dir = _existing(run_dir)
        with self._database.transaction() as change:
            line = jobs.in_line(self._database)
            moved = next((job for job in line if job.run_dir == run_dir), None)
            if moved is None:
                raise _not_waiting(run_dir)
            line.remove(moved)
            index = min(max(position - 1, 0), len(line))
            neighbours = line[index : index + 1] or line[index - 1 : index] or [moved]
            line.insert(index, replace(moved, priority=neighbours[0].priority))
            change.executemany(
                "UPDATE jobs SET place = ?, priority = ? WHERE run_dir = ?",
                [(place, job.priority, str(job.run_dir)) for place, job in enumerate(line, start=1)],
            )
        self.tick()

    # === Parts ===

    def _command_of(self, run_dir: Path) -> tuple[str, ...]:
        return (*self._command, str(run_dir)) if self._command else default_command(run_dir)

    def _is_known(self, run_dir: Path) -> bool:
        job = jobs.find(self._database, run_dir)
        return job is not None and job.state != "ended"

    def _enter(
        self,
        run_dir: Path,
        attempt: int,
        slots: int,
        priority: int,
        environment: Mapping[str, str],
        command: tuple[str, ...],
    ) -> None:
        # The folder first: once the row is there, another process may start the run and write its status.
        queued_at = now()
        write_status(run_dir, RunStatus(state="queued", attempt=attempt, queued_at=queued_at))
        with self._database.transaction() as change:
            change.execute(
                "INSERT OR REPLACE INTO jobs "
                "(run_dir, state, attempt, priority, place, slots, command, environment, submitted_at) "
                "VALUES (?, 'queued', ?, ?, (SELECT COALESCE(MAX(place), 0) + 1 FROM jobs), ?, ?, ?, ?)",
                (
                    str(run_dir),
                    attempt,
                    priority,
                    slots,
                    json.dumps(command),
                    json.dumps(dict(environment)),
                    queued_at,
                ),
            )
            change.execute(
                "DELETE FROM jobs WHERE state = 'ended' AND run_dir NOT IN "
                "(SELECT run_dir FROM jobs WHERE state = 'ended' ORDER BY submitted_at DESC LIMIT ?)",
                (KEPT_ENDED,),
            )


def _existing(run_dir: Path) -> Path:
    path = Path(run_dir).resolve()
    if not path.is_dir():
        raise RunNotFoundError(f"No run {path.name!r} in {str(path.parent)!r}. List runs with 'python -m cnnlab runs'.")
    return path


def _check_room(run_dir: Path) -> None:
    with contextlib.suppress(OSError):
        free = shutil.disk_usage(run_dir).free
        if free < FREE_BYTES:
            raise QueueError(
                f"Only {free // 2**20} MiB are free on the disk of {str(run_dir.parent)!r}. "
                f"A run needs at least {FREE_BYTES // 2**20} MiB. Delete runs you no longer need, then try again."
            )


def _check_slots(wanted: int) -> None:
    count = len(slots.machine_slots())
    if not 1 <= wanted <= count:
        raise QueueError(f"slots={wanted} is out of range. This machine has {count}. Ask for 1 to {count}.")


def _words(status: RunStatus) -> str:
    return "waiting in the queue" if status.state == "queued" else status.state


def _cure(status: RunStatus) -> str:
    if status.state == "queued":
        return "Wait for it, or cancel it."
    if status.state == "running":
        return "Wait for its end, or cancel it first."
    if status.state == "completed":
        return "Submit its config as a new run to train it again."
    return "Retry it to run it again."


def _not_waiting(run_dir: Path) -> QueueError:
    return QueueError(f"Run {run_dir.name!r} is not waiting. Only waiting runs have a place. Look at the queue again.")


def _entry(job: Job, position: int) -> QueueEntry:
    return QueueEntry(
        run_id=job.run_dir.name,
        run_dir=job.run_dir,
        state="running" if position == 0 else "queued",
        position=position,
        priority=job.priority,
        slots=job.slots,
        slot_ids=job.slot_ids,
        submitted_at=job.submitted_at,
        started_at=job.started_at,
    )
