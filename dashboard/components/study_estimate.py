"""What a study will come to, said before it begins: size of its space, trials, time, GPU-hours."""

from typing import Any

import streamlit as st

from cnnlab.analysis.epoch_time import EpochTime, epoch_time
from cnnlab.analysis.study_plan import StudyPlan, study_plan
from cnnlab.launch.engines.known import LOCAL
from cnnlab.settings.objectives import LATENCY
from cnnlab.settings.searched import ARCHITECTURE
from cnnlab.settings.study import StudyConfig
from cnnlab.tuning import space
from dashboard import data
from dashboard.components.answers import when_answered
from dashboard.components.epoch_estimate import measured_runs, sentence, training_images
from dashboard.components.numbers import MISSING, count, duration, percent
from dashboard.components.text import plain

DRAWS = 40
# These make an epoch dearer or cheaper than one of the run that the estimate is of.
MOVES_TIME = (ARCHITECTURE, "architecture.parameters.", "data.image_size", "training.batch_size", "training.precision")


def study_estimate(study: StudyConfig) -> None:
    """Draw the numbers; those that need the network's size come when the inspector has counted it."""
    size = space.size(study)
    plan = study_plan(study, size)
    with st.container(border=True, key="study_estimate"):
        with st.container(horizontal=True, gap="medium"):
            st.metric("Search space", "continuous" if size is None else count(size), help=_size_help(size))
            at_most = " at most" if plan.is_most else ""
            st.metric("Trials", count(plan.trials), help=f"{count(plan.epochs)} epochs of training{at_most}.")
        when_answered(
            lambda: data.costs(study.run),
            lambda costs: _draw_time(study, plan, costs["macs"]),
            "Counting the network for the time …",
            key="study_time",
        )
        _draw_refused(study)
        if any(one.metric == LATENCY for one in study.objectives) and slots_of(study)[0] > 1:
            st.caption(
                "Latency is measured while the other workers train, which makes it longer: one worker alone measures "
                "it undisturbed."
            )


def _size_help(size: int | None) -> str:
    return "Infinitely many different trials." if size is None else "Different trials that there can be."


def _draw_time(study: StudyConfig, plan: StudyPlan, macs: int | None) -> None:
    num_images = training_images(study.run)
    found = epoch_time(measured_runs(), study.run.architecture.name, macs, num_images)
    values = time_values(study, plan, found)
    with st.container(horizontal=True, gap="medium"):
        for label, value in values.items():
            st.metric(label, value)
    st.caption(plain(time_sentence(study, plan, found, num_images)))


def slots_of(study: StudyConfig) -> tuple[int, bool]:
    """Return how many trials are trained at a time, and whether on GPUs, which of a cluster nobody knows here."""
    slots = data.slots()
    if study.engine != LOCAL:
        return study.workers, False
    at_once = max(1, min(study.workers, len(slots) // study.run.compute.slots))
    return at_once, any(slot.kind == "gpu" for slot in slots)


def time_values(study: StudyConfig, plan: StudyPlan, found: EpochTime | None) -> dict[str, Any]:
    """Return the expected times by their labels."""
    at_once, has_gpu = slots_of(study)
    if found is None:
        return {"Time": MISSING}
    total_s = plan.seconds(found.seconds, at_once)
    hours = study.budget.hours
    shown = duration(total_s if hours is None else min(total_s, 3600 * hours))
    values = {"Time": f"≈ {shown}"}
    if has_gpu:
        gpu_hours = plan.epochs * found.seconds * study.run.compute.slots / 3600
        values["GPU-hours"] = f"≈ {gpu_hours:.3g}"
    return values


def time_sentence(study: StudyConfig, plan: StudyPlan, found: EpochTime | None, num_images: int | None) -> str:
    """Return what the time stands on, and what may make it another."""
    text = f"Time {sentence(found, num_images)}" if found else f"Time: {sentence(found, num_images)}"
    if found is None:
        return f"{text}."
    at_once, _ = slots_of(study)
    text += f", {at_once} {'trial' if at_once == 1 else 'trials'} at a time; starting and testing come on top."
    if plan.is_most:
        text += " Trials may be stopped early, which takes less."
    if any(path.startswith(MOVES_TIME) for path in study.space):
        text += " What is searched makes epochs longer or shorter than those of the run above."
    return text


def _draw_refused(study: StudyConfig) -> None:
    share, reason = _refused(study.space_hash(), study)
    if share:
        st.warning(
            f"About {percent(share, 0)} of random trials cannot be trained and would fail: {plain(reason)}",
            icon=":material/report:",
        )


@st.cache_resource(max_entries=64, show_spinner=False)
def _refused(space_hash: str, _study: StudyConfig) -> tuple[float, str]:  # noqa: ARG001 the key
    import numpy as np

    return space.refused_share(_study, np.random.default_rng(0), DRAWS)
