"""The first part of a comparison: one row per run, and accuracy against cost."""

import streamlit as st

from cnnlab.plots import bubbles
from dashboard.components import comparing
from dashboard.components.clicks import open_clicked
from dashboard.components.compare.subject import Subject
from dashboard.components.text import plain

COSTS: tuple[bubbles.Cost, ...] = ("num_params", "macs")
RIGHT = (
    "Test top-1",
    "95 % interval",
    "Test images",
    "Best validation",
    "Parameters",
    "MACs",
    "Epochs",
    "Training time",
)
SUMMARY_COLUMNS = {"Run": st.column_config.TextColumn(pinned=True, width="medium")} | {
    name: st.column_config.TextColumn(alignment="right") for name in RIGHT
}


def draw_overview(subject: Subject) -> None:
    """Draw the table of the runs and the charts of accuracy against cost."""
    table = comparing.summary_table(subject.rows)
    st.dataframe(table, hide_index=True, key="summary", column_config=SUMMARY_COLUMNS)
    st.subheader("Accuracy against cost")
    _draw_bubbles(subject)


def _draw_bubbles(subject: Subject) -> None:
    names = subject.names | subject.group_names
    for column, x in zip(st.columns(2), COSTS, strict=True):
        info = bubbles.bubbles_info(subject.frame, x, is_grouped=subject.is_grouped, names=names)
        with column:
            event = st.plotly_chart(
                bubbles.bubbles(info, colour_by="run"),
                key=f"bubbles_{x}",
                on_select="rerun",
                selection_mode="points",
                alt=bubbles.bubbles_summary(info),
            )
            st.caption(plain(bubbles.bubbles_summary(info)))
            open_clicked(event, info.members)
    st.caption("After Canziani, Paszke and Culurciello 2016, arXiv:1605.07678, figure 2.")
