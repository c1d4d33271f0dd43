"""A store and a queue in a temporary folder, with one slot: studies and single runs that are waited for."""

import os
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from cnnlab.config import RunConfig
from cnnlab.datasets.storage import open_dataset
from cnnlab.launch import warm
from cnnlab.launch.database import Database
from cnnlab.launch.queue import Queue
from cnnlab.runs import trials
from cnnlab.runs.status import settle
from cnnlab.runs.store import Store
from cnnlab.runs.studies import study_dir
from cnnlab.runs.study_status import read_status
from cnnlab.settings.study import study_from_dict
from cnnlab.submit import submit_runs
from cnnlab.tuning.control import start_study

# Whoever waits takes processor time from what it waits for: both sides are looked at alike, and rarely.
LOOK_S = 0.25
PROCESSES_LOOK_S = 5.0


class Place:
    """Where everything of a benchmark happens; trainers start cold unless `warm` is set."""

    def __init__(self, root: Path):
        os.environ |= {"CNNLAB_SLOTS": "1", "CNNLAB_STORE": str(root / "store"), "CNNLAB_WARM": "0"}
        os.environ["CNNLAB_QUEUE"] = str(root / "queue.sqlite")
        self.store, self.queue = Store(root / "store"), Queue(root / "queue.sqlite")
        open_dataset(self.store.root, "digits")

    def set_warm(self, *, is_on: bool) -> None:
        """Let trainers wait for runs ahead of them, or not; none waits at first."""
        os.environ["CNNLAB_WARM"] = str(int(is_on))
        database = Database(self.queue.path)
        warm.dismiss(database)
        database.close()

    def study(self, values: dict[str, Any]) -> "Ended":
        """Run a study to its end."""
        begun = time.time()
        made = start_study(self.store, study_from_dict(values), queue=self.queue)
        folder = study_dir(self.store, made.study_id)
        cpu = HelpersTime(folder)
        while not read_status(folder).has_ended:
            cpu.look()
            time.sleep(LOOK_S)
        return Ended(made.study_id, begun, list(trials.trials(folder).values()), cpu.seconds)

    def alone(self, config: RunConfig) -> tuple[list[str], float]:
        """Submit a config by hand; return its runs and the seconds until the end of the last."""
        begun = time.time()
        run_ids = submit_runs(self.store, config, queue=self.queue)
        while not all(settle(self.store.run_dir(run_id)).has_ended for run_id in run_ids):
            time.sleep(LOOK_S)
        ends = [moment(str(settle(self.store.run_dir(run_id)).ended_at)) for run_id in run_ids]
        return run_ids, max(ends) - begun


class Ended:
    """A study that came to its end: when it was asked for, its trials, what its helpers computed."""

    def __init__(self, study_id: str, begun: float, rows: list[dict[str, Any]], helpers_cpu_s: float):
        self.study_id = study_id
        self.begun = begun
        self.rows = rows
        self.helpers_cpu_s = helpers_cpu_s


class HelpersTime:
    """Processor time of supervisor, chief and workers, as it was when they were last seen."""

    def __init__(self, folder: Path):
        self._folder = str(folder)
        self._seen: dict[tuple[int, float], float] = {}
        self._looked_at = -PROCESSES_LOOK_S

    def look(self) -> None:
        """Look once in some seconds."""
        if time.monotonic() - self._looked_at < PROCESSES_LOOK_S:
            return
        self._looked_at = time.monotonic()
        for process in psutil.process_iter():
            try:
                words = process.cmdline()
                if self._folder in words and any(word.startswith("cnnlab.tuning.") for word in words):
                    times = process.cpu_times()
                    self._seen[process.pid, process.create_time()] = times.user + times.system
            except psutil.Error:
                continue

    @property
    def seconds(self) -> float:
        """Return the sum over all of them."""
        return sum(self._seen.values())


def moment(text: str) -> float:
    """Return seconds since 1970 of a time as the store writes it."""
    return datetime.fromisoformat(text).timestamp()


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return `1.02 (0.99 to 1.05, n = 6)`: the median with the lowest and the highest."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f}, n = {len(values)})"
