"""A closer look at what came out of a run: classes, rankings, top-k, confidence. Only the one in sight is computed."""

import streamlit as st

from dashboard.components.address_choice import address_choice
from dashboard.components.judging.classes import draw_classes
from dashboard.components.judging.confidence import draw_confidence
from dashboard.components.judging.ranking import draw_ranking
from dashboard.components.judging.subject import Judged, Member
from dashboard.components.judging.top_k import draw_top_k

VIEWS = {
    "classes": ("Classes", draw_classes),
    "ranking": ("ROC and precision-recall", draw_ranking),
    "top_k": ("Top-k", draw_top_k),
    "confidence": ("Confidence", draw_confidence),
}


@st.fragment
def run_judgement(run_id: str, output: str, split: str) -> None:
    """Draw the view that the address names, of one output.

    Args:
        split: Of the images that are judged; confidence is judged on test, whatever is chosen.
    """
    titles = {key: title for key, (title, _) in VIEWS.items()}
    view = address_choice("A closer look", titles, "closer", has_label=True)
    VIEWS[view][1](Judged([Member(run_id, "this run", ((run_id, output),))], split, f"run_{output}"))
