"""Every figure that judges answers, of two made-up runs."""

import functools
from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go
from made_answers import made_answers

from cnnlab.analysis.answers import Answers
from cnnlab.analysis.calibration import calibration
from cnnlab.analysis.class_scores import class_scores
from cnnlab.analysis.confidences import confidences
from cnnlab.analysis.ranking import ranking
from cnnlab.analysis.selective import selective as selective_curves
from cnnlab.analysis.top_k import top_k as top_k_of
from cnnlab.plots import per_class, precision_recall, reliability, roc, selective, top_k
from cnnlab.plots.overlays import Overlay

NAMES = ["cat", "deer", "dog", "frog"]


def overlays(measure: Callable[[Answers], Any], *groups: int, n: int = 200) -> list[Overlay[Any]]:
    """One overlay per number of runs, called a, b, c."""
    results = [measure(made_answers(n, 4, seed=seed)) for seed in range(sum(groups))]
    found, start = [], 0
    for key, count in zip("abcdefgh", groups, strict=False):
        found.append(Overlay(key, f"run {key}", tuple(results[start : start + count])))
        start += count
    return found


def by_class(answers: Answers) -> Any:
    return class_scores(answers, NAMES)


def by_rank(answers: Answers) -> Any:
    return ranking(answers, NAMES)


def by_confidence(answers: Answers) -> Any:
    return calibration(confidences(answers))


def by_threshold(answers: Answers) -> Any:
    return selective_curves(confidences(answers))


@functools.cache
def judging_figures() -> dict[str, go.Figure]:
    """One figure of each kind."""
    return {
        "per_class": per_class.per_class(per_class.per_class_info(overlays(by_class, 1))),
        "per_class_of_two": per_class.per_class(per_class.per_class_info(overlays(by_class, 1, 1))),
        "roc": roc.roc(roc.roc_info(overlays(by_rank, 1))),
        "precision_recall": precision_recall.precision_recall(
            precision_recall.precision_recall_info(overlays(by_rank, 2, 2))
        ),
        "top_k": top_k.top_k(top_k.top_k_info(overlays(top_k_of, 1, 1))),
        "reliability": reliability.reliability(reliability.reliability_info(overlays(by_confidence, 1, 2))),
        "selective": selective.selective(selective.selective_info(overlays(by_threshold, 1, 2)), mark=0.5),
    }
