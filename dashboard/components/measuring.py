"""Measurements of inference as child processes: started, watched and cancelled from a page.

Each is a job as of `data_jobs`, in a folder of its own kind.
"""

import shutil
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from dashboard import data
from dashboard.components import data_jobs
from dashboard.components.data_jobs import Job
from dashboard.components.numbers import duration
from dashboard.components.text import plain
from dashboard.state import say

EVERY_S = 0.5
NAME = "measure"


def start(store_root: Path, run_ids: Sequence[str]) -> Job:
    """Run `python -m cnnlab measure` over the runs as a child that outlives the dashboard."""
    folder = _root(store_root) / uuid.uuid4().hex[:12]
    arguments = ["cnnlab", "measure", *run_ids, "--json", "--progress-json"]
    runs = "1 run" if len(run_ids) == 1 else f"{len(run_ids)} runs"
    return data_jobs.start(store_root, NAME, f"Measuring {runs}", arguments, folder=folder)


def jobs(store_root: Path) -> list[Job]:
    """Return the measurements that nobody has dismissed, oldest first; sweeps away those of past days."""
    found = []
    for folder in sorted(_root(store_root).glob("*")):
        job = data_jobs.read(folder)
        if job is None or (not job.is_running and time.time() - job.started_at > data_jobs.KEPT_S):
            shutil.rmtree(folder, ignore_errors=True)
        else:
            found.append(job)
    return sorted(found, key=lambda job: job.started_at)


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
    root = data.store().root
    present = jobs(root)
    running = {job.folder for job in present if job.is_running}
    for job in present:
        if not job.is_running and not complaints(job):
            data_jobs.dismiss(job)
            say("Measured.")
    if not running and not any(map(complaints, present)):
        return

    def strip() -> None:
        now = jobs(root)
        if {job.folder for job in now if job.is_running} != running:
            st.rerun(scope="app")
        for job in now:
            _draw(job)

    with st.container(key="measurements"):
        st.fragment(strip, run_every=EVERY_S if running else None)()


def _draw(job: Job) -> None:
    key = job.folder.name
    with st.container(border=True):
        if job.is_running:
            left = job.remaining_s(time.time())
            st.markdown(f"**{plain(job.title)}**")
            text = f"{job.done} of {job.total} batch sizes" if job.total else "Starting"
            st.progress(job.share, text=text + (f", about {duration(left)} left" if left is not None else ""))
            if st.button("Cancel", key=f"cancel_{key}", icon=":material/stop_circle:"):
                data_jobs.cancel(job)
                st.rerun(scope="app")
            return
        for sentence in complaints(job):
            st.error(plain(sentence), icon=":material/error:")
        if st.button("Dismiss", key=f"dismiss_{key}", icon=":material/close:"):
            data_jobs.dismiss(job)
            st.rerun(scope="app")


def _root(store_root: Path) -> Path:
    return store_root / "cache" / "measurements"
