"""The finder of the training form: buttons, progress, the curve with its suggestion, and 'use it'."""

import time
from typing import Any

import streamlit as st

from cnnlab.architectures.own_files import refuse_own_file
from cnnlab.config import RunConfig
from cnnlab.errors import CNNLabError
from cnnlab.plots.batch_search import batch_search, batch_search_info, batch_search_summary
from cnnlab.plots.rate_search import rate_search, rate_search_info, rate_search_summary
from dashboard import data
from dashboard.components import data_jobs, finding, how_to_read
from dashboard.components.chart import chart
from dashboard.components.data_jobs import Job
from dashboard.components.draft import PREFIX
from dashboard.components.finding import Kind
from dashboard.components.numbers import duration
from dashboard.components.text import plain

EVERY_S = 0.5
LABELS: dict[Kind, str] = {"rate": "Find a learning rate", "batch": "Find a batch size"}
ICONS: dict[Kind, str] = {"rate": ":material/trending_down:", "batch": ":material/speed:"}
HELP: dict[Kind, str] = {
    "rate": "Trains about a hundred steps while the learning rate climbs, in the background; no run is kept "
    "(Smith 2015, arXiv:1506.01186).",
    "batch": "Times a few training steps at doubling batch sizes, in the background; no run is kept.",
}
RULES = {"steepest": "the loss falls fastest there", "tenth": "a tenth of where the loss diverges"}
STALE = "The form has changed since: this was found with other settings."


def finder_section(config: RunConfig | None) -> None:
    """Draw the finder for what the form holds; a config that is not valid cannot be searched for."""
    root = data.store().root
    kinds: tuple[Kind, Kind] = ("rate", "batch")
    present = {kind: finding.jobs(root, kind) for kind in kinds}
    running = {job.folder for found in present.values() for job in found if job.is_running}
    with st.container(border=True, key="finder"):
        st.subheader(":material/search_insights: Find learning rate and batch size", anchor=False)
        with st.container(horizontal=True):
            for kind in kinds:
                _button(kind, config, is_busy=bool(running))

        def strip() -> None:
            now = {kind: finding.jobs(root, kind) for kind in kinds}
            if {job.folder for found in now.values() for job in found if job.is_running} != running:
                st.rerun(scope="app")
            for kind, found in now.items():
                for job in found:
                    _draw(kind, job, config)

        st.fragment(strip, run_every=EVERY_S if running else None)()


def _button(kind: Kind, config: RunConfig | None, is_busy: bool) -> None:
    is_off = config is None or is_busy
    if st.button(LABELS[kind], key=f"find_{kind}", icon=ICONS[kind], help=HELP[kind], disabled=is_off) and config:
        try:
            refuse_own_file(config)
        except CNNLabError as error:
            st.error(plain(error), icon=":material/error:")
            return
        finding.start(data.store().root, kind, config)
        st.rerun(scope="app")


def _draw(kind: Kind, job: Job, config: RunConfig | None) -> None:
    key = job.folder.name
    if job.is_running:
        left = job.remaining_s(time.time())
        told = f"{job.done} of {job.total} {'steps' if kind == 'rate' else 'sizes'}" if job.total else "Starting"
        about = f", about {duration(left)} left" if left is not None else ""
        st.progress(job.share, text=f"{job.title}: {told}{about}")
        if st.button("Cancel", key=f"cancel_{key}", icon=":material/stop_circle:"):
            data_jobs.cancel(job)
            st.rerun(scope="app")
        return
    if job.result is None:
        st.error(f"{job.title}: {plain(job.error)}", icon=":material/error:")
    elif kind == "rate":
        _rate_result(job.result, key)
    else:
        _batch_result(job.result, key)
    if job.result is not None and config is not None and not finding.is_of(job, kind, config):
        st.caption(f":orange[:material/history: {STALE}]")
    if st.button("Dismiss", key=f"dismiss_{key}", icon=":material/close:"):
        data_jobs.dismiss(job)
        st.rerun(scope="app")


def _rate_result(result: dict[str, Any], key: str) -> None:
    info = rate_search_info(result)
    chart(rate_search(info), f"chart_{key}", summary=rate_search_summary(info), how_to_read=how_to_read.RATE_SEARCH)
    with st.container(horizontal=True):
        for rule, words in RULES.items():
            rate = result[rule]
            if rate is not None:
                rounded = float(f"{rate:.2g}")
                _use(f"Use {rounded:g}", "learning_rate", rounded, f"{key}_{rule}", words, rule == result["rule"])
    if result["rule"] is None:
        st.caption("The loss hardly changed at any rate: nothing is suggested. Try another optimizer or network.")
    else:
        st.caption(f"Suggested: {result['suggestion']:.2g}, because {RULES[result['rule']]}.")


def _batch_result(result: dict[str, Any], key: str) -> None:
    info = batch_search_info(result)
    chart(batch_search(info), f"chart_{key}", summary=batch_search_summary(info), how_to_read=how_to_read.BATCH_SEARCH)
    estimated = result["largest_estimated"]
    st.caption(
        plain(
            f"Timed on {result['device']}. {result['stopped']} Estimated from the network, "
            + (f"{estimated:,} is the largest that fits." if estimated else "not one image fits.")
        )
    )
    if result["suggestion"] is not None:
        words = "the smallest within 5 % of the fastest"
        _use(f"Use {result['suggestion']}", "batch_size", result["suggestion"], key, words, is_suggested=True)
        st.caption(f"Suggested: {result['suggestion']}, {words}. A larger batch mostly needs a higher learning rate.")


def _use(label: str, field: str, value: float, key: str, words: str, is_suggested: bool) -> None:
    if st.button(
        label,
        key=f"use_{key}",
        icon=":material/check:",
        help=f"{words[0].upper()}{words[1:]}.",
        type="primary" if is_suggested else "secondary",
        on_click=_put,
        args=(field, value),
    ):
        st.rerun(scope="app")  # the field stands outside of what this button draws anew


def _put(field: str, value: float) -> None:
    st.session_state[f"{PREFIX}training.{field}"] = value
