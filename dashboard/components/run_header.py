"""The head of a run's page: what it is, how it stands, and what can be done with it."""

from typing import Any

import polars as pl
import streamlit as st

from cnnlab.architectures.catalogue import get_architecture
from cnnlab.config import RunConfig
from cnnlab.files import size_of
from cnnlab.runs.status import RunStatus
from dashboard import data
from dashboard.components.comparing import run_label
from dashboard.components.confirm import confirm
from dashboard.components.numbers import ago, short
from dashboard.components.run_steering import act, steering
from dashboard.components.run_words import run_words
from dashboard.components.status import look, status_badge
from dashboard.components.text import plain
from dashboard.state import go, link

MOST_COMPARED = 7
MOST_SIBLINGS = 50


def run_header(row: dict[str, Any], config: RunConfig, status: RunStatus) -> None:
    """Draw title, badge, one line of facts and the links to the runs of the same group."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(plain(row["name"] or row["run_id"]), anchor=False, width="content")
        status_badge(status.state)
    title = get_architecture(config.architecture.name).title
    facts = [
        f"{title} on {config.data.dataset}",
        f"seed {config.training.seed}",
        f"created {ago(_text(row['created_at']))}",
    ]
    st.caption(f"{plain(' · '.join(facts))} · `{row['run_id']}`")
    run_words(row)
    siblings(row)


def _text(moment: Any) -> str:
    return moment.isoformat() if hasattr(moment, "isoformat") else str(moment or "")


def siblings(row: dict[str, Any]) -> None:
    """Draw links to the other seeds of the group."""
    group = data.summaries().filter(pl.col("group_id") == row["group_id"]).sort("seed", "created_at")
    if group.height < 2:
        return
    with st.popover(f"One of {group.height} runs with different seeds", icon=":material/workspaces:", type="tertiary"):
        for other in group.head(MOST_SIBLINGS).iter_rows(named=True):
            label = f"Seed {other['seed']}: {look(other['state']).label.lower()}"
            icon = ":material/arrow_right:" if other["run_id"] == row["run_id"] else look(other["state"]).icon
            link("run", label, icon=icon, run=other["run_id"])
        st.divider()
        link("compare", "Compare the group", runs=",".join(group["run_id"].head(MOST_SIBLINGS).to_list()))


def run_actions(run_id: str, config: RunConfig, status: RunStatus) -> None:
    """Draw the buttons that fit the state of the run."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run_buttons"):
        steering(run_id, config, status)
        if st.button("Clone into the form", icon=":material/content_copy:", key="clone"):
            go("train", **{"from": run_id})
        if status.state == "completed":
            _use_as_source(run_id)
        compare_popover(run_id, config.data.dataset)
        if status.is_at_rest:
            _downloads(run_id, config)
            delete_button(run_id)


def delete_button(run_id: str) -> None:
    """Draw the button that moves a run to the trash once that was confirmed."""
    if st.button("Delete", icon=":material/delete:", key="delete"):
        size = short(size_of(data.store().run_dir(run_id)), "B")
        confirm(
            f"Delete this run ({size})?",
            "It moves to the store's trash, and this page offers to bring it back.",
            "Delete",
            lambda: _delete(run_id),
        )


def _use_as_source(run_id: str) -> None:
    told = "Opens the form with this run's weights as the beginning of another training."
    if st.button("Use as source", icon=":material/move_down:", key="use_as_source", help=told):
        go("train", source=run_id)


def compare_popover(run_id: str, dataset: str | None) -> None:
    """Draw the choice of runs to compare with, those on the same data set first."""
    with st.popover("Compare with …", icon=":material/compare_arrows:", key="compare_with"):
        others = data.summaries().filter(pl.col("run_id") != run_id).sort("created_at", descending=True)
        same = (others["dataset"] == (dataset or "")).fill_null(False)
        others = pl.concat([others.filter(same), others.filter(~same)]).head(500)
        if others.is_empty():
            st.caption("There is no other run yet.")
            return
        names = {
            row["run_id"]: f"{run_label(row)} · {look(row['state']).label.lower()}"
            for row in others.iter_rows(named=True)
        }
        chosen = st.multiselect(
            "Runs", list(names), format_func=lambda other: names[other], max_selections=MOST_COMPARED, key="others"
        )
        if st.button("Compare", key="compare", type="primary", disabled=not chosen):
            go("compare", runs=",".join([run_id, *chosen]))


def _downloads(run_id: str, config: RunConfig) -> None:
    with st.popover("Download", icon=":material/download:", key="downloads"):
        model = data.store().run_dir(run_id) / "model.keras"
        if model.is_file():
            st.download_button(
                f"model.keras ({model.stat().st_size / 1e6:.1f} MB)",
                lambda: model.read_bytes(),
                file_name=f"{run_id}.keras",
                mime="application/octet-stream",
                on_click="ignore",
                width="stretch",
                key="download_model",
            )
        else:
            st.caption("There is no model: only a completed run keeps one.")
        st.download_button(
            "config.yaml",
            config.to_yaml(),
            file_name=f"{run_id}.yaml",
            on_click="ignore",
            width="stretch",
            key="download_yaml",
        )
        st.download_button(
            "log.txt",
            lambda: data.store().log_tail(run_id, lines=100_000),
            file_name=f"{run_id}.log.txt",
            on_click="ignore",
            width="stretch",
            key="download_log",
        )


def _delete(run_id: str) -> None:
    act(lambda: data.store().delete_run(run_id), "Deleted. This page can bring it back.")
