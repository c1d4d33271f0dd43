"""Whose answers are judged: one run, or several over one another, as they are or as means over seeds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from cnnlab.plots.labels import with_n
from cnnlab.plots.overlays import Overlay
from cnnlab.plots.palette import colour_of, symbol_of
from dashboard import answer_data
from dashboard.components.text import plain


@dataclass(frozen=True)
class Member:
    """What is drawn in one colour: a run, or the runs of a group; each with the output that is judged."""

    key: str
    label: str
    runs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Judged:
    """The runs that are judged.

    Attributes:
        members: In the order of their colours.
        split: `test` or `val`; confidence is always judged on test.
        place: What the keys of the page's widgets begin with.
        is_grouped: Members are groups: they are called with how many of their runs are judged.
    """

    members: Sequence[Member]
    split: str
    place: str
    is_grouped: bool = False

    @property
    def is_one_run(self) -> bool:
        return len(self.members) == 1 and len(self.members[0].runs) == 1

    @property
    def colours(self) -> dict[str, str]:
        """By the key of a member: the same on each chart of the page."""
        return colour_of(member.key for member in self.members)

    @property
    def symbols(self) -> dict[str, str]:
        """Likewise; they tell those of one colour apart."""
        return symbol_of(member.key for member in self.members)

    def overlays(self, kind: answer_data.Kind) -> list[Overlay[Any]]:
        """Return the results of the members that have some, saying which have none or other classes."""
        names = [answer_data.class_names(*run) for member in self.members for run in member.runs]
        first = next((classes for classes in names if classes is not None), None)

        def one(run_id: str, output: str) -> Any:
            if kind != "top_k" and answer_data.class_names(run_id, output) != first:
                return None
            return answer_data.judged(kind, run_id, output, self.split)

        return self._collected(one, "no answers on the same classes" if kind != "top_k" else "no answers")

    def confidences(self) -> list[Overlay[Any]]:
        """Return the reports on confidence of the members that have some."""
        return self._collected(answer_data.confidence, "no answers on test images")

    def _collected(self, one: Callable[[str, str], Any], reason: str) -> list[Overlay[Any]]:
        overlays, lacking = [], []
        for member in self.members:
            results = tuple(result for run in member.runs if (result := one(*run)) is not None)
            if results:
                label = with_n(member.label, len(results)) if self.is_grouped else member.label
                overlays.append(Overlay(member.key, label, results))
            if len(results) < len(member.runs):
                missing = len(member.runs) - len(results)
                lacking.append(
                    member.label if not results else f"{member.label} ({missing} of {len(member.runs)} runs)"
                )
        if lacking and overlays:
            st.caption(f"Left out, with {reason}: {plain(', '.join(lacking))}.")
        elif lacking:
            st.caption("There is nothing to judge yet: predictions come when a run has ended.")
        return overlays
