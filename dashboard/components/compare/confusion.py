"""The confusion matrices of a comparison side by side."""

from dashboard.components.compare.subject import Subject
from dashboard.components.matrices import draw_matrices


def draw_confusion(subject: Subject) -> None:
    """Draw the matrices of the tested runs."""
    draw_matrices(subject.rows, subject.names, subject.output)
