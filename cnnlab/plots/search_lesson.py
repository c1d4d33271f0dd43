"""Searches side by side: where each looked on the same landscape, and how the best found grows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnnlab.analysis.search_lesson import SEARCHES, Landscape, Searched, repeated, searched
from cnnlab.plots.palette import CATEGORICAL, NEUTRAL, sequential, with_alpha
from cnnlab.plots.template import GRID, new_figure

CELLS = 60
COLOURS = dict(zip(SEARCHES, CATEGORICAL, strict=False))


@dataclass(frozen=True)
class SearchLessonInfo:
    """`ground`: `(CELLS, CELLS)` values upwards and across; `runs` of one seed, `bests` `(seeds, budget)` of many."""

    landscape: Landscape
    ground: NDArray[np.float64]
    runs: Mapping[str, Searched]
    bests: Mapping[str, NDArray[np.float64]]
    shown: int


def search_lesson_info(landscape: Landscape, *, budget: int, shown: int, seed: int, seeds: int) -> SearchLessonInfo:
    """Return the three searches of one seed up to the trial `shown`, and the best so far of many seeds."""
    axis = (np.arange(CELLS) + 0.5) / CELLS
    points = np.stack([one.ravel() for one in np.meshgrid(axis, axis, indexing="xy")], axis=1)
    return SearchLessonInfo(
        landscape=landscape,
        ground=landscape.value(points).reshape(CELLS, CELLS),
        runs={search: searched(landscape, search, budget, seed) for search in SEARCHES},
        bests={search: repeated(landscape, search, budget, seeds) for search in SEARCHES},
        shown=min(shown, budget),
    )


def search_ground(info: SearchLessonInfo, search: str, *, is_dark: bool = False) -> go.Figure:
    """Draw the landscape with the trials of one search, and below the values of setting A that it tried as ticks."""
    figure = new_figure(x_title="Setting A", y_title="Setting B", height_px=330, revision=search)
    axis = (np.arange(CELLS) + 0.5) / CELLS
    figure.add_heatmap(
        x=axis, y=axis, z=info.ground, colorscale=sequential(is_dark), showscale=False, hoverinfo="skip", zmin=0, zmax=1
    )
    points, values = info.runs[search].points[: info.shown], info.runs[search].values[: info.shown]
    is_best = np.arange(len(points)) == int(np.argmax(values))
    figure.add_scatter(
        x=points[:, 0],
        y=points[:, 1],
        mode="markers",
        marker={
            "size": np.where(is_best, 15, 8), "color": COLOURS[search], "opacity": 1,
            "line": {"color": "white", "width": 1.5},
        },
        hovertext=[f"trial {place + 1}: {value:.3f}" for place, value in enumerate(values)],
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=points[:, 0],
        y=np.full(len(points), 0.015),
        mode="markers",
        marker={"symbol": "line-ns-open", "size": 12, "color": COLOURS[search], "line": {"width": 2}},
        hoverinfo="skip",
    )
    figure.update_layout(showlegend=False)
    figure.update_xaxes(range=[0, 1], showgrid=False)
    figure.update_yaxes(range=[0, 1], showgrid=False)
    return figure


def best_of_searches(info: SearchLessonInfo, *, height_px: int = 340) -> go.Figure:
    """Draw the median of the best so far over the seeds, with its quarters as a band."""
    figure = new_figure(
        x_title="Trials", y_title="Best value so far (1 is the top)", height_px=height_px, revision="lesson bests"
    )
    for search, bests in info.bests.items():
        x = np.arange(1, bests.shape[1] + 1)
        low, middle, high = np.percentile(bests, [25, 50, 75], axis=0)
        figure.add_scatter(
            x=np.concatenate([x, x[::-1]]), y=np.concatenate([high, low[::-1]]), fill="toself", mode="lines",
            fillcolor=with_alpha(COLOURS[search], 0.18), line={"width": 0}, hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        figure.add_scatter(
            x=x, y=middle, mode="lines", line={"color": COLOURS[search], "width": 2.5}, name=search,
            hovertemplate=f"{search}, trial %{{x}}<br>median %{{y:.3f}}<extra></extra>",
        )  # fmt: skip
    figure.add_vline(x=info.shown, line={"color": NEUTRAL, "dash": "dot", "width": 1.5})
    figure.update_yaxes(range=[0, 1.03], gridcolor=GRID)
    figure.update_layout(legend={"y": 1.02, "yanchor": "bottom"})
    return figure


def search_lesson_summary(info: SearchLessonInfo) -> str:
    """Return one sentence: the best value of each search after the shown trials, of this seed and as a median."""
    parts = [
        f"{search} {info.runs[search].best_so_far[info.shown - 1]:.2f} "
        f"(median of {len(bests)} seeds {np.median(bests[:, info.shown - 1]):.2f})"
        for search, bests in info.bests.items()
    ]
    return f"Best after {info.shown} {'trial' if info.shown == 1 else 'trials'}: {', '.join(parts)}."
