"""What the pages read of how well runs answer, class by class and by confidence; as `dashboard.data`, cached here.

Frames come from caches that are shared by all sessions: never change them in place.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import polars as pl
import streamlit as st

from cnnlab.analysis.answers import Answers, answers_of
from cnnlab.analysis.class_scores import ClassScores, class_scores
from cnnlab.analysis.confidence_report import ConfidenceReport, confidence_report
from cnnlab.analysis.ranking import Ranking, ranking
from cnnlab.analysis.top_k import TopK, top_k
from dashboard import data

Kind = Literal["classes", "ranking", "top_k"]
Judged = ClassScores | Ranking | TopK
_KINDS: dict[str, Callable[[Answers, Sequence[str]], Judged]] = {
    "classes": class_scores,
    "ranking": ranking,
    "top_k": lambda answers, _: top_k(answers),
}


def class_names(run_id: str, output: str) -> list[str] | None:
    """Return the classes of an output; None where the run has not been tested on it."""
    outputs: dict[str, list[str]] = (data.result(run_id) or {}).get("outputs") or {}
    return outputs.get(output)


def judged(kind: Kind, run_id: str, output: str, split: str) -> Any:
    """Return the `ClassScores`, `Ranking` or `TopK` of a run; None where it has no answers."""
    names = class_names(run_id, output)
    if names is None:
        return None
    found = _judged(str(data.store().root), kind, run_id, output, split, tuple(names), _stamp(run_id))
    return found if found.n else None


@st.cache_resource(max_entries=256, show_spinner=False)
def _judged(
    root: str,  # noqa: ARG001 the key
    kind: Kind,
    run_id: str,
    output: str,
    split: str,
    names: tuple[str, ...],
    stamp: int,  # noqa: ARG001 the key
) -> Judged:
    answers = answers_of(data.predictions(run_id, split), len(names), output=output, split=split)
    return _KINDS[kind](answers, names)


def confidence(run_id: str, output: str) -> ConfidenceReport | None:
    """Return how far a run's confidence can be trusted; None where it has no answers on the test images."""
    names = class_names(run_id, output)
    if names is None:
        return None
    found = _confidence(str(data.store().root), run_id, output, len(names), _stamp(run_id))
    return found if found.test.n else None


@st.cache_resource(max_entries=128, show_spinner=False)
def _confidence(root: str, run_id: str, output: str, num_classes: int, stamp: int) -> ConfidenceReport:  # noqa: ARG001 the key
    both = pl.concat([data.predictions(run_id, split) for split in ("val", "test")])
    return confidence_report(both, num_classes, output)


def _stamp(run_id: str) -> int:
    try:
        return (data.store().run_dir(run_id) / "predictions.parquet").stat().st_mtime_ns
    except OSError:
        return 0  # not written yet
