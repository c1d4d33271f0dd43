"""The classes of a comparison: each class, ROC and precision-recall, top-k."""

from dashboard.components.address_choice import address_choice
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
    view = address_choice("View", {key: title for key, (title, _) in VIEWS.items()}, "judged")
    VIEWS[view][1](judged_of(subject))
