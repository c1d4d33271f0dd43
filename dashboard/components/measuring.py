"""Measurements of inference as child processes: started, watched and cancelled from a page.

Each is a job as of `data_jobs`, in a folder of its own kind.
"""

import uuid
from collections.abc import Sequence
from pathlib import Path

from dashboard import data
from dashboard.components import data_jobs
from dashboard.components.data_jobs import Job
from dashboard.components.job_strip import JobStrip

NAME = "measure"


def start(store_root: Path, run_ids: Sequence[str]) -> Job:
    """Run `python -m cnnlab measure` over the runs as a child that outlives the dashboard."""
    folder = _root(store_root) / uuid.uuid4().hex[:12]
    arguments = ["cnnlab", "measure", *run_ids, "--json", "--progress-json"]
    runs = "1 run" if len(run_ids) == 1 else f"{len(run_ids)} runs"
    return data_jobs.start(store_root, NAME, f"Measuring {runs}", arguments, folder=folder)


def jobs(store_root: Path) -> list[Job]:
    """Return the measurements that nobody has dismissed, as `data_jobs.jobs_in`."""
    return data_jobs.jobs_in(_root(store_root))


def complaints(job: Job) -> list[str]:
    """Return why runs of an ended job have no numbers, or not all of them."""
    if job.error:
        return [job.error]
    documents = (job.result or {}).get("runs", [])
    return [f"{one['run_id']}: {one['stopped']}" for one in documents if one.get("stopped")]


def is_measuring() -> bool:
    """Return whether a measurement runs now; two at once would disturb each other."""
    return any(job.is_running for job in jobs(data.store().root))


def live_measurements() -> None:
    """Draw the running measurement and what ended ones complain of; polls only while one runs."""
    STRIP.draw(_root(data.store().root))


def _root(store_root: Path) -> Path:
    return store_root / "cache" / "measurements"


STRIP = JobStrip("measurements", done="Measured.", unit="batch sizes", complaints=complaints)
