"""What the doctor says of a run: a card per finding with its evidence drawn, or what was checked."""

from typing import Any

import streamlit as st

from cnnlab.doctor.catalogue import RULES
from cnnlab.doctor.examine import Diagnosis
from cnnlab.doctor.finding import Finding
from cnnlab.plots.finding_chart import finding_chart, finding_chart_summary
from cnnlab.runs.status import RunStatus
from dashboard import data
from dashboard.components import how_to_read
from dashboard.components.chart import chart
from dashboard.components.text import plain

# Label, icon and colour of a badge.
SEVERITIES: dict[str, tuple[str, str, Any]] = {
    "serious": ("Serious", ":material/emergency:", "red"),
    "warning": ("Warning", ":material/warning:", "orange"),
    "note": ("Note", ":material/info:", "gray"),
}


def run_doctor(run_id: str, status: RunStatus) -> None:
    """Draw the section; nothing for a run that has not begun."""
    if status.state == "queued":
        return
    diagnosis = data.diagnosis(run_id, is_at_rest=status.is_at_rest)
    with st.container(key="doctor"):
        st.subheader("Doctor", anchor=False)
        if not diagnosis.checked:
            st.caption("The doctor looks at the training as soon as its first steps are done.")
            return
        for finding in diagnosis.findings:
            _card(finding)
        if not diagnosis.findings:
            so_far = "" if status.is_at_rest else " so far"
            st.markdown(f":green[:material/check_circle:] Nothing found{so_far}.")
        _checked(diagnosis)


def _card(finding: Finding) -> None:
    label, icon, colour = SEVERITIES[finding.severity]
    rule = RULES[finding.rule]
    with st.container(border=True, key=f"finding_{finding.rule}"):
        words, evidence = st.columns([3, 2], gap="medium") if finding.chart else (st.container(), None)
        with words:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.badge(label, icon=icon, color=colour)
                st.markdown(f"**{rule.title}**", width="content")
            st.markdown(plain(finding.sentence))
            st.markdown(f":material/lightbulb: {plain(finding.advice)}")
            st.caption(f"{plain(rule.meaning)} Source: {plain(rule.source)}.")
        if evidence is not None and finding.chart is not None:
            with evidence:
                chart(
                    finding_chart(finding.chart),
                    f"evidence_{finding.rule}",
                    summary=finding_chart_summary(finding.chart),
                    how_to_read=how_to_read.EVIDENCE,
                    is_small=True,
                )


def _checked(diagnosis: Diagnosis) -> None:
    with st.expander(f"{len(diagnosis.checked)} of {len(RULES)} rules checked", icon=":material/checklist:"):
        st.markdown("\n".join(f"- {RULES[name].title}: {plain(_state(diagnosis, name))}" for name in RULES))


def _state(diagnosis: Diagnosis, name: str) -> str:
    if name in diagnosis.not_checked:
        return f"not checked, for {diagnosis.not_checked[name]}"
    return "found" if any(finding.rule == name for finding in diagnosis.findings) else "nothing found"
