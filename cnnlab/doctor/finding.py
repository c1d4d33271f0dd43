"""What a rule says: a finding with its evidence, or why it could not look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["serious", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("serious", "warning", "note")
# More points than that a small chart cannot show.
MOST_POINTS = 400


@dataclass(frozen=True)
class Series:
    """One line or group of bars; `x` are numbers, or names of layers and classes."""

    name: str
    x: tuple[Any, ...]
    y: tuple[float | None, ...]


@dataclass(frozen=True)
class Chart:
    """The evidence as numbers to draw.

    Attributes:
        kind: `lines` over numbers or `bars` over names.
        mark: A place on the x axis and what is there.
        limit: A value on the y axis and what it is.
    """

    kind: Literal["lines", "bars"]
    x_title: str
    y_title: str
    series: tuple[Series, ...]
    is_log: bool = False
    mark: tuple[float, str] | None = None
    limit: tuple[float, str] | None = None


@dataclass(frozen=True)
class Finding:
    """What a rule sees.

    Attributes:
        sentence: What is seen, with the numbers.
        advice: What to do about it.
        numbers: The evidence by name.
    """

    rule: str
    severity: Severity
    sentence: str
    advice: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    chart: Chart | None = None


@dataclass(frozen=True)
class NotChecked:
    """Why a rule cannot say anything yet, or at all."""

    reason: str


Verdict = Finding | NotChecked | None


def thinned(x: Sequence[Any], y: Sequence[Any], name: str) -> Series:
    """Return a series of at most `MOST_POINTS` points; of those left out the highest neighbour stands in."""
    size = -(-len(x) // MOST_POINTS) or 1
    kept_x, kept_y = [], []
    for start in range(0, len(x), size):
        part = [value for value in y[start : start + size] if value is not None and value == value]
        place = start + (list(y[start : start + size]).index(max(part)) if part else 0)
        kept_x.append(x[place])
        kept_y.append(y[place])
    return Series(name, tuple(kept_x), tuple(kept_y))


def finding_to_dict(finding: Finding) -> dict[str, Any]:
    """Return plain lists and mappings."""
    chart = finding.chart
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "sentence": finding.sentence,
        "advice": finding.advice,
        "numbers": dict(finding.numbers),
        "chart": None
        if chart is None
        else {
            "kind": chart.kind,
            "x_title": chart.x_title,
            "y_title": chart.y_title,
            "series": [{"name": one.name, "x": list(one.x), "y": list(one.y)} for one in chart.series],
            "is_log": chart.is_log,
            "mark": list(chart.mark) if chart.mark else None,
            "limit": list(chart.limit) if chart.limit else None,
        },
    }


def finding_from_dict(values: Mapping[str, Any]) -> Finding:
    """Undo `finding_to_dict`."""
    chart = values.get("chart")
    return Finding(
        **{name: values[name] for name in ("rule", "severity", "sentence", "advice", "numbers")},
        chart=None
        if chart is None
        else Chart(
            chart["kind"],
            chart["x_title"],
            chart["y_title"],
            tuple(Series(one["name"], tuple(one["x"]), tuple(one["y"])) for one in chart["series"]),
            chart["is_log"],
            tuple(chart["mark"]) if chart["mark"] else None,
            tuple(chart["limit"]) if chart["limit"] else None,
        ),
    )
