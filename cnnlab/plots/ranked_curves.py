"""What the ROC and the precision-recall chart share: which curves are drawn, and the area under each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from cnnlab.analysis.ranking import Ranking
from cnnlab.plots.labels import digits_below_one, distinct
from cnnlab.plots.overlays import Line, Overlay, column, combined, images_text, left_out_text, listed, most

Area = Literal["auc", "ap"]
# What is drawn of one run where nobody chose: the averages and so many of the worst classes.
WORST = 4
# The legend has a row per curve: names with intervals are long.
CURVES_PX, LEGEND_ROW_PX = 420, 20


@dataclass(frozen=True)
class RankedLine(Line):
    """A curve with the area under it; NaN where not known.

    Attributes:
        images: That the curve ranks against the others; of an average all.
    """

    area: float
    area_low: float
    area_high: float
    images: int


@dataclass(frozen=True)
class RankedInfo:
    """The curves that are drawn.

    Attributes:
        lacking: What has no such curve, because no image is of the class.
        n: Images of a run.
        over: The same in words; where they differ, those of each curve.
        few: The fewest images of a class that is drawn or part of the macro average.
        left_out: Images without an answer, of the run that has most.
    """

    lines: tuple[RankedLine, ...]
    lacking: tuple[str, ...]
    n: int
    few: int
    left_out: int
    over: str

    @property
    def is_empty(self) -> bool:
        return not self.lines


def areas_table(overlays: Sequence[Overlay[Ranking]], chosen: Sequence[int] = ()) -> pl.DataFrame:
    """Return one row per curve: curve, images, auc and ap (average precision) with their ends, runs.

    Args:
        chosen: Places in `curve_names`; all when left out.
    """
    names = curve_names(overlays)
    rows = []
    for one in overlays:
        for place in chosen or range(len(names)):
            tables = [result.table.slice(place, 1) for result in one.results]
            label = names[place] if len(overlays) == 1 else one.label
            row: dict[str, object] = {"curve": label, "images": int(tables[0]["n"][0])}
            for area in ("auc", "ap"):
                ends = combined(*([column(table, area + end) for table in tables] for end in ("", "_low", "_high")))
                row |= {area + end: float(part[0]) for end, part in zip(("", "_low", "_high"), ends, strict=False)}
            rows.append({**row, "runs": len(one.results)})
    return pl.DataFrame(rows).fill_nan(None)


def curve_names(overlays: Sequence[Overlay[Ranking]]) -> list[str]:
    """Return what can be chosen, by place: the averages, then the classes; no two alike."""
    names: list[str] = overlays[0].results[0].table["name"].to_list() if overlays else []
    return list(distinct({str(place): name for place, name in enumerate(names)}).values())


def usual_curves(overlays: Sequence[Overlay[Ranking]], area: Area) -> list[int]:
    """Return the places of what is drawn where nobody chose.

    Of several runs it is the macro average, of one also the micro average and its worst classes.
    """
    if len(overlays) != 1:
        return [0]
    table = overlays[0].results[0].table.with_row_index("place")
    worst = table.slice(2).drop_nulls(area).sort(area, maintain_order=True)["place"].head(WORST)
    return [0, 1, *worst]


def ranked_info(
    overlays: Sequence[Overlay[Ranking]], chosen: Sequence[int] | None, area: Area, x: np.ndarray
) -> RankedInfo:
    """Return the curves of `area`, at the points `x`.

    Args:
        overlays: Runs or groups over the same classes, in the order of their colours.
        chosen: Places in `curve_names`, of which several runs share the first; the usual ones when left out.
    """
    names = curve_names(overlays)
    places = list(usual_curves(overlays, area) if chosen is None else chosen) if overlays else []
    if len(overlays) == 1:
        tried = {names[place]: _line(overlays[0], place, area, x, names[place], names[place]) for place in places}
    else:
        tried = {one.label: _line(one, place, area, x, one.key, one.label) for one in overlays for place in places[:1]}
    tables = [result.table.slice(2).filter(pl.col("n") > 0) for one in overlays for result in one.results]
    return RankedInfo(
        lines=tuple(line for line in tried.values() if line),
        lacking=tuple(name for name, line in tried.items() if not line),
        n=most(overlays, "n"),
        few=min((int(table["n"].min()) for table in tables if table.height), default=0),  # type: ignore[arg-type]
        left_out=most(overlays, "left_out"),
        over=images_text(overlays),
    )


def ranked_summary(info: RankedInfo, what: str, area: str) -> str:
    """Return one sentence: n, the area of each curve with its interval, and what has none."""
    if info.is_empty:
        return f"No {what} is known yet: it takes predictions of two classes."
    kinds = dict.fromkeys("seeds" if line.is_mean else "images" for line in info.lines)
    text = f"{what} over {info.over}, {area} with 95 % intervals over {' or '.join(kinds)}: "
    text += listed([f"{line.label}: {area_text(line)}" for line in info.lines])
    if info.lacking:
        text += f"; no image, so no curve: {listed(info.lacking)}"
    return text + left_out_text(info.left_out) + "."


def area_text(line: RankedLine) -> str:
    """Return `0.987 (0.981 to 0.991)`, with as many digits as tell it from 1."""
    digits = digits_below_one(line.area, 3)
    text = f"{line.area:.{digits}f}"
    if math.isnan(line.area_low):
        return text
    return f"{text} ({line.area_low:.{digits}f} to {line.area_high:.{digits}f})"


def _line(one: Overlay[Ranking], place: int, area: Area, x: np.ndarray, key: str, label: str) -> RankedLine | None:
    tables = [result.table.slice(place, 1) for result in one.results]
    value, area_low, area_high, _ = combined(
        *([column(table, area + end) for table in tables] for end in ("", "_low", "_high"))
    )
    if np.isnan(value[0]):
        return None
    curves = [(result.recall if area == "auc" else result.precision)[place] for result in one.results]
    nothing = [np.full(len(x), np.nan)] * len(curves)
    y, low, high, runs = combined(curves, nothing, nothing)
    ends = (float(value[0]), float(area_low[0]), float(area_high[0]))
    return RankedLine(key, label, x, y, low, high, runs, *ends, images=int(tables[0]["n"][0]))
