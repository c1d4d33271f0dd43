"""The imports, builds and downloads of data sets on screen: progress, cancel, and what came out."""

import polars as pl
import streamlit as st

from cnnlab.datasets.storage import DatasetInfo
from dashboard import data
from dashboard.components import data_jobs
from dashboard.components.data_jobs import Job
from dashboard.components.job_strip import EVERY_S, dismiss_button, draw_running
from dashboard.components.numbers import count
from dashboard.components.text import plain
from dashboard.state import go


def live_jobs() -> None:
    """Draw every job that nobody has dismissed; polls only while one of them runs."""
    jobs = data_jobs.jobs(data.store().root)
    for job in jobs:
        if job.is_quiet and job.result is not None:
            data_jobs.dismiss(job)
    jobs = [job for job in jobs if not (job.is_quiet and job.result is not None)]
    if not jobs:
        return
    running = {job.folder for job in jobs if job.is_running}

    def strip() -> None:
        now = data_jobs.jobs(data.store().root)
        if {job.folder for job in now if job.is_running} != running:
            data.refresh()
            st.rerun(scope="app")
        for job in now:
            _draw(job)

    with st.container(key="data_jobs"):
        st.fragment(strip, run_every=EVERY_S if running else None)()


def _draw(job: Job) -> None:
    key = job.folder.name
    with st.container(border=True):
        if job.is_running:
            draw_running(job)
            return
        info = _info(job) if job.result is not None else None
        if job.result is None:
            st.error(f"{plain(job.title)}: {plain(job.error)}", icon=":material/error:")
        elif info is None:
            st.warning(f"{plain(job.title)}: done, but the data set is not in the store any more.")
        else:
            _draw_result(job, info, key)
        with st.container(horizontal=True):
            if info and st.button("Look at it", key=f"look_{key}", icon=":material/photo_library:"):
                data_jobs.dismiss(job)
                go("datasets", set=job.name)
            dismiss_button(job)


def _draw_result(job: Job, info: DatasetInfo, key: str) -> None:
    skipped = f" Skipped files: {count(len(info.skipped))}." if info.skipped else ""
    st.success(
        f"{plain(job.title)}: {count(info.num_images)} images are ready.{skipped}", icon=":material/check_circle:"
    )
    if info.skipped:
        skipped_files([(item.file, item.reason) for item in info.skipped], key)


def _info(job: Job) -> DatasetInfo | None:
    version = (job.result or {}).get("version")
    found = [info for info in data.datasets() if info.name == job.name and version in (None, info.version)]
    return found[0] if found else None


def skipped_files(files: list[tuple[str, str]], key: str) -> None:
    """Draw the files that were left out, each with its reason."""
    frame = pl.DataFrame(files, schema={"File": pl.String, "Reason": pl.String}, orient="row")
    st.dataframe(frame, hide_index=True, key=f"skipped_{key}", height="content" if frame.height <= 8 else 300)
