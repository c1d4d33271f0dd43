"""The learning curves of a comparison over one another."""

import streamlit as st

from cnnlab.plots import learning_curves
from dashboard import data
from dashboard.components.clicks import open_clicked
from dashboard.components.compare.subject import Subject
from dashboard.components.text import plain

METRICS = {"loss": "Loss", "accuracy": "Accuracy", "learning_rate": "Learning rate"}
ACROSS: dict[learning_curves.Horizontal, str] = {"epoch": "Epochs", "elapsed_s": "Elapsed time", "step": "Steps"}


def draw_curves(subject: Subject) -> None:
    """Draw the learning curves with the settings of the address; live while a chosen run trains."""
    menus = st.columns(4)
    metric = menus[0].selectbox(
        "Metric", list(METRICS), format_func=METRICS.__getitem__, key="metric", bind="query-params"
    )
    splits = menus[1].pills(
        "Splits", ["train", "val"], selection_mode="multi", default=["train", "val"], key="splits", bind="query-params"
    )
    x = menus[2].selectbox("Across", list(ACROSS), format_func=ACROSS.__getitem__, key="x", bind="query-params")
    smoothing = menus[3].slider("Smoothing", 0.0, 0.95, 0.0, 0.05, key="smoothing", bind="query-params")
    info = learning_curves.learning_curves_info(
        data.metrics(subject.run_ids),
        metric,
        x=x,
        output=None if metric == "learning_rate" else subject.output,
        splits=list(splits or ["train", "val"]),
        run_ids=subject.run_ids,
        names=subject.names | subject.group_names,
        groups=subject.groups if subject.is_grouped else None,
        smoothing=smoothing,
    )
    event = st.plotly_chart(
        learning_curves.learning_curves(info),
        key="curves",
        on_select="rerun",
        selection_mode="points",
        alt=learning_curves.learning_curves_summary(info),
    )
    st.caption(plain(learning_curves.learning_curves_summary(info)) + " A click on a curve opens its run.")
    open_clicked(event, info.members)
