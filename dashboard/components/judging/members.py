"""The runs of a comparison as those that are judged."""

from cnnlab.plots.labels import distinct
from dashboard.components.compare.subject import Subject
from dashboard.components.judging.subject import Judged, Member


def judged_of(subject: Subject) -> Judged:
    """Return the runs of a comparison, one by one or by group, each with the output that the page speaks of."""
    members: dict[str, list[tuple[str, str]]] = {}
    for row in subject.rows:
        key = row["group_id"] if subject.is_grouped else row["run_id"]
        members.setdefault(key, []).append((row["run_id"], subject.output or row["main_output"] or ""))
    names = subject.group_names if subject.is_grouped else subject.names
    labels = distinct({key: names[key] for key in members})
    chosen = [Member(key, labels[key], tuple(runs)) for key, runs in members.items()]
    return Judged(chosen, "test", "compare", subject.is_grouped)
