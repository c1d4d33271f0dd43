"""How far the confidence of the compared networks can be trusted."""

from dashboard.components.compare.subject import Subject
from dashboard.components.judging import confidence
from dashboard.components.judging.members import judged_of


def draw_confidence(subject: Subject) -> None:
    """Draw calibration or thresholds of the tested runs."""
    confidence.draw_confidence(judged_of(subject))
