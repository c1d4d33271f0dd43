"""Watch runs from a terminal until they have ended."""

import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cnnlab.commands.output import say
from cnnlab.launch.queue import Queue
from cnnlab.runs.status import RunStatus, settle
from cnnlab.runs.store import Store

LOOK_EVERY_S = 0.25
# The queue moves by itself when a run ends; this look is for a machine that was restarted meanwhile.
TICK_EVERY_S = 5.0
# Where there is no bar, a log or a script, a run that waits longer for its slot says so, once.
TELL_AFTER_S = 5.0


def follow(store: Store, queue: Queue, run_ids: list[str]) -> None:
    """Show the progress of runs on standard error until all have ended or are paused; Ctrl-C cancels them."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            for number, run_id in enumerate(run_ids, start=1):
                title = run_id if len(run_ids) == 1 else f"{number}/{len(run_ids)} {run_id}"
                task = bar.add_task(title, total=1.0, note="queued")
                tell_at = math.inf if console.is_terminal else time.monotonic() + TELL_AFTER_S
                for status in _until_ended(store, queue, run_id):
                    _show(bar, task, status, store.read_progress(run_id))
                    if status.state == "queued" and time.monotonic() >= tell_at:
                        say(f"{run_id} waits for a slot; 'python -m cnnlab queue' shows what runs and what waits.")
                        tell_at = math.inf
    except KeyboardInterrupt:
        for run_id in run_ids:
            if not settle(store.run_dir(run_id)).is_at_rest:
                queue.cancel(store.run_dir(run_id))
        raise


def follow_log(store: Store, queue: Queue, run_id: str) -> None:
    """Print a run's log as it grows, until the run has ended or is paused."""
    path = store.run_dir(run_id) / "log.txt"
    position = 0
    for _ in _until_ended(store, queue, run_id):
        position = _print_from(path, position)
    _print_from(path, position)


def _print_from(path: Path, position: int) -> int:
    try:
        with path.open("rb") as log:
            # A rotated log is shorter than what was printed of it: begin again.
            log.seek(position if log.seek(0, 2) >= position else 0)
            text = log.read()
            sys.stdout.write(text.decode("utf-8", errors="replace"))
            sys.stdout.flush()
            return log.tell()
    except FileNotFoundError:
        return 0


def _until_ended(store: Store, queue: Queue, run_id: str) -> Iterator[RunStatus]:
    run_dir = store.run_dir(run_id)
    ticked = time.monotonic()
    while True:
        status = settle(run_dir)
        yield status
        if status.is_at_rest:
            return
        if time.monotonic() - ticked > TICK_EVERY_S:
            ticked = time.monotonic()
            queue.tick()
        time.sleep(LOOK_EVERY_S)


def _show(bar: Progress, task: Any, status: RunStatus, progress: dict[str, Any] | None) -> None:
    if status.is_at_rest:
        bar.update(task, note=status.state, completed=1.0 if status.has_ended else None)
    elif progress:
        share = (progress["epoch"] - 1 + progress["batch"] / max(1, progress["batches"])) / progress["epochs"]
        eta = "" if progress.get("eta_s") is None else f", {progress['eta_s']:.0f} s left"
        bar.update(task, completed=share, note=f"epoch {progress['epoch']}/{progress['epochs']}{eta}")
    else:
        bar.update(task, note="waiting for a slot" if status.state == "queued" else "starting")
