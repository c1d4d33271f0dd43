"""The classes of a comparison: each class, ROC and precision-recall, top-k."""

import streamlit as st

from dashboard.components.compare.subject import Subject
from dashboard.components.judging.classes import draw_classes
from dashboard.components.judging.members import judged_of
from dashboard.components.judging.ranking import draw_ranking
from dashboard.components.judging.top_k import draw_top_k

VIEWS = {
    "classes": ("Each class", draw_classes),
    "ranking": ("ROC and precision-recall", draw_ranking),
    "top_k": ("Top-k", draw_top_k),
}


def draw_class_views(subject: Subject) -> None:
    """Draw the view that the address names, of the tested runs."""
    view = st.segmented_control(
        "View",
        list(VIEWS),
        format_func=lambda key: VIEWS[key][0],
        default="classes",
        required=True,
        key="judged",
        bind="query-params",
        label_visibility="collapsed",
    )
    VIEWS[view][1](judged_of(subject))
