"""Child jobs of one kind on screen: progress and cancel while they run, what they complain of after."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from dashboard.components import data_jobs
from dashboard.components.data_jobs import Job, jobs_in
from dashboard.components.numbers import count, duration
from dashboard.components.text import plain
from dashboard.state import say

EVERY_S = 0.5


def own_error(job: Job) -> list[str]:
    """Return the error that ended a job, if one did."""
    return [job.error] if job.error else []


@dataclass(frozen=True)
class JobStrip:
    """One kind of job.

    Attributes:
        key: Of its container on the page.
        done: The sentence that is said when one ends well.
        unit: What its progress counts, as "batch sizes".
        complaints: Why an ended job has no results, or not all of them.
    """

    key: str
    done: str
    unit: str
    complaints: Callable[[Job], Sequence[str]] = own_error

    def draw(self, folder: Path) -> None:
        """Draw the jobs of a folder; polls only while one of them runs."""
        present = jobs_in(folder)
        running = {job.folder for job in present if job.is_running}
        for job in present:
            if not job.is_running and not self.complaints(job):
                data_jobs.dismiss(job)
                say(self.done)
        if not running and not any(map(self.complaints, present)):
            return

        def strip() -> None:
            now = jobs_in(folder)
            if {job.folder for job in now if job.is_running} != running:
                st.rerun(scope="app")
            for job in now:
                with st.container(border=True):
                    draw_running(job, self.unit) if job.is_running else self._draw_ended(job)

        with st.container(key=self.key):
            st.fragment(strip, run_every=EVERY_S if running else None)()

    def _draw_ended(self, job: Job) -> None:
        for sentence in self.complaints(job):
            st.error(plain(sentence), icon=":material/error:")
        dismiss_button(job)


def draw_running(job: Job, unit: str = "") -> None:
    """Draw the title of a job, how far it is, when it will end, and the button that cancels it."""
    left = job.remaining_s(time.time())
    parts = [
        job.stage.capitalize() or "Starting",
        f"{count(job.done)} of {count(job.total)} {unit}".strip() if job.total else "",
    ]
    parts.append(f"about {duration(left)} left" if left is not None else "")
    st.markdown(f"**{plain(job.title)}**")
    st.progress(job.share, text=plain(", ".join(filter(None, parts))))
    if st.button("Cancel", key=f"cancel_{job.folder.name}", icon=":material/stop_circle:"):
        data_jobs.cancel(job)
        st.rerun(scope="app")


def dismiss_button(job: Job) -> None:
    """Draw the button that takes an ended job off the page."""
    if st.button("Dismiss", key=f"dismiss_{job.folder.name}", icon=":material/close:"):
        data_jobs.dismiss(job)
        st.rerun(scope="app")
