"""One run: how it goes while it trains, what came out, what exactly ran."""

from typing import Any

import streamlit as st

from cnnlab.config import RunConfig
from cnnlab.errors import CNNLabError, RunNotFoundError
from cnnlab.runs.status import RunStatus
from dashboard import data
from dashboard.components import run_facts
from dashboard.components.empty import empty_state
from dashboard.components.exchange_run import imported_run
from dashboard.components.feature_scores_view import feature_scores
from dashboard.components.freeze_map_view import run_transfer
from dashboard.components.run_header import run_actions, run_header
from dashboard.components.run_live import log_tail, run_live
from dashboard.components.run_results import run_results
from dashboard.components.text import plain
from dashboard.state import link, query, say

FAILURE_TITLES = {
    "out_of_memory": "Out of memory",
    "nan_loss": "The loss became NaN",
    "bad_data": "The data cannot be used",
    "download": "A download failed",
    "killed": "Killed from outside",
    "code_error": "Error in the program",
    "lost": "Lost",
    "not_started": "Never started",
}


def draw_unknown(run_id: str, error: RunNotFoundError) -> None:
    """Say that there is no such run, and offer to bring back a deleted one."""
    st.title("Run")
    if run_id in data.store().trash_ids():
        st.info(f"The run {plain(run_id)} was deleted.", icon=":material/delete:")
        with st.container(horizontal=True):
            if st.button("Bring it back", type="primary", icon=":material/undo:", key="restore"):
                data.store().restore_run(run_id)
                data.refresh()
                say("The run is back.")
                st.rerun()
            link("runs", "All runs")
        return
    st.error(plain(error), icon=":material/search_off:")
    link("runs", "All runs")


def draw_failure(run_id: str, status: RunStatus) -> None:
    """Say why the run did not complete, what to do, and show the end of the log."""
    failure: Any = status.failure
    if failure is None:
        return
    title = FAILURE_TITLES.get(failure["kind"], failure["kind"])
    with st.container(key="failure"):
        st.error(f"**{title}.** {plain(failure['message'])}", icon=":material/error:")
        st.info(plain(failure["advice"]), icon=":material/lightbulb:")
        st.markdown("**Last lines of the log**")
        log_tail(run_id, lines=15)


def draw_run(run_id: str, config: RunConfig, row: dict[str, Any]) -> None:
    """Draw everything of a run that exists."""
    status = data.status(run_id)
    run_header(row, config, status)
    run_actions(run_id, config, status)
    draw_failure(run_id, status)
    result = data.result(run_id) if status.has_ended else None
    output = None
    if result and status.state == "completed":
        output = run_results(run_id, result)
        st.subheader("Learning curves", anchor=False)
    run_live(run_id, config, status, main_output=row["main_output"] or data.main_output(config), output=output)
    # While it trains the live part shows the log's end; a tab, which stands still, would show an old one.
    names = ["Log"] if status.is_at_rest else []
    # What belongs to some runs only stands between the log and what every run has.
    transfer = data.transfer_report(run_id)
    names += ["Transfer"] if transfer else []
    names += ["Features"] if result and status.state == "completed" else []
    names += ["Config", "Environment", "Layers", "Hardware", "Events"]
    tabs = dict(zip(names, st.tabs(names), strict=True))
    settings, environment, layers, hardware, events = list(tabs.values())[-5:]
    if "Log" in tabs:
        with tabs["Log"]:
            log_tail(run_id, height=420)
    if transfer:
        with tabs["Transfer"]:
            run_transfer(transfer)
    if result and "Features" in tabs:
        with tabs["Features"]:
            feature_scores(run_id, result)
    with settings:
        run_facts.run_config(config)
    with environment:
        run_facts.run_environment(run_id, row, result)
    with layers:
        run_facts.run_layers(run_id)
    with hardware:
        run_facts.run_hardware(run_id)
    with events:
        run_facts.run_events(run_id)


asked = query("run")
if not asked:
    st.title("Run")
    empty_state(":material/monitoring:", "No run chosen", "Open one from the table of runs.", "runs", "All runs")
    st.stop()
try:
    facts = data.summary(asked)
    found = None if facts["is_foreign"] else data.config(asked)
except RunNotFoundError as missing:
    draw_unknown(asked, missing)
except CNNLabError as broken:
    st.title("Run")
    st.error(plain(broken), icon=":material/error:")
    link("runs", "All runs")
else:
    if found is None:
        imported_run(asked, facts)
    else:
        draw_run(asked, found, facts)
