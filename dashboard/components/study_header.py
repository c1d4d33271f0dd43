"""The head of a study's page: how it stands in numbers, and what can be done with it."""

from collections.abc import Callable

import streamlit as st

from cnnlab.analysis.trials import Trials
from cnnlab.errors import CNNLabError
from cnnlab.runs.studies import Study, delete_study
from dashboard import data, study_data
from dashboard.components.confirm import confirm
from dashboard.components.numbers import ago, count, duration, short
from dashboard.components.study_list import state_word
from dashboard.components.study_table import compare_best
from dashboard.components.text import plain
from dashboard.state import go, link, say

LOOKS = {
    "running": ("blue", ":material/play_arrow:"),
    "completed": ("green", ":material/check:"),
    "stopped": ("orange", ":material/pause:"),
    "failed": ("red", ":material/error:"),
    "interrupted": ("red", ":material/help:"),
    "not started": ("gray", ":material/schedule:"),
}
SEEDS = 3
MOST_COMPARED = 5


def study_title(one: Study) -> None:
    """Draw title, badge and one line of facts."""
    state = state_word(one)
    colour, icon = LOOKS.get(state, ("gray", ":material/help:"))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title(plain(one.name), anchor=False, width="content")
        st.badge(state.capitalize(), icon=icon, color=colour)  # type: ignore[arg-type]
    goals = ", ".join(f"{goal.metric} {goal.direction}" for goal in one.config.objectives)
    run = one.config.run
    facts = [
        f"{one.config.algorithm.name} search over {len(one.config.space)} settings of {run.architecture.name} on "
        f"{run.data.dataset}",
        goals,
        f"begun {ago(one.created_at)}",
    ]
    st.caption(f"{plain(' · '.join(facts))} · `{one.study_id}`")
    if one.config.notes:
        st.text(one.config.notes)
    if one.status.reason and state != "running":
        (st.error if state == "failed" else st.info)(plain(one.status.reason))


def study_numbers(one: Study, now: Trials) -> None:
    """Draw the best, the counts, time and disk."""
    statuses = now.rows["status"].to_list()
    best, goal = now.best(), now.goals[0]
    most = one.max_trials
    with st.container(horizontal=True, gap="medium"):
        shown = "–" if best is None else goal.text(float(now.objective(goal)[best]))
        st.metric(f"Best {goal.label}", shown, help=None if best is None else plain(now.described(best)))
        ended = sum(status not in ("running", "waiting") for status in statuses)
        st.metric("Trials ended", f"{count(ended)} of {count(most)}" if most else count(ended))
        for label, status in (("Running", "running"), ("Stopped early", "stopped"), ("Failed", "failed")):
            if statuses.count(status) or status == "running":
                st.metric(label, count(statuses.count(status)))
        st.metric("At work", duration(one.status.active_s), help="Over all starts of the study.")
        st.metric(
            "Disk", short(one.status.disk_bytes, "B"),
            help=f"Of all its runs; networks and checkpoints of the best {one.config.keep_checkpoints} trials stay.",
        )  # fmt: skip


def study_buttons(one: Study) -> None:
    """Draw what can be done with the study as it stands."""
    state = state_word(one)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="study_buttons"):
        if state == "running":
            _stop(one)
        elif st.button("Resume", icon=":material/play_arrow:", key="resume"):
            _do(lambda: study_data.resume(one.study_id), "The study goes on.")
            st.rerun()
        _numbers_of(one)
        link("tune", "Clone", icon=":material/content_copy:", study=one.study_id)
        back()
        if state != "running" and st.button("Delete", icon=":material/delete:", key="delete"):
            confirm(
                "Delete this study?",
                "The study and its page go to the trash, and the list offers to bring them back. Its runs stay.",
                "Delete",
                lambda: _delete(one),
            )


def back() -> None:
    """Draw the way back to the list; a link to the same page would keep the address."""
    st.button("All studies", icon=":material/arrow_back:", key="back", on_click=st.query_params.clear)


def _stop(one: Study) -> None:
    if st.button("Stop", icon=":material/stop_circle:", key="stop"):
        confirm(
            "Stop this study?",
            "No trial begins any more, and those that train are paused with a checkpoint. It can be resumed.",
            "Stop",
            lambda: _do(lambda: study_data.stop(one.study_id), "The study is asked to stop."),
        )


def _numbers_of(one: Study) -> None:
    # By a new key each closes once it has done its work.
    with st.popover("More trials", icon=":material/add:", key=f"more_{one.max_trials}"):
        more = st.number_input("How many more", 1, 10_000, 10, key="more_trials")
        if st.button("Add", key="add_trials", type="primary"):
            _do(lambda: study_data.add_trials(one.study_id, int(more)), f"{more} more trials.")
            st.rerun()
    with st.popover("Workers", icon=":material/group_work:", key=f"workers_{one.width}"):
        width = st.number_input(
            "Trials at a time", 1, 256, min(256, one.width), key="width",
            help="Each takes the slots of one run, as far as they are free. Fewer takes effect as trials end.",
        )  # fmt: skip
        if st.button("Set", key="set_width", type="primary", disabled=width == one.width):
            _do(lambda: study_data.set_width(one.study_id, int(width)), f"{width} trials at a time.")
            st.rerun()


def study_best(one: Study, now: Trials) -> None:
    """Draw what can be done with the best trials so far."""
    best = now.best()
    if best is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="study_best"):
        if run_id := study_data.first_run(now, best):
            link("run", f"The best: {now.label(best)}", icon=":material/trophy:", run=run_id)
        if st.button(f"Train the best with {SEEDS} seeds", icon=":material/casino:", key="train_best"):
            train_best(one, now, best)
        chosen = compare_best(now, MOST_COMPARED)
        if chosen.count(","):
            link("compare", f"Compare the best {chosen.count(',') + 1}", runs=chosen)


def train_best(one: Study, now: Trials, best: int) -> None:
    """Queue the best trial anew with other seeds, and open the comparison of these runs."""
    try:
        run_ids = study_data.again(one.study_id, now.rows["trial_id"][best], SEEDS)
    except CNNLabError as error:
        st.error(plain(error), icon=":material/error:")
        return
    go("compare", runs=",".join(run_ids))


def _do(action: Callable[[], None], done: str) -> None:
    """Do what was asked, and say that it is done or why not; also in callbacks, behind which the page is drawn anew."""
    try:
        action()
    except CNNLabError as error:
        say(plain(error), ":material/error:")
    else:
        say(done)
        data.refresh()


def _delete(one: Study) -> None:
    try:
        delete_study(data.store(), one.study_id)
        say("The study is deleted. The list of studies offers to bring it back.")
    except CNNLabError as error:
        say(plain(error), ":material/error:")
