"""What an ablation found so far: progress, the table of effects, the forest plot, and its runs."""

from collections import Counter

import polars as pl
import streamlit as st

from cnnlab.ablation import settings_text
from cnnlab.analysis.ablation import Effect, Scores
from cnnlab.errors import CNNLabError, RunNotFoundError
from cnnlab.plots.forest import forest, forest_info, forest_summary
from cnnlab.runs.ablations import Ablation
from cnnlab.runs.status import settle
from cnnlab.submit_ablation import ACTIVE, effects_of, outputs_of, scores_of
from dashboard import data
from dashboard.components import how_to_read
from dashboard.components.chart import chart
from dashboard.components.effect_rows import RIGHT, effect_row, method_sentences
from dashboard.components.status import look
from dashboard.components.text import plain
from dashboard.state import link, url

EVERY_S = 3.0


def states_of(ablation: Ablation) -> dict[str, str]:
    """Return how each run stands; `deleted` for one that is not in the store any more."""
    found = {}
    for run_id in ablation.all_run_ids:
        try:
            found[run_id] = settle(data.store().run_dir(run_id)).state
        except RunNotFoundError:
            found[run_id] = "deleted"
    return found


def ablation_results(ablation: Ablation) -> None:
    """Draw what moves while runs are under way; then it stands still."""
    states = states_of(ablation)
    is_live = any(state in ("queued", "running") for state in states.values())

    def body() -> None:
        now = states_of(ablation)
        if is_live and not any(state in ("queued", "running") for state in now.values()):
            data.refresh()
            st.rerun(scope="app")
        data.tick()
        _progress(now)
        _effects(ablation)

    st.fragment(body, run_every=EVERY_S if is_live else None)()
    _runs(ablation, states)


def _progress(states: dict[str, str]) -> None:
    counts = Counter(states.values())
    done = counts["completed"]
    if any(state in ACTIVE for state in states.values()):
        words = [f"{count} {look(state).label.lower()}" for state, count in counts.items() if state != "completed"]
        st.progress(done / len(states), text=f"{done} of {len(states)} runs done · {' · '.join(words)}")
        return
    lost = {state: count for state, count in counts.items() if state != "completed"}
    if lost:
        said = ", ".join(f"{count} {state}" for state, count in lost.items())
        st.warning(f"{done} of {len(states)} runs have a result; {said}.", icon=":material/report:")


def _effects(ablation: Ablation) -> None:
    outputs = outputs_of(data.store(), ablation)
    output = None
    if len(outputs) > 1:
        output = st.segmented_control(
            "Output", outputs, default=outputs[0], required=True, key="output", bind="query-params"
        )
    scores = scores_of(data.store(), ablation, output)
    effects = effects_of(data.store(), ablation, output, scores, data.answers)
    st.dataframe(
        effects_table(ablation, effects),
        hide_index=True,
        column_config={
            "Variant": st.column_config.TextColumn(pinned=True),
            **{name: st.column_config.TextColumn(alignment="right") for name in RIGHT},
            "Runs": st.column_config.LinkColumn(display_text="compare"),
        },
        alt="Effect of each change",
    )
    info = forest_info(effects)
    hint = plain(_how(ablation, effects, scores))
    chart(forest(info), "forest", summary=forest_summary(info), how_to_read=how_to_read.FOREST, hint=hint)


def effects_table(ablation: Ablation, effects: list[Effect]) -> pl.DataFrame:
    """Return one row per variant, the baseline first."""
    changes = [None, *ablation.plan.changes]
    return pl.DataFrame(
        effect_row(
            one,
            settings_text(change.settings) if change else "",
            url("compare", runs=",".join(run_ids)) if run_ids else None,
        )
        for one, change, run_ids in zip(effects, changes, ablation.run_ids, strict=True)
    )


def _how(ablation: Ablation, effects: list[Effect], scores: list[Scores]) -> str:
    """Return what the numbers stand on: method, correction, n, data version."""
    said = method_sentences(effects)
    if not said:
        return ""
    versions = {version for group in scores for version in group.versions}
    images = max(group.num_images for group in scores)
    against = "the step before" if ablation.plan.is_cumulative else "the baseline"
    said.append(
        f"Each interval is of one change against {against}, at 95 % by itself; 'more than noise' means p below 0.05 "
        f"after Holm's correction over all {len(ablation.plan.changes)} changes."
    )
    seeds = "1 seed" if ablation.plan.seeds == 1 else f"{ablation.plan.seeds} seeds"
    said.append(
        f"{seeds} per variant, {images:,} test images of {ablation.plan.baseline.data.dataset}, "
        f"version {', '.join(sorted(versions))}."
    )
    return " ".join(said)


def _runs(ablation: Ablation, states: dict[str, str]) -> None:
    with st.expander("Runs", icon=":material/table_rows:"), st.grid(min_column_width=220):
        for variant, run_ids in zip(ablation.plan.variants(), ablation.run_ids, strict=True):
            with st.container(gap="small"):
                st.markdown(f"**{plain(variant.name)}**")
                for place, run_id in enumerate(run_ids):
                    seed = ablation.plan.baseline.training.seed + place
                    state = states[run_id]
                    if state == "deleted":
                        st.caption(f"Seed {seed}: deleted")
                    else:
                        label = f"Seed {seed}: {look(state).label.lower()}"
                        link("run", label, icon=look(state).icon, run=run_id)


def cancel_all(ablation: Ablation) -> int:
    """Cancel what waits and trains, the waiting first, so that none of them starts; return how many."""
    states = states_of(ablation)
    count = 0
    for wanted in ("queued", "running", "paused"):
        for run_id, state in states.items():
            if state == wanted:
                try:
                    data.queue().cancel(data.store().run_dir(run_id))
                    count += 1
                except CNNLabError:
                    continue  # it has ended meanwhile
    data.refresh()
    return count
