"""Accuracy against what it costs, after Canziani et al. 2016: one's own runs of one data set, or published networks."""

import polars as pl
import streamlit as st

from cnnlab.plots import bubbles
from cnnlab.plots.bubble_layout import Scale
from cnnlab.plots.pareto import pareto_info
from cnnlab.plots.points import Points, run_points
from cnnlab.plots.published import published_points
from cnnlab.published import imagenet
from dashboard import data
from dashboard.components import cost_subjects
from dashboard.components.cost_charts import draw_bubbles, draw_density, draw_top1, numbers_table
from dashboard.components.cost_subjects import Subject
from dashboard.components.empty import empty_state
from dashboard.components.inference_view import draw_inference
from dashboard.components.text import plain
from dashboard.state import query, set_query

CHOICE = "cost_data"
FROM_ADDRESS = "cost_data_from_address"
COSTS: dict[bubbles.Cost, str] = {"macs": "Operations", "num_params": "Parameters"}
SCALES: dict[Scale, str] = {"log": "Log", "linear": "Linear"}
WEIGHTS: dict[imagenet.Weights, str] = {"first": "First of each", "best": "Best of each", "all": "All"}


def choose_subject(found: list[Subject]) -> str:
    """Draw the menu of data sets, filled from the address, and keep the address as the menu."""
    titles = cost_subjects.titles(found)
    asked = query("data")
    if st.session_state.get(FROM_ADDRESS) != asked or st.session_state.get(CHOICE) not in titles:
        st.session_state[CHOICE] = asked if asked in titles else next(iter(titles))
    chosen: str = st.selectbox("Data set", list(titles), key=CHOICE, format_func=titles.__getitem__)
    if asked and asked not in titles and st.session_state.get(FROM_ADDRESS) != asked:
        st.warning(
            f"No tested run of {plain(asked)} is in this store, so {plain(titles[chosen])} is shown. The runs may have "
            "been deleted, or the link is of another store.",
            icon=":material/link_off:",
        )
    set_query(data=chosen)
    st.session_state[FROM_ADDRESS] = chosen
    return chosen


def choose_axes() -> tuple[bubbles.Cost, Scale]:
    """Draw what runs to the right, and how."""
    cost = st.segmented_control(
        "Cost", list(COSTS), required=True, default="macs", format_func=COSTS.__getitem__, key="x", bind="query-params"
    )
    scale = st.segmented_control(
        "Axis", list(SCALES), required=True, default="log", format_func=SCALES.__getitem__, key="axis",
        bind="query-params",
    )  # fmt: skip
    return cost or "macs", scale or "log"


def choose_front() -> bool:
    """Draw whether the Pareto front is drawn."""
    return st.toggle(
        "Pareto front",
        value=True,
        key="front",
        bind="query-params",
        help="The points that no other beats in both cost and accuracy, by the accuracies as they are.",
    )


def own_points(runs: pl.DataFrame) -> tuple[Points, Points | None]:
    """Draw the choices for one's own runs; return the points, and those for behind."""
    is_grouped = st.toggle(
        "Mean over seeds",
        value=True,
        key="grouped",
        bind="query-params",
        help="Runs that differ in their seed only are one point, with Student's 95 % interval.",
    )
    has_layer = st.toggle(
        "Published behind",
        key="behind",
        bind="query-params",
        help="The ImageNet networks of torchvision, pale, in the same scale: where one's own stand in cost.",
    )
    points = run_points(runs, is_grouped=is_grouped, names=cost_subjects.run_names(runs))
    layer = imagenet.choose_weights(imagenet.load_imagenet(), "first") if has_layer else None
    return points, published_points(layer) if layer is not None else None


def choose_published() -> Points:
    """Draw which weights are shown and return their points."""
    weights = st.segmented_control(
        "Weights", list(WEIGHTS), required=True, default="first", format_func=WEIGHTS.__getitem__, key="weights",
        bind="query-params",
        help="First: the original recipe of each network. Best: of each the most accurate that saw ImageNet alone. "
        "All: those pre-trained on other images too (SWAG).",
    )  # fmt: skip
    return published_points(imagenet.choose_weights(imagenet.load_imagenet(), weights or "first"))


def draw_left_out(points: Points) -> None:
    """List every run that has no point, with the reason."""
    if not points.not_shown:
        return
    title = f"Left out of some charts: {len(points.not_shown)} of {len(points.names)}"
    with st.expander(title, icon=":material/visibility_off:"):
        rows = [(points.names[key], reason) for key, reason in points.not_shown.items()]
        st.dataframe(
            pl.DataFrame(rows, schema={"Name": pl.String, "Why": pl.String}, orient="row"),
            hide_index=True,
            key="left_out",
            height="content" if len(rows) <= 8 else 300,
        )


def draw_charts(points: Points, cost: bubbles.Cost, scale: Scale, has_front: bool, behind: Points | None) -> None:
    """Draw the four charts of the paper, what they leave out, and the numbers to take along."""
    can_open = points.noun == "run"
    architectures = sorted(set(points.table["architecture"]))
    draw_bubbles(
        points, cost, scale, has_front=has_front, behind=behind, architectures=architectures, can_open=can_open
    )
    is_one_each = st.toggle(
        "One bar per architecture",
        value=not can_open,
        key="one_each" if can_open else "one_each_published",
        bind="query-params",
        help="Own runs: the one with the highest validation accuracy, so that the test stays a test.",
    )
    left, right = st.columns(2)
    with left:
        st.subheader("Top-1 by architecture", anchor=False)
        draw_top1(points, is_one_each=is_one_each, architectures=architectures, can_open=can_open)
    with right:
        st.subheader("Accuracy density", anchor=False)
        draw_density(points, architectures=architectures, can_open=can_open)
    everywhere = [bubbles.bubbles_of(points, one) for one in COSTS]
    told = {key: reason for info in reversed(everywhere) for key, reason in info.not_shown.items()}
    draw_left_out(Points(**vars(points) | {"not_shown": told}))
    fronts = {info.cost: pareto_info(info.table, info.cost) for info in everywhere}
    st.download_button(
        "Download the numbers (CSV)",
        numbers_table(points, fronts).write_csv().encode(),
        file_name="accuracy_and_cost.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="download_cost",
    )


st.title("Accuracy and cost")
runs = data.summaries().sort("created_at", descending=True)
found = cost_subjects.subjects(runs)
if not found:
    empty_state(
        ":material/bubble_chart:",
        "No tested run yet",
        "Train a network, and its accuracy and cost appear here. Until then: the published numbers of ImageNet.",
        "train",
        "Set up a training",
    )
with st.container(horizontal=True, vertical_alignment="bottom"):
    subject_key = choose_subject(found)
    cost, scale = choose_axes()
subject = next((one for one in found if one.key == subject_key), None)
with st.container(horizontal=True, vertical_alignment="center"):
    has_front = choose_front()
    if subject is None:
        points, behind = choose_published(), None
    else:
        own = cost_subjects.runs_of(runs, subject)
        points, behind = own_points(own)
draw_charts(points, cost, scale, has_front, behind)
if subject is None:
    st.caption(
        f"Numbers of others, not measured here: [{imagenet.SOURCE}]({imagenet.URL}), copied {imagenet.COPIED_ON}. "
        f"Single crop, each at the size its weights ask for, n = {imagenet.N_IMAGES:,} validation images."
    )
else:
    draw_inference(own, cost_subjects.run_names(own))
st.caption(
    "After [Canziani, Paszke and Culurciello 2016](https://arxiv.org/abs/1605.07678)."
    + (" A click on a point opens its run, on a mean the comparison of its seeds." if subject else "")
)
