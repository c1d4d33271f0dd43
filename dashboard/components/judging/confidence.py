"""Whether a network knows what it knows: calibration, temperature scaling, and answering only where it is sure."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from cnnlab.analysis.confidence_report import ConfidenceReport
from cnnlab.analysis.selective import TARGETS
from cnnlab.plots import reliability, selective
from cnnlab.plots.overlays import Overlay
from dashboard.components.address_choice import address_choice
from dashboard.components.chart import chart
from dashboard.components.judging import confidence_words as words
from dashboard.components.judging.subject import Judged

VIEWS = {"calibration": "Calibration", "threshold": "Threshold"}
BINS: dict[reliability.Bins, str] = {"equal_width": "Equal width", "equal_mass": "Equally many images"}
ACROSS: dict[selective.Across, str] = {"threshold": "Threshold", "coverage": "Share answered"}
RELIABILITY_HOW = """
Each point takes the images of which the network is about equally sure (to the right: how sure) and shows how many of
these it gets right (up). On the dotted line it is as often right as it says: 80 % sure, 80 % right. **Under the line
it is too sure of itself**, as most modern networks are. The bars beneath say how many images are so sure: a point
over a short bar stands on few images, and its line, the 95 % interval, is long; of several seeds taken together it is
over seeds and images.

The **expected calibration error** is the mean distance from the dotted line, each point weighted by its images. It is
never 0, not even for a perfect network, because points scatter: compare it with what a perfect network would show by
chance. **Temperature scaling** divides what goes into the softmax by one number, found on the validation images; it
changes how sure the network is, and never what it answers.
"""
SELECTIVE_HOW = """
The network may say "I don't know": it answers only where it is sure enough, and a person looks at the rest. Over the
threshold: the solid line is how often it is right where it answers, the dashed line how much it still answers. Over
the share answered: the surest images come first, so the line shows accuracy on the surest 10 %, 50 %, all. **A line
that rises steeply towards few answers belongs to a network whose doubts are worth something**; a flat one is as wrong
when sure as when not.

Thresholds of two networks do not compare, since one may simply be bolder: compare them over the share answered. The
band is the 95 % interval, of several seeds over seeds and images; it widens where few images are answered.
"""


def draw_confidence(judged: Judged) -> None:
    """Draw the view that the address names."""
    overlays = judged.confidences()
    if not overlays:
        return
    view = address_choice("View", VIEWS, "sure")
    if view == "calibration":
        _calibration(judged, overlays)
    else:
        _threshold(judged, overlays)


def _calibration(judged: Judged, overlays: Sequence[Overlay[ConfidenceReport]]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        bins = address_choice("Bins", BINS, "bins", default="equal_width", has_label=True)
        is_scaled = not judged.is_one_run and st.toggle(
            "After temperature scaling", key="scaled", bind="query-params", help="Fitted on the validation images."
        )
    colours, symbols = None, None
    if judged.is_one_run:
        _draw_numbers(overlays[0].results[0])
        drawn = words.before_and_after(overlays[0].results[0])
    else:
        st.dataframe(
            words.calibration_table(overlays), hide_index=True, key="calibrations", column_config=words.COLUMNS
        )
        drawn = words.calibrations(overlays, is_scaled=is_scaled)
        colours, symbols = judged.colours, judged.symbols
    info = reliability.reliability_info(drawn, bins)
    chart(
        reliability.reliability(info, colours, symbols),
        f"{judged.place}_reliability",
        summary=reliability.reliability_summary(info),
        numbers=info.numbers,
        how_to_read=RELIABILITY_HOW,
    )


def _draw_numbers(report: ConfidenceReport) -> None:
    with st.container(horizontal=True, gap="small", key="calibration_numbers"):
        for metric in words.metrics(report):
            st.metric(
                metric.label,
                metric.value,
                delta=metric.note,
                delta_color="off",
                delta_arrow="off",
                border=True,
                width=235,
                height="stretch",
                help=metric.help,
            )
    st.caption(words.temperature_sentence(report))


def _threshold(judged: Judged, overlays: Sequence[Overlay[ConfidenceReport]]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        across: selective.Across = st.segmented_control(  # type: ignore[assignment]
            "Across", list(ACROSS), format_func=ACROSS.__getitem__, required=True,
            default="threshold" if judged.is_one_run else "coverage", key="answered_across", bind="query-params",
        )  # fmt: skip
        target = st.selectbox(
            "Be right on", TARGETS, index=TARGETS.index(0.99), format_func=words.target_text, key="target",
            bind="query-params", width=160, help="Of what is answered. The threshold for it is chosen on the "
            "validation images and judged on the test images.",
        )  # fmt: skip
    if judged.is_one_run:
        report = overlays[0].results[0]
        st.info(words.threshold_sentence(report, target), icon=":material/rule:")
        point = report.operating_point(target)
        mark = None if point is None else point.threshold if across == "threshold" else point.coverage
    else:
        mark = None
        table: Any = words.threshold_table(overlays, target)
        st.dataframe(table, hide_index=True, key="thresholds", column_config=words.COLUMNS)
    curves = [Overlay(one.key, one.label, tuple(report.selective for report in one.results)) for one in overlays]
    info = selective.selective_info(curves, across)
    chart(
        selective.selective(info, judged.colours, judged.symbols, mark=mark),
        f"{judged.place}_selective",
        summary=selective.selective_summary(info),
        numbers=info.numbers,
        how_to_read=SELECTIVE_HOW,
    )
