"""ROC and precision-recall: how well the probabilities rank the images of a class before all others."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from cnnlab.plots import precision_recall, roc
from cnnlab.plots.overlays import Overlay, numbers_of
from cnnlab.plots.ranked_curves import areas_table, curve_names, usual_curves
from dashboard.components.chart import chart
from dashboard.components.judging.subject import Judged
from dashboard.components.numbers import MISSING

AREA_COLUMNS: dict[str, Any] = {
    "curve": st.column_config.TextColumn("Curve", pinned=True),
    "images": st.column_config.NumberColumn("n", format="localized", help="Images of the class, or all."),
    "auc": st.column_config.NumberColumn("AUC", format="%.4f"),
    "auc_low": st.column_config.NumberColumn("from", format="%.4f", help="95 % interval of AUC."),
    "auc_high": st.column_config.NumberColumn("to", format="%.4f", help="95 % interval of AUC."),
    "ap": st.column_config.NumberColumn("Average precision", format="%.4f"),
    "ap_low": st.column_config.NumberColumn("from ", format="%.4f", help="95 % interval of average precision."),
    "ap_high": st.column_config.NumberColumn("to ", format="%.4f", help="95 % interval of average precision."),
    "runs": st.column_config.NumberColumn("Runs"),
}
ROC_HOW = """
Take one class, say *cat*, and sort all test images by how probable the network holds *cat*. Walk down the list: each
cat is a step up, each other image a step to the right. A network that ranks all cats first goes straight up to the
corner; guessing follows the dotted line. The **area under the curve (AUC)** is how often a cat, picked by chance,
scores higher than another image, picked by chance: 1 is perfect, 0.5 guessing.

**Macro** averages over the classes, each counting the same; **micro** puts all classes into one list. AUC looks good
easily where a class is rare, since most images are then easily told from it: look at precision and recall, too. The
interval says how far the number might be with other test images, and of several seeds with other seeds, too. The band
around the mean curve of several seeds is over these alone.
"""
PR_HOW = """
The same walk down the list, asking something else: when so many of the cats are found (**recall**), how many of the
finds are cats (**precision**)? A curve that stays at the top finds nearly all before its first mistakes. **Average
precision** is the mean height of the curve; guessing has the share of the class among the images.

Unlike ROC it does not flatter rare classes. With few images of a class it comes out too high, so compare classes of
about as many images, or networks on the same images.
"""


def draw_ranking(judged: Judged) -> None:
    """Draw both curves, of what the address names."""
    overlays = judged.overlays("ranking")
    if not overlays:
        return
    chosen = _choose(overlays)
    is_log = st.toggle("Stretch few false alarms", key="few", bind="query-params", help="Where good networks differ.")
    left, right = st.columns(2, gap="large")
    with left:
        info = roc.roc_info(overlays, chosen)
        chart(
            roc.roc(info, *_looks(judged, overlays), is_log=is_log),
            f"{judged.place}_roc",
            summary=roc.roc_summary(info),
            numbers=lambda: numbers_of(info.lines, "false alarms", "found"),
            how_to_read=ROC_HOW,
        )
    with right:
        finds = precision_recall.precision_recall_info(overlays, chosen)
        chart(
            precision_recall.precision_recall(finds, *_looks(judged, overlays)),
            f"{judged.place}_precision_recall",
            summary=precision_recall.precision_recall_summary(finds),
            numbers=lambda: numbers_of(finds.lines, "recall", "precision"),
            how_to_read=PR_HOW,
        )

    with st.expander("Areas of all classes" if len(overlays) == 1 else "Areas", icon=":material/table_chart:"):
        st.dataframe(
            areas_table(overlays, chosen if len(overlays) > 1 else ()),
            hide_index=True,
            placeholder=MISSING,
            key="areas",
            column_config=AREA_COLUMNS,
            alt="Area under the ROC curve and average precision of each curve, with 95 % intervals",
        )


def _looks(judged: Judged, overlays: Sequence[Overlay[Any]]) -> tuple[dict[str, str] | None, dict[str, str] | None]:
    """Return colours and symbols of the page; of one run the curves are of classes, and have their own."""
    return (judged.colours, judged.symbols) if len(overlays) > 1 else (None, None)


def _choose(overlays: Sequence[Overlay[Any]]) -> list[int]:
    """Draw the choice of curves: several of one run, one of several runs."""
    names = curve_names(overlays)
    if len(overlays) > 1:
        return [names.index(st.selectbox("Curve", names, key="curve", bind="query-params", width=280))]
    usual = [names[place] for place in usual_curves(overlays, "auc")]
    chosen = st.multiselect(
        "Curves", names, default=usual, key="curves_of", bind="query-params", placeholder="Averages and classes",
        help="The averages and the classes with the smallest area, unless you choose.",
    )  # fmt: skip
    return [names.index(name) for name in chosen] or usual_curves(overlays, "auc")
