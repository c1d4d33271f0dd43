"""One move of the queue: see what ended, reserve slots for what waits, start it.

Any process makes it, several at once: what is reserved in one `BEGIN IMMEDIATE`
transaction is reserved once. Starting happens outside it. A dispatcher may die between the
two; its reservation expires, and the token of an expired one starts nothing.
"""

import contextlib
import json
import os
import secrets
import time
from dataclasses import replace
from pathlib import Path

from cnnlab.errors import QueueError
from cnnlab.launch import jobs, slots
from cnnlab.launch.database import Database
from cnnlab.launch.engines.base import Engine, Handle, Launch
from cnnlab.launch.jobs import Job
from cnnlab.processes import is_alive
from cnnlab.runs.status import failure, locked, now, read_status, settle, write_status

RESERVATION_S = 10.0
FALSE_STARTS = 3
BACK_OFF_S = 2.0


def move_on(database: Database, engine: Engine) -> None:
    """Bring the queue in line with the run folders and start what can start."""
    for job in jobs.active(database):
        with contextlib.suppress(OSError):  # one unreadable folder must not hold up the others
            _look_after(database, engine, job)
    for row in database.rows("SELECT run_dir FROM jobs WHERE state = 'queued'"):
        with contextlib.suppress(OSError):
            _see_whether_left(database, row["run_dir"])
    if jobs.has_line(database):
        for launch in _reserve(database, slots.machine_slots()):
            _start(database, engine, launch)


# === What ended ===


def _look_after(database: Database, engine: Engine, job: Job) -> None:
    if not job.run_dir.exists():
        if not _is_there(engine, job):  # its parent ends itself when its folder is gone
            _forget(database, job)
        return
    status = settle(job.run_dir)
    if status.is_at_rest and status.attempt >= job.attempt:
        _end(database, job)
    elif status.state == "queued" and not _is_there(engine, job):
        _start_again(database, job)
    elif status.state == "running" and job.started_at is None:
        with database.transaction() as change:
            change.execute(
                "UPDATE jobs SET state = 'running', started_at = ? WHERE run_dir = ? AND token = ?",
                (status.started_at, str(job.run_dir), job.token),
            )


def _is_there(engine: Engine, job: Job) -> bool:
    if job.handle is not None:
        return engine.status(job.handle) != "gone"
    if job.reserved_at is not None and 0 <= time.time() - job.reserved_at < RESERVATION_S:
        return True
    claim = read_status(job.run_dir)  # started, but whoever started it died before it said so
    return claim.state == "running" and is_alive(claim.pid, claim.pid_created)


def _start_again(database: Database, job: Job) -> None:
    """Queue a start that came to nothing again: at once where nobody made it, later where it fell over."""
    with locked(job.run_dir):
        status = read_status(job.run_dir)
        is_claimed = (job.run_dir / f"attempt-{job.attempt}.claim").exists()
        false_starts = job.false_starts + (job.pid is not None or is_claimed)
        if status.state != "queued":
            return
        if false_starts >= FALSE_STARTS:
            _fail(job, f"The run was started {false_starts} times and ended each time before the training began.")
            _end(database, job)
            return
        attempt = job.attempt + is_claimed
        if is_claimed:
            write_status(job.run_dir, replace(status, attempt=attempt))
        wait_s = BACK_OFF_S**false_starts if false_starts else 0.0
        with database.transaction() as change:
            change.execute(
                "UPDATE jobs SET state = 'queued', attempt = ?, token = NULL, pid = NULL, pid_created = NULL, "
                "slot_ids = '[]', reserved_at = NULL, false_starts = ?, not_before = ? "
                "WHERE run_dir = ? AND token = ?",
                (attempt, false_starts, time.time() + wait_s, str(job.run_dir), job.token),
            )


def _see_whether_left(database: Database, folder: str) -> None:
    """Take a waiting run out of the line whose folder was deleted or that somebody cancelled there."""
    # Strings here, for a look at a long line is mostly this.
    if os.path.exists(folder) and not os.path.exists(os.path.join(folder, "cancel")):
        return
    run_dir = Path(folder)
    job = jobs.find(database, run_dir)
    if job is None or job.state != "queued":
        return
    if run_dir.exists():
        settle(run_dir)
        _end(database, job)
    else:
        _forget(database, job)


def _forget(database: Database, job: Job) -> None:
    with database.transaction() as change:
        change.execute("DELETE FROM jobs WHERE run_dir = ? AND token IS ?", (str(job.run_dir), job.token))


def _end(database: Database, job: Job) -> None:
    with database.transaction() as change:
        change.execute(
            "UPDATE jobs SET state = 'ended', slot_ids = '[]', pid = NULL WHERE run_dir = ? AND token IS ?",
            (str(job.run_dir), job.token),
        )


def _fail(job: Job, message: str) -> None:
    status = replace(read_status(job.run_dir), state="failed", ended_at=now())
    write_status(job.run_dir, replace(status, failure=failure("not_started", message)))


# === What starts ===


def _reserve(database: Database, machine: tuple[slots.Slot, ...]) -> list[Launch]:
    """Reserve slots for the runs at the head of the line.

    Strictly in order: where the first does not fit, nobody behind it starts, so a run that
    needs several slots gets them in the end.
    """
    taken = _taken(database)
    foreign = slots.foreign_use(slot for slot in machine if slot.id not in taken)
    usable = {slot.id for slot in machine} - taken - set(foreign)
    if not usable:
        return []
    launches, too_large = [], []
    with database.transaction() as change:
        rows = change.execute(f"SELECT * FROM jobs WHERE state = 'queued' {jobs.IN_LINE}").fetchall()
        free = [slot for slot in machine if slot.id in usable - _taken(database)]
        for job in map(Job.from_row, rows):
            if job.slots > len(machine):
                too_large.append(job)
                continue
            if job.not_before > time.time():
                continue
            if job.slots > len(free):
                break
            held, free = free[: job.slots], free[job.slots :]
            launch = _launch(database.path, job, held, machine)
            change.execute(
                "UPDATE jobs SET state = 'starting', token = ?, slot_ids = ?, reserved_at = ?, started_at = NULL, "
                "pid = NULL, pid_created = NULL WHERE run_dir = ?",
                (launch.token, json.dumps(launch.slots), time.time(), launch.run_dir),
            )
            launches.append(launch)
    for job in too_large:
        _refuse(database, job, len(machine))
    return launches


def _taken(database: Database) -> set[str]:
    return {slot_id for job in jobs.active(database) for slot_id in job.slot_ids}


def _launch(queue: Path, job: Job, held: list[slots.Slot], machine: tuple[slots.Slot, ...]) -> Launch:
    # The slot's own say comes last for what it shows of GPUs: a run never sees another's.
    own = slots.slot_environment(held, machine)
    cuda = {key: value for key, value in own.items() if key.startswith("CUDA_")}
    return Launch(
        run_dir=str(job.run_dir),
        attempt=job.attempt,
        command=job.command,
        environment={**own, **job.environment, **cuda},
        slots=tuple(slot.id for slot in held),
        queue=str(queue),
        token=secrets.token_hex(8),
    )


def _refuse(database: Database, job: Job, count: int) -> None:
    with contextlib.suppress(OSError), locked(job.run_dir):
        _fail(job, f"The run asks for {job.slots} slots and this machine has {count}.")
        _end(database, job)


def _start(database: Database, engine: Engine, launch: Launch) -> None:
    try:
        handle = engine.submit(launch)
    except QueueError:
        handle = Handle(0, None)  # no such process: the next move counts it as a false start
    with database.transaction() as change:
        change.execute(
            "UPDATE jobs SET pid = ?, pid_created = ? WHERE run_dir = ? AND token = ? AND pid IS NULL",
            (handle.pid, handle.created, launch.run_dir, launch.token),
        )
