"""Ablations: which of several changes to a training do something, and which may be chance."""

import polars as pl
import streamlit as st

from cnnlab.errors import CNNLabError
from cnnlab.runs.ablations import (
    Ablation,
    delete_ablation,
    deleted_ablations,
    list_ablations,
    read_ablation,
    restore_ablation,
)
from cnnlab.submit_ablation import ACTIVE
from dashboard import data
from dashboard.components.ablation_plan import plan_form, plan_text
from dashboard.components.ablation_results import ablation_results, cancel_all, states_of
from dashboard.components.confirm import confirm
from dashboard.components.empty import empty_state
from dashboard.components.numbers import ago
from dashboard.components.text import plain
from dashboard.state import go, link, query, say, url


def draw_ablation(ablation: Ablation) -> None:
    """Draw one ablation: what can be done with it, what it found, what was planned."""
    st.title(plain(ablation.title), anchor=False)
    plan = ablation.plan
    kind = "one after another" if plan.is_cumulative else "each against the baseline"
    st.caption(
        f"{len(plan.changes)} changes, {kind} · {plan.seeds} seed{'s' * (plan.seeds > 1)} · "
        f"planned {ago(ablation.created_at)} · `{ablation.ablation_id}`"
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        back()
        link("compare", "Compare the runs", runs=",".join(ablation.all_run_ids))
        active = sum(state in ACTIVE for state in states_of(ablation).values())
        if active and st.button(f"Cancel {active} runs", icon=":material/stop_circle:", key="cancel"):
            confirm(
                "Cancel these runs?",
                "Runs that train stop now, and those that wait leave the queue. Results so far stay.",
                "Cancel the runs",
                lambda: say(f"{cancel_all(ablation)} runs cancelled."),
            )
        if st.button("Delete", icon=":material/delete:", key="delete"):
            confirm(
                "Delete this ablation?",
                "Only the plan and this page go, and can be brought back. Its runs stay in the store.",
                "Delete",
                lambda: delete(ablation.ablation_id),
            )
    ablation_results(ablation)
    with st.expander("The plan", icon=":material/description:"):
        plan_text(plan, "ablation")


def back() -> None:
    """Draw the way back to the list; a link to the same page would keep the address."""
    st.button("All ablations", icon=":material/arrow_back:", key="back", on_click=st.query_params.clear)


def delete(ablation_id: str) -> None:
    """Move an ablation to the trash and say so."""
    delete_ablation(data.store(), ablation_id)
    say("The ablation is deleted. The list of ablations offers to bring it back.")


def draw_unknown(ablation_id: str, error: CNNLabError) -> None:
    """Say that there is no such ablation, and offer to bring back a deleted one."""
    st.title("Ablation")
    if ablation_id in deleted_ablations(data.store()):
        st.info("This ablation was deleted. Its runs are still there.", icon=":material/delete:")
        offer_restore(ablation_id)
    else:
        st.error(plain(error), icon=":material/search_off:")
    back()


def offer_restore(ablation_id: str) -> None:
    """Draw the button that brings a deleted ablation back."""
    if st.button("Bring it back", icon=":material/undo:", key=f"restore_{ablation_id}"):
        restore_ablation(data.store(), ablation_id)
        say("The ablation is back.")
        go("ablation", ablation=ablation_id)


def draw_list() -> None:
    """Draw the ablations of the store, newest first, and the last deleted one."""
    found = list_ablations(data.store())
    if not found:
        empty_state(
            ":material/science:",
            "No ablation yet",
            "Tick changes above and queue them: a table will show what each does, and whether it is more than noise.",
        )
    else:
        st.dataframe(
            pl.DataFrame(
                {
                    "Ablation": [url("ablation", ablation=one.ablation_id) for one in found],
                    "Name": [one.title for one in found],
                    "Changes": [", ".join(change.name for change in one.plan.changes) for one in found],
                    "Runs": [len(one.all_run_ids) for one in found],
                    "Planned": [ago(one.created_at) for one in found],
                }
            ),
            hide_index=True,
            column_config={"Ablation": st.column_config.LinkColumn(display_text="open", pinned=True)},
            alt="Ablations of this store",
        )
    for ablation_id in deleted_ablations(data.store())[-1:]:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Deleted: `{ablation_id}`")
            offer_restore(ablation_id)


asked = query("ablation")
if asked:
    try:
        chosen = read_ablation(data.store(), asked)
    except CNNLabError as unknown:
        draw_unknown(asked, unknown)
    else:
        draw_ablation(chosen)
else:
    st.title("Ablation")
    st.caption(
        "Train a baseline and the same with one thing changed, several seeds each, and see what the change does."
    )
    plan_form()
    st.subheader("Ablations", anchor=False)
    draw_list()
