"""The evidence of one finding of the doctor, small: lines over epochs or steps, or bars by layer or class."""

import math
from typing import Any

import plotly.graph_objects as go

from cnnlab.doctor.finding import Chart
from cnnlab.plots.labels import escaped, unique_labels
from cnnlab.plots.palette import CATEGORICAL, NEUTRAL, SPLITS, with_alpha
from cnnlab.plots.template import new_figure

MOST_NAMED = 16
ALARM = CATEGORICAL[5]


def finding_chart(chart: Chart, *, height_px: int = 220) -> go.Figure:
    """Draw the numbers of a finding, what is wrong in them marked.

    On a logarithmic axis a zero has no place: its bar is missing and says 0 where it would stand.
    """
    figure = new_figure(x_title=chart.x_title, y_title=chart.y_title, height_px=height_px, revision=chart.y_title)
    for place, series in enumerate(chart.series):
        colour = SPLITS.get(series.name, CATEGORICAL[place % len(CATEGORICAL)])
        if chart.kind == "bars":
            _add_bars(figure, chart, place, colour)
        else:
            shown = [_shown(value, chart.is_log) for value in series.y]
            figure.add_scatter(
                x=list(series.x), y=shown, mode="lines+markers" if len(shown) < 40 else "lines",
                line={"color": colour, "width": 2}, marker={"size": 4}, name=escaped(series.name),
                hovertemplate=f"{escaped(series.name)}, {chart.x_title.lower()} %{{x}}<br>%{{y:.4~g}}<extra></extra>",
            )  # fmt: skip
    if chart.is_log:
        figure.update_yaxes(type="log", exponentformat="power", dtick=_decades(chart))
    if chart.mark:
        figure.add_vline(
            x=chart.mark[0], line={"color": ALARM, "width": 1.5, "dash": "dot"},
            annotation={"text": escaped(chart.mark[1]), "yref": "paper", "y": 1, "yanchor": "top"},
            annotation_position="top right",
        )  # fmt: skip
    if chart.limit:
        figure.add_hline(
            y=chart.limit[0], line={"color": NEUTRAL, "width": 1.5, "dash": "dash"},
            annotation={"text": escaped(chart.limit[1])}, annotation_position="top left",
        )  # fmt: skip
    figure.update_layout(showlegend=len(chart.series) > 1, legend={"y": 1.02, "yanchor": "bottom"}, bargap=0.2)
    return figure


def finding_chart_summary(chart: Chart) -> str:
    """Return one sentence: what is drawn, and from where to where it goes."""
    parts = []
    for series in chart.series:
        known = [value for value in series.y if value is not None and math.isfinite(value)]
        span = f"{min(known):.3g} to {max(known):.3g}" if known else "no number"
        parts.append(f"{series.name}: {span} in {len(series.y):,} places")
    return f"{chart.y_title} over {chart.x_title.lower()}; {'; '.join(parts)}."


def _add_bars(figure: go.Figure, chart: Chart, place: int, colour: str) -> None:
    series = chart.series[place]
    labels = unique_labels([str(name) for name in series.x], 18)
    figure.add_bar(
        x=labels,
        y=[_shown(value, chart.is_log) for value in series.y],
        name=escaped(series.name),
        marker={"color": with_alpha(colour, 0.6), "line": {"color": colour, "width": 1}},
        hovertemplate="%{x}<br>%{y:.3~g}<extra></extra>",
    )
    if chart.is_log:
        for label, value in zip(labels, series.y, strict=True):
            if value == 0:
                figure.add_annotation(x=label, y=0, yref="paper", yanchor="bottom", text="0", showarrow=False)
    figure.update_xaxes(type="category", showticklabels=len(labels) <= MOST_NAMED, showgrid=False, tickangle=-45)


def _shown(value: float | None, is_log: bool) -> float | None:
    if value is None or not math.isfinite(value) or (is_log and value <= 0):
        return None
    return value


def _decades(chart: Chart) -> Any:
    """Return how many powers of ten lie between two ticks."""
    known = [value for series in chart.series for value in series.y if value and _shown(value, True)]
    span = math.log10(max(known) / min(known)) if known else 1
    return max(1, math.ceil(span / 5))
