"""What is said of confidence in numbers, sentences and tables."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import streamlit as st

from cnnlab.analysis.calibration import Calibration
from cnnlab.analysis.confidence_report import ConfidenceReport
from cnnlab.analysis.intervals import student, wilson
from cnnlab.analysis.share_intervals import shares, wilson_ends
from cnnlab.plots.labels import digits_below_one, plural
from cnnlab.plots.overlays import Overlay, combined
from dashboard.components.numbers import MISSING, count, percent, percent_interval

NUMBERS = (
    "Accuracy", "Mean confidence", "Calibration error", "By chance", "Temperature", "Calibration error after",
    "Log loss", "Log loss after", "Threshold", "Answered", "Right among these", "Runs", "n",
)  # fmt: skip
COLUMNS: dict[str, Any] = {"Run": st.column_config.TextColumn(pinned=True)} | {
    name: st.column_config.TextColumn(alignment="right") for name in NUMBERS
}


@dataclass(frozen=True)
class Metric:
    """A number with what stands under it."""

    label: str
    value: str
    note: str
    help: str


def metrics(report: ConfidenceReport) -> list[Metric]:
    """Return the numbers of one run's calibration on the test images."""
    before, after = report.before, report.after
    error = before.equal_width
    found = [
        Metric(
            "Calibration error",
            percent(error.value, 2),
            f"{percent_interval(error.low, error.high, 2)}, n = {count(before.n)}",
            "Expected calibration error over 15 bins of equal width, as papers report it. A perfectly calibrated "
            f"network would show {percent(error.by_chance, 2)} by chance. The 95 % interval is of the error without "
            f"this excess; debiased it is {percent(error.debiased, 2)}, over bins of equally many images "
            f"{percent(before.equal_mass.value, 2)}. The worst bin is off by {percent(error.largest)}.",
        ),
        Metric(
            "Confidence and accuracy",
            percent(before.confidence),
            f"right on {percent(before.accuracy)}",
            "Mean confidence. Above the accuracy the network is too sure of itself.",
        ),
    ]
    if report.temperature and after:
        temperature = report.temperature
        found.append(
            Metric(
                "Temperature",
                f"{temperature.value:.2f}",
                f"{_ends(temperature.low, temperature.high, 2)}, n = {count(temperature.n)} val",
                "What the logits have to be divided by: above 1 the network was too sure. With its 95 % interval.",
            )
        )
        found.append(
            Metric(
                "Calibration error after",
                percent(after.equal_width.value, 2),
                f"{percent_interval(after.equal_width.low, after.equal_width.high, 2)}, n = {count(after.n)}",
                "On the test images, at the temperature of the validation images. By chance a perfectly calibrated "
                f"network would show {percent(after.equal_width.by_chance, 2)}.",
            )
        )
    found.append(_loss(before, after))
    found.append(
        Metric(
            "Brier score",
            f"{before.brier[0]:.4f}",
            f"{_ends(*before.brier[1:], 4)}" + (f"; after {after.brier[0]:.4f}" if after else ""),
            "Mean squared distance of the probabilities from the truth, 0 to 2; lower is better.",
        )
    )
    return found


def temperature_sentence(report: ConfidenceReport) -> str:
    """Return what is to be thought of the temperature, or why there is none."""
    if report.shared:
        return (
            f"No temperature: {plural(report.shared, 'image')} are in both the validation and the test split, and what "
            "is fitted on images must not be judged on them."
        )
    if report.temperature is None:
        return "No temperature: it takes predictions on validation images, and this run has none."
    temperature = report.temperature
    if not temperature.is_determined:
        return (
            "The validation images do not determine the temperature, as where every answer is right: they ask for ever "
            "more confidence."
        )
    if report.after is None or temperature.low <= 1 <= temperature.high:
        return "The interval of the temperature holds 1: there is no sign that scaling is needed."
    what = "too sure" if temperature.value > 1 else "not sure enough"
    before, after = report.before, report.after
    errors = [percent(part.equal_width.value, 2) for part in (before, after)]
    return (
        f"The network was {what} on {plural(temperature.n, 'image')} of validation. Dividing its logits by "
        f"{temperature.value:.2f} changes no answer; on the test images it takes the log loss from "
        f"{before.loss[0]:.4f} to {after.loss[0]:.4f} and the calibration error from {errors[0]} to {errors[1]}."
    )


def threshold_sentence(report: ConfidenceReport, target: float) -> str:
    """Return what it takes to be right on so many of the answers, and what comes of it on the test images."""
    wanted = target_text(target)
    if report.shared:
        return "No threshold: the validation and the test split share images, so that none could be judged."
    if not report.val.n:
        return "No threshold: it is chosen on validation images, and this run has no predictions on any."
    point = report.operating_point(target)
    if point is None:
        return f"At no threshold is this network right on {wanted} of its answers to the validation images."
    ends = wilson(point.right, point.answered)
    return (
        f"To be right on {wanted} of what it answers, this network has to be {confidence_text(point.threshold)} sure "
        f"(chosen on {plural(report.val.n, 'image')} of validation). On the test images it then answers "
        f"{percent(point.coverage)} ({point.answered:,} of {point.n:,}) and is right on {percent(point.accuracy)} of "
        f"them (95 % interval {percent_interval(*ends)})."
    )


def before_and_after(report: ConfidenceReport) -> list[Overlay[Calibration]]:
    """Return one run's calibration as it is and at its temperature."""
    found = [Overlay("before", "as trained", (report.before,))]
    if report.after and report.temperature:
        found.append(Overlay("after", f"at temperature {report.temperature.value:.2f}", (report.after,)))
    return found


def calibrations(overlays: Sequence[Overlay[ConfidenceReport]], *, is_scaled: bool) -> list[Overlay[Calibration]]:
    """Return the calibration of each run or group, as trained or after scaling; a run without it has no part."""
    found = []
    for one in overlays:
        results = tuple(report.after if is_scaled else report.before for report in one.results)
        known = tuple(result for result in results if result is not None)
        found += [Overlay(one.key, one.label, known)] if known else []
    return found


def calibration_table(overlays: Sequence[Overlay[ConfidenceReport]]) -> pl.DataFrame:
    """Return one row per run or group; of a group means over its seeds."""
    rows = []
    for one in overlays:
        before = [report.before for report in one.results]
        after = [report.after for report in one.results if report.after]
        temperatures = [report.temperature.value for report in one.results if report.temperature]
        chance = [part.equal_width.by_chance for part in before]
        rows.append(
            {
                "Run": one.label,
                "Runs": str(len(one.results)),
                "n": count(max(part.n for part in before)),
                "Calibration error": _error_text(before),
                "By chance": percent(sum(chance) / len(chance), 2),
                "Temperature": _mean(temperatures, 2),
                "Calibration error after": _error_text(after),
                "Log loss": _mean([part.loss[0] for part in before], 4),
                "Log loss after": _mean([part.loss[0] for part in after], 4),
                "Mean confidence": _mean_percent([part.confidence for part in before]),
                "Accuracy": _mean_percent([part.accuracy for part in before]),
            }
        )
    return pl.DataFrame(rows)


def threshold_table(overlays: Sequence[Overlay[ConfidenceReport]], target: float) -> pl.DataFrame:
    """Return one row per run or group: the threshold for `target`, and what comes of it on the test images."""
    rows = []
    for one in overlays:
        points = [point for report in one.results if (point := report.operating_point(target))]
        rows.append(
            {
                "Run": one.label,
                "Threshold": " to ".join(confidence_text(end) for end in _range([point.threshold for point in points]))
                or MISSING,
                "Answered": _mean_percent([point.coverage for point in points]),
                "Right among these": _right_text([(point.right, point.answered) for point in points if point.answered]),
                "Runs": f"{len(points)} of {len(one.results)}",
            }
        )
    return pl.DataFrame(rows)


def target_text(target: float) -> str:
    """Return `99 %` or `99.5 %`."""
    return f"{100 * target:g} %"


def confidence_text(confidence: float) -> str:
    """Return `98.71 %`, and never `100.00 %` for what is a little less."""
    return percent(confidence, digits_below_one(confidence, 4, 8) - 2)


def _range(values: Sequence[float]) -> list[float]:
    return sorted({min(values), max(values)}) if values else []


def _loss(before: Calibration, after: Calibration | None) -> Metric:
    return Metric(
        "Log loss",
        f"{before.loss[0]:.4f}",
        f"{_ends(*before.loss[1:], 4)}" + (f"; after {after.loss[0]:.4f}" if after else ""),
        "Mean negative log-likelihood of the true class, in nats; lower is better. It punishes being sure and wrong.",
    )


def _ends(low: float, high: float, digits: int) -> str:
    return MISSING if math.isnan(low) else f"{low:.{digits}f} to {high:.{digits}f}"


def _error_text(parts: Sequence[Calibration]) -> str:
    errors = [part.equal_width for part in parts]
    if not errors:
        return MISSING
    ends = ([[getattr(error, name)] for error in errors] for name in ("value", "low", "high"))
    return _with_interval(combined(*ends), 2)


def _right_text(counts: Sequence[tuple[int, int]]) -> str:
    """Return the share of right answers, from how many are right of how many in each run."""
    if not counts:
        return MISSING
    right, answered = (np.array([[pair[place]] for pair in counts]) for place in (0, 1))
    return _with_interval(combined(*(list(part) for part in (shares(right, answered), *wilson_ends(right, answered)))))


def _with_interval(found: Sequence[Any], digits: int = 1) -> str:
    """Return the first point of what `combined` gives, in percent."""
    value, low, high = (float(part[0]) for part in found[:3])
    return percent(value, digits) + (f" ({percent_interval(low, high, digits)})" if low == low else "")


def _mean_percent(values: Sequence[float], digits: int = 1) -> str:
    """Return the mean in percent, with Student's 95 % interval of several that are not all the same."""
    if not values:
        return MISSING
    mean, low, high = student(values)
    return percent(mean, digits) + (f" ({percent_interval(max(0, low), min(1, high), digits)})" if low < high else "")


def _mean(values: Sequence[float], digits: int) -> str:
    if not values:
        return MISSING
    mean, low, high = student(values)
    return f"{mean:.{digits}f}" + (f" ({low:.{digits}f} to {high:.{digits}f})" if low == low else "")
