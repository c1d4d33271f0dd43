"""On which test images the chosen runs are compared: one answer for all parts of the page, with the reason.

`cnnlab.analysis.pairing.share` decides; what is here asks it of the chosen runs, and says what it refuses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from cnnlab.analysis.pairing import AnsweredRun, Shared, answered_run, share, shared_text
from cnnlab.datasets.origins import origins_of
from cnnlab.plots.labels import listed_with_reasons
from dashboard import data
from dashboard.components.compare.subject import Subject
from dashboard.components.text import plain
from dashboard.image_data import Side

WAY_OUT = (
    "Choose two that were tested on the same images, or train one of them again on the data set and version of the "
    "other."
)


def answered_runs(rows: Sequence[Mapping[str, Any]]) -> list[AnsweredRun]:
    """Return runs with their answers to test images.

    Args:
        rows: Of `Subject.rows`; their `main_output` is the output that is compared.
    """
    origins = origins_of(data.datasets())
    return [answered_run(row, data.result(row["run_id"]), data.answers, origins) for row in rows]


@dataclass(frozen=True)
class SharedPair:
    """Two sides with those of their runs that can be compared, and the images on which."""

    a: Side
    b: Side
    shared: Shared

    @property
    def text(self) -> str:
        """On which images they are compared where not on all of both; else empty."""
        sides = {"A": self.a, "B": self.b}
        return shared_text(self.shared, {run_id: name for name, side in sides.items() for run_id in side.run_ids})


def shared_pair(subject: Subject, pair: tuple[Side, Side], output: str) -> SharedPair | None:
    """Return A and B on the images that they share; where they cannot be compared, draw why, and the way out."""
    shared = _share(subject, pair, output)
    a, b = (_compared(side, shared) for side in pair)
    if a is not None and b is not None:
        _say_left_out(subject, pair, shared)
        return SharedPair(a, b, shared)
    lacking = 0 if a is None else 1
    reasons = "; ".join(dict.fromkeys(shared.refused[run_id] for run_id in pair[lacking].run_ids))
    said = f"{'AB'[lacking]} is not compared with {'BA'[lacking]}: {reasons}. {WAY_OUT}"
    st.warning(plain(said), icon=":material/balance:")
    return None


def sharing_sides(subject: Subject, sides: Sequence[Side], output: str) -> list[Side]:
    """Return the sides that share test images with the first, and say which do not."""
    shared = _share(subject, sides, output)
    _say_left_out(subject, sides, shared)
    return [side for side in (_compared(side, shared) for side in sides) if side is not None] or list(sides)


def _share(subject: Subject, sides: Sequence[Side], output: str) -> Shared:
    by_id = {row["run_id"]: row for row in subject.rows}
    run_ids = [run_id for side in sides for run_id in side.run_ids]
    return share(answered_runs([{**by_id[run_id], "main_output": output} for run_id in run_ids]))


def _compared(side: Side, shared: Shared) -> Side | None:
    """Return a side with those of its runs that can be compared."""
    run_ids = tuple(run_id for run_id in side.run_ids if run_id in shared.run_ids)
    return replace(side, run_ids=run_ids) if run_ids else None


def _say_left_out(subject: Subject, sides: Sequence[Side], shared: Shared) -> None:
    missing = {run_id: shared.refused[run_id] for side in sides for run_id in side.run_ids if run_id in shared.refused}
    if missing:
        st.caption(plain(left_out_text(missing, subject)))


def left_out_text(reasons: Mapping[str, str], subject: Subject) -> str:
    """Return which runs are left out and why, by the reasons of each; empty where none is."""
    return f"Not compared: {listed_with_reasons(reasons, subject.names)}." if reasons else ""


def on_shared(
    rows: Sequence[Mapping[str, Any]], runs: Sequence[AnsweredRun], shared: Shared
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the rows with accuracies on the shared images, and by run id why one has none that can be compared.

    A run of which only the accuracy is known, not its answers, keeps it where it stands on the same version as the
    first that is compared and no image is left out.
    """
    first = next((run for run in runs if run.run_id in shared.run_ids), None)
    found, reasons = [], {}
    for row, run in zip(rows, runs, strict=True):
        changed = dict(row)
        if run.run_id in shared.run_ids:
            changed |= _numbers(shared, run.run_id)
        elif row["test_accuracy"] is not None and not _is_same_test(first, run, shared):
            reasons[run.run_id] = shared.refused[run.run_id]
            changed |= {"test_accuracy": None, "test_correct": None, "test_n": None}
        found.append(changed)
    return found, reasons


def _numbers(shared: Shared, run_id: str) -> dict[str, Any]:
    correct = int(shared.is_right[shared.run_ids.index(run_id)].sum())
    return {"test_accuracy": correct / shared.num_images, "test_correct": correct, "test_n": shared.num_images}


def _is_same_test(first: AnsweredRun | None, run: AnsweredRun, shared: Shared) -> bool:
    if run.answers is not None:
        return False
    if first is None:
        return True
    return shared.is_whole and (run.dataset, run.version, run.output) == (first.dataset, first.version, first.output)
