"""Importance of hyperparameters as bars with intervals, by two measures beside one another."""

from dataclasses import dataclass

import plotly.graph_objects as go

from cnnlab.analysis.importance import FEWEST_TRIALS, Estimate, Importance
from cnnlab.plots.labels import escaped, plural, unique_labels
from cnnlab.plots.palette import CATEGORICAL, NEUTRAL, with_alpha
from cnnlab.plots.template import empty_figure, new_figure

MOST_ROWS = 16
ROW_PX = 44
PAIRS_NAMED = 3
# Below that the forests predict unseen trials hardly better than the mean does.
WEAK_R2 = 0.2


@dataclass(frozen=True)
class ImportanceInfo:
    """What is drawn, from the top down: a name, the share explained alone, the share explained in all."""

    rows: tuple[tuple[str, Estimate, Estimate], ...]
    found: Importance
    metric: str

    @property
    def is_empty(self) -> bool:
        return not self.rows


def importance_info(found: Importance, metric: str) -> ImportanceInfo:
    """Return the hyperparameters that explain most first."""
    rows = tuple((one.name, one.variance, one.permutation) for one in found.parameters[:MOST_ROWS])
    return ImportanceInfo(rows, found, metric)


def importance_bars(info: ImportanceInfo) -> go.Figure:
    """Draw two bars per hyperparameter with their intervals."""
    if info.is_empty:
        return empty_figure(_missing(info))
    figure = new_figure(
        x_title="Share of the variance explained",
        height_px=110 + ROW_PX * len(info.rows),
    )
    labels = unique_labels(name for name, _, _ in info.rows)
    for name, place, fill in (("alone (fANOVA)", 1, CATEGORICAL[0]), ("in all (permutation)", 2, CATEGORICAL[1])):
        estimates = [row[place] for row in info.rows]
        figure.add_bar(
            y=labels,
            x=[max(0.0, one.value) for one in estimates],  # type: ignore[union-attr]
            orientation="h",
            name=name,
            marker={"color": with_alpha(fill, 0.55), "line": {"color": fill, "width": 1}},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [one.high - max(0.0, one.value) for one in estimates],  # type: ignore[union-attr]
                "arrayminus": [max(0.0, one.value) - max(0.0, one.low) for one in estimates],  # type: ignore[union-attr]
                "thickness": 1.5,
                "width": 3,
                "color": NEUTRAL,
            },
            hovertext=[
                f"<b>{escaped(row[0])}</b><br>{name} {one.value:.2f} ({one.low:.2f} to {one.high:.2f})"  # type: ignore[union-attr]
                for row, one in zip(info.rows, estimates, strict=True)
            ],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    figure.update_layout(bargap=0.3, bargroupgap=0.1, hovermode="closest", legend={"y": 1.02, "yanchor": "bottom"})
    figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return figure


def importance_summary(info: ImportanceInfo) -> str:
    """Return which matters most, what is left to pairs, how far the forests can be trusted, and n."""
    if info.is_empty:
        return _missing(info)
    found, (name, share, _) = info.found, info.rows[0]
    text = (
        f"Of what {info.metric} varies over the space, {name} alone explains {100 * share.value:.0f} % "
        f"({100 * share.low:.0f} to {100 * share.high:.0f} %)"
    )
    pairs = [
        f"{first} with {second} {100 * one.value:.0f} %"
        for first, second, one in found.pairs[:PAIRS_NAMED]
        if one.value >= 0.01
    ]
    text += f"; only together: {', '.join(pairs)}" if pairs else ""
    text += f". From {plural(found.n, 'trial')}; the forests reach R² {found.r2.value:.2f} on trials left out"
    text += ", which is too little to go by" if found.r2.value < WEAK_R2 else ""
    return f"{text}. Intervals: 95 % of the resamples of the trials."


def _missing(info: ImportanceInfo) -> str:
    if info.found.n < FEWEST_TRIALS:
        return f"Importance takes {FEWEST_TRIALS} trials with a result at least; there are {info.found.n} so far."
    return f"All {info.found.n} trials have the same {info.metric}: nothing explains what does not vary."
