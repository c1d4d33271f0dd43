"""Confusion matrices of several runs side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from cnnlab.analysis.confusion import Cells
from cnnlab.plots import confusion
from dashboard import data
from dashboard.components.text import plain

MATRICES = 6
CELLS: dict[Cells, str] = {"counts": "Counts", "rows": "Share of each true class"}


def draw_matrices(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str], output: str | None = None) -> None:
    """Draw the confusion matrices of the tested runs side by side, of one output; the first where it is left out."""
    results = {row["run_id"]: data.result(row["run_id"]) for row in rows}
    tested = [row for row in rows if (results[row["run_id"]] or {}).get("outputs")]
    if not tested:
        st.caption("Confusion matrices appear when the first of these runs has been tested.")
        return
    outputs = list(dict.fromkeys(name for row in tested for name in results[row["run_id"]]["outputs"]))  # type: ignore[index]
    controls = st.container(horizontal=True)
    shares = controls.segmented_control(
        "Cells",
        list(CELLS),
        format_func=CELLS.__getitem__,
        default="counts",
        required=True,
        key="cells",
        bind="query-params",
    )
    output = output or outputs[0]
    having = [row for row in tested if output in results[row["run_id"]]["outputs"]]  # type: ignore[index]
    if not having:
        st.caption(f"None of these runs has been tested on {plain(output)}.")
    if len(having) > MATRICES:
        st.caption(f"Shown for the first {MATRICES} of {len(having)} runs: choose fewer to see the others.")
    is_dark = st.context.theme.type == "dark"
    for start in range(0, min(len(having), MATRICES), 2):
        for column, row in zip(st.columns(2), having[start : start + 2], strict=False):
            run_id = row["run_id"]
            classes = results[run_id]["outputs"][output]  # type: ignore[index]
            info = confusion.confusion_info(data.predictions(run_id), classes, output=output)
            with column:
                st.markdown(f"**{plain(names[run_id])}**")
                st.plotly_chart(
                    confusion.confusion(info, shares, is_dark=is_dark, height_px=440),
                    key=f"matrix_{run_id}",
                    alt=confusion.confusion_summary(info),
                )
                st.caption(plain(confusion.confusion_summary(info)))
