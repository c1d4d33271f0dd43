"""Precision, recall and F1 of each class, and on average over them."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

from cnnlab.analysis.class_scores import ClassScores
from cnnlab.plots import per_class
from cnnlab.plots.overlays import Overlay, column, combined
from dashboard.components.address_choice import address_choice
from dashboard.components.chart import chart
from dashboard.components.judging.subject import Judged
from dashboard.components.numbers import MISSING

ORDERS: dict[per_class.Order, str] = {
    "lowest": "Lowest first",
    "highest": "Highest first",
    "class": "As in the data",
    "spread": "Most different first",
}
AVERAGES = {"macro": "Macro: each class counts the same", "weighted": "Weighted by images", "micro": "Micro: accuracy"}
HOW_TO_READ = """
**Recall** of *cat*: of all images of cats, how many were recognised. **Precision** of *cat*: of all images that
were called a cat, how many are one. **F1** is high only where both are (their harmonic mean).

The thin lines are 95 % intervals: with other test images the number might be anywhere on them. Of several seeds taken
together the point is their mean, and the line is for other seeds and other test images at once, rather too long than
too short: seeds that all agree have the line that their images allow, never none. Where the lines of two classes, or of
two networks, overlap by much, do not read a ranking into them. The number behind a class is how many images it has: the
fewer, the longer the line. A low recall with a high precision means that the network is reluctant to say the class; the
other way round, that it says it too often.
"""


def draw_classes(judged: Judged) -> None:
    """Draw the numbers of each class in the order that the address names, and their averages."""
    overlays = judged.overlays("classes")
    if not overlays:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        measure = address_choice("Measure", per_class.MEASURES, "class_measure", default="f1", has_label=True)
        orders = [order for order in ORDERS if order != "spread" or len(overlays) > 1]
        order = st.selectbox(
            "Order", orders, format_func=ORDERS.__getitem__, key="class_order", bind="query-params", width=230
        )
    info = per_class.per_class_info(overlays, measure=measure, order=order)
    chart(
        per_class.per_class(info, judged.colours, judged.symbols, is_dark=st.context.theme.type == "dark"),
        f"{judged.place}_classes",
        summary=per_class.per_class_summary(info),
        numbers=info.numbers,
        how_to_read=HOW_TO_READ,
    )
    _averages(overlays)


def _averages(overlays: Sequence[Overlay[ClassScores]]) -> None:
    table = averages_table(overlays)
    st.dataframe(
        table,
        hide_index=True,
        key="averages",
        column_config={name: st.column_config.TextColumn(alignment="right") for name in ("Precision", "Recall", "F1")},
        alt="Averages of precision, recall and F1 over the classes",
    )
    st.caption(
        "With 95 % intervals, over images or, of several seeds, over seeds and images. Macro recall is also called "
        "balanced accuracy: it does not rise when a network learns the large classes only. Where classes have few "
        "images the other averages are biased; the intervals leave that out, so a number may stand beside its own."
    )


def averages_table(overlays: Sequence[Overlay[ClassScores]]) -> pl.DataFrame:
    """Return one row per average and curve: of several only the macro average, since micro is the accuracy."""
    names = list(AVERAGES) if len(overlays) == 1 else ["macro"]
    rows = []
    for one in overlays:
        for average in names:
            tables = [result.averages.filter(pl.col("average") == average) for result in one.results]
            row = {"Average": AVERAGES[average]} if len(overlays) == 1 else {"Macro average": one.label}
            for measure, title in (("precision", "Precision"), ("recall", "Recall"), ("f1", "F1")):
                row[title] = _text(
                    *([column(table, measure + end) for table in tables] for end in ("", "_low", "_high"))
                )
            rows.append(row)
    return pl.DataFrame(rows)


def _text(*columns: list) -> str:
    value, low, high, _ = (float(part[0]) for part in combined(*columns))
    if value != value:
        return MISSING
    return f"{100 * value:.1f} %" + (f" ({100 * low:.1f} to {100 * high:.1f} %)" if low == low else "")
