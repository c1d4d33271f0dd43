"""Imports and exports of runs on screen: how far they are, then what came out."""

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import streamlit as st

from cnnlab.exchange.exporting import FORMATS
from cnnlab.exchange.report import told_remarks, told_troubles
from cnnlab.files import write_atomic
from cnnlab.query.language import MOST_CHARACTERS
from cnnlab.runs.origin import TOOLS
from dashboard import data
from dashboard.components import data_jobs, runs_chosen, runs_query
from dashboard.components.data_jobs import Job
from dashboard.components.job_strip import EVERY_S, dismiss_button, draw_running
from dashboard.components.numbers import count, short
from dashboard.components.text import plain
from dashboard.state import go

IMPORT, EXPORT = "import_runs", "export_runs"
# A download is held in memory whole: what is larger is fetched from the server's disk.
MOST_DOWNLOAD_BYTES = 10**9
# So many ids keep the address below what browsers and proxies pass on.
MOST_IN_ADDRESS = 50
MOST_REASONS = 10


def folder_of_jobs() -> Path:
    """Return where imports and exports are at work."""
    return data.store().root / "cache" / "exchange" / "jobs"


def start_import(title: str, arguments: Sequence[str], folder: Path | None) -> None:
    """Import runs in a process of its own; `folder` is where an upload was kept."""
    command = ["cnnlab", "import-runs", *arguments, "--json", "--progress-json"]
    _start(IMPORT, title, command, folder or _new_folder())


def start_export(run_ids: Sequence[str], format: str, *, predictions: bool, models: bool) -> None:
    """Export runs as a zip in a process of its own."""
    folder = _new_folder()
    folder.mkdir(parents=True)
    ids = folder / "ids.txt"
    write_atomic(ids, "\n".join(run_ids))
    noun = "run" if len(run_ids) == 1 else "runs"
    target = folder / f"cnnlab-{format}-{len(run_ids)}-{noun}.zip"
    flags = ["--predictions" if predictions else "--no-predictions", "--models" if models else "--no-models"]
    command = ["cnnlab", "export", "--ids", str(ids), "--to", str(target), "--format", format, *flags]
    title = f"Export of {count(len(run_ids))} {noun}: {FORMATS[format].partition(':')[0]}"
    _start(EXPORT, title, [*command, "--json", "--progress-json"], folder)


def exchange_jobs() -> None:
    """Draw the imports and exports that nobody has dismissed; polls only while one of them runs."""
    present = data_jobs.jobs_in(folder_of_jobs())
    if not present:
        return
    running = {job.folder for job in present if job.is_running}

    def strip() -> None:
        now = data_jobs.jobs_in(folder_of_jobs())
        if {job.folder for job in now if job.is_running} != running:
            data.refresh()
            st.rerun(scope="app")
        for job in now:
            with st.container(border=True):
                draw_running(job) if job.is_running else _draw_ended(job)

    with st.container(key="exchange_jobs"):
        st.fragment(strip, run_every=EVERY_S if running else None)()


def _start(name: str, title: str, command: list[str], folder: Path) -> None:
    data_jobs.start(data.store().root, name, title, command, folder)


def _new_folder() -> Path:
    return folder_of_jobs() / uuid.uuid4().hex[:12]


def _draw_ended(job: Job) -> None:
    if job.result is None:
        st.error(f"{plain(job.title)}: {plain(job.error)}", icon=":material/error:")
        dismiss_button(job)
    elif job.name == EXPORT:
        _draw_exported(job, job.result)
    else:
        _draw_imported(job, job.result)


def _draw_exported(job: Job, result: dict[str, Any]) -> None:
    path, size = Path(result["path"]), int(result["size_bytes"])
    st.markdown(f":material/task_alt: **{plain(job.title)}** is ready.")
    if size > MOST_DOWNLOAD_BYTES:
        st.caption(f"It has {short(size, 'B')}, too much for a browser. It lies on the server for a day:")
        st.code(str(path), language=None)
        dismiss_button(job)
        return
    with st.container(horizontal=True):
        if path.is_file():
            st.download_button(
                f"Download ({short(size, 'B')})",
                lambda: _open(path),
                file_name=path.name,
                mime="application/zip",
                type="primary",
                icon=":material/download:",
                on_click="ignore",
                key=f"download_{job.folder.name}",
            )
        dismiss_button(job)


def _open(path: Path) -> BinaryIO:
    return open(path, "rb")  # Streamlit reads it when somebody clicks


def _draw_imported(job: Job, result: dict[str, Any]) -> None:
    imported, known, skipped = result["imported"], result["already_there"], result["skipped"]
    tool = TOOLS.get(result["tool"], result["tool"])
    told = [f"{_runs(len(imported))} imported from {tool}"]
    told += [f"{_runs(len(known))} already there, so nothing was added for them"] if known else []
    told += [f"{_runs(len(skipped))} left out"] if skipped else []
    st.markdown(f":material/task_alt: {plain('; '.join(told))}.")
    for note in result["notes"]:
        st.caption(plain(note))
    newer = len(result["newer_than"])
    if newer:
        st.caption(f"Of {_runs(newer)} an earlier state is in the store too. Delete it where it is of no use any more.")
    for line in told_remarks(result.get("remarks", {}), MOST_REASONS):
        st.caption(plain(line))
    first, *lines = told_troubles(result.get("troubles", {}), MOST_REASONS) or [""]
    if lines:
        with st.expander(plain(first), icon=":material/report:"):
            st.markdown("\n".join(f"- {plain(line)}" for line in lines))
    if skipped:
        with st.expander(f"Why {_runs(len(skipped))} were left out", icon=":material/report:"):
            lines = [f"- {plain(one['run'])}: {plain(one['reason'])}" for one in skipped[:MOST_REASONS]]
            lines += [f"- and {count(len(skipped) - MOST_REASONS)} more"] if len(skipped) > MOST_REASONS else []
            st.markdown("\n".join(lines))
    shown = [*imported, *known]
    with st.container(horizontal=True):
        if len(shown) == 1 and st.button("Open it", key=f"open_{job.folder.name}", icon=":material/monitoring:"):
            data_jobs.dismiss(job)
            go("run", run=shown[0])
        if shown and st.button(
            "Show them in the table" if len(shown) > 1 else "Show it in the table",
            key=f"show_{job.folder.name}",
            icon=":material/table_rows:",
            on_click=_show,
            args=(shown, tool),
        ):
            st.rerun()  # all of the page: the table lies outside of this fragment
        if 1 < len(shown) <= MOST_IN_ADDRESS and st.button(
            "Compare them", key=f"compare_{job.folder.name}", icon=":material/compare_arrows:"
        ):
            data_jobs.dismiss(job)
            go("compare", runs=",".join(shown))
        dismiss_button(job)


def _show(run_ids: Sequence[str], tool: str) -> None:
    """Show these runs and no others: what hid them, a search or filters, gives way.

    More than a query holds are chosen, among all of their tool.
    """
    question = f"id={','.join(run_ids)}"
    if len(question) > MOST_CHARACTERS:
        runs_chosen.choose(run_ids)
        question = f'origin:"{tool}"'
    runs_query.ask_only(question)


def _runs(number: int) -> str:
    return f"{count(number)} {'run' if number == 1 else 'runs'}"
