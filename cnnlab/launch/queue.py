"""The queue of runs of this machine, without a server.

It lives in a small file; every process that submits, looks or ends a run moves it on
(`tick`). While runs wait, one small process (`cnnlab.launch.tick`) looks every two seconds,
so the queue goes on when no dashboard is open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cnnlab.launch import dispatch, jobs, slots, studies, tick, warm
from cnnlab.launch.database import Database, default_path
from cnnlab.launch.engines.base import Engine
from cnnlab.launch.engines.local import LocalEngine
from cnnlab.launch.going import Going, decide
from cnnlab.launch.jobs import Job
from cnnlab.launch.parent import default_command
from cnnlab.launch.refusals import check_ours, check_room, check_slots, existing, not_now, not_waiting
from cnnlab.launch.slots import SlotState
from cnnlab.launch.warm import WarmState
from cnnlab.runs.status import (
    RunStatus,
    locked,
    now,
    read_status,
    record_loss,
    request_cancel,
    request_pause,
    settle,
    silence_s,
    write_status,
)

# A run of another machine from which nothing was heard for so long is given up when its end is asked for.
GIVE_UP_S = 60.0


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
        run_dir = existing(run_dir)
        check_room(run_dir)
        check_slots(slots)
        with locked(run_dir):
            status = read_status(run_dir)
            if status.state != "queued" or self._is_known(run_dir):
                raise not_now(run_dir, status, already=True)
            wanted = jobs.Wanted(self._command_of(run_dir), slots, priority, environment or {})
            self._enter(run_dir, status.attempt, wanted)
        self.tick()

    def retry(self, run_dir: Path, *, from_start: bool = False) -> Going:
        """Queue a run that failed, was cancelled or was lost as its next attempt, as it was submitted before.

        It goes on from its last checkpoint, where it has one that can be read.

        Args:
            from_start: Throw the checkpoint away.

        Raises:
            QueueError: it waits, runs, is paused or has completed.
        """
        return self._again(run_dir, ("queued", "failed", "cancelled", "lost"), from_start)

    def resume(self, run_dir: Path) -> Going:
        """Queue a paused run again, to go on from where it stopped.

        Raises:
            QueueError: it is not paused.
        """
        return self._again(run_dir, ("paused",))

    def pause(self, run_dir: Path) -> None:
        """Take a waiting run out of the line, or let a running one stop between two steps and keep its state.

        It asks and returns; a running one says `paused` once its checkpoint is written.

        Raises:
            QueueError: it is paused already, or has ended.
        """
        run_dir = existing(run_dir)
        status = settle(run_dir)
        if status.is_at_rest:
            raise not_now(run_dir, status, already=True)
        request_pause(run_dir)
        with self._database.transaction() as change:
            left = change.execute(
                "UPDATE jobs SET state = 'ended' WHERE run_dir = ? AND state = 'queued'", (str(run_dir),)
            ).rowcount
        if left:
            with locked(run_dir):
                write_status(run_dir, replace(read_status(run_dir), state="paused"))
        self.tick()

    def cancel(self, run_dir: Path) -> None:
        """Take a waiting run out of the line, or end a running or paused one with everything it started.

        It asks and returns; a running one says `cancelled` about 0.3 s later. What was logged stays.

        Raises:
            QueueError: it has ended already.
        """
        run_dir = existing(run_dir)
        status = settle(run_dir)
        if status.has_ended:
            raise not_now(run_dir, status, already=True)
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
        studies.look_after(self._database)
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
        run_dir = existing(run_dir)
        with self._database.transaction() as change:
            done = change.execute(
                "UPDATE jobs SET priority = ? WHERE run_dir = ? AND state = 'queued'", (priority, str(run_dir))
            )
            if not done.rowcount:
                raise not_waiting(run_dir)
        self.tick()

    def move(self, run_dir: Path, position: int) -> None:
        """Give a waiting run this position in the line, 1 for the first; it takes the priority that belongs there."""
        run_dir = existing(run_dir)
        with self._database.transaction() as change:
            line = jobs.in_line(self._database)
            moved = next((job for job in line if job.run_dir == run_dir), None)
            if moved is None:
                raise not_waiting(run_dir)
            line.remove(moved)
            index = min(max(position - 1, 0), len(line))
            neighbours = line[index : index + 1] or line[index - 1 : index] or [moved]
            line.insert(index, replace(moved, priority=neighbours[0].priority))
            change.executemany(
                "UPDATE jobs SET place = ?, priority = ? WHERE run_dir = ?",
                [(place, job.priority, str(job.run_dir)) for place, job in enumerate(line, start=1)],
            )
        self.tick()

    # === The trainer that waits ===

    def warm(self, backend: str = "tensorflow") -> bool:
        """Start a trainer that waits for the next run, where one is wanted and a slot is free; return whether."""
        return warm.ensure(self._database, backend)

    def warm_state(self) -> WarmState:
        """Return whether a trainer waits, and what it takes."""
        return warm.state(self._database)

    def warm_next(self, run_dir: Path) -> bool:
        """Start a trainer that waits for the run that comes after this one on its slots; return whether."""
        job = jobs.find(self._database, Path(run_dir).resolve())
        if job is None or job.state != "running" or job.command != default_command(job.run_dir):
            return False
        return warm.ensure(self._database, warm.backend_of(job.run_dir), slot_ids=job.slot_ids)

    def choose_warm(self, is_on: bool) -> None:
        """Keep whether trainers are started ahead; off ends the one that waits."""
        warm.choose(self._database, is_on)

    # === Studies ===

    def look_after_study(self, study_dir: Path) -> None:
        """Start the supervisor of a study, and start it again whenever it was killed before the study was over."""
        studies.register(self._database, Path(study_dir).resolve(), self._command)

    # === Parts ===

    def _command_of(self, run_dir: Path) -> tuple[str, ...]:
        return (*self._command, str(run_dir)) if self._command else default_command(run_dir)

    def _is_known(self, run_dir: Path) -> bool:
        job = jobs.find(self._database, run_dir)
        return job is not None and job.state != "ended"

    def _again(self, run_dir: Path, states: tuple[str, ...], from_start: bool = False) -> Going:
        run_dir = existing(run_dir)
        check_ours(run_dir)
        check_room(run_dir)
        settle(run_dir)
        with locked(run_dir):
            status = read_status(run_dir)
            if status.state not in states or (status.state == "queued" and self._is_known(run_dir)):
                raise not_now(run_dir, status)
            going = decide(run_dir, from_start=from_start)
            for leftover in ("cancel", "pause", "failure.json", "heartbeat"):
                (run_dir / leftover).unlink(missing_ok=True)
            before = jobs.find(self._database, run_dir)
            # Each start has a claim of its own; one that never began needs no new number.
            is_claimed = (run_dir / f"attempt-{status.attempt}.claim").exists()
            wanted = before.wanted if before else jobs.Wanted(self._command_of(run_dir))
            if self._command:
                wanted = replace(wanted, command=self._command_of(run_dir))
            self._enter(run_dir, status.attempt + (status.has_ended or is_claimed), wanted)
        self.tick()
        return going

    def _enter(self, run_dir: Path, attempt: int, wanted: jobs.Wanted) -> None:
        # The folder first: once the row is there, another process may start the run and write its status.
        queued_at = now()
        write_status(run_dir, RunStatus(state="queued", attempt=attempt, queued_at=queued_at))
        jobs.enter(self._database, run_dir, attempt, wanted, queued_at)


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
