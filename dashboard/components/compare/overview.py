"""The first part of a comparison: which is better, by how much and how sure, in words, in a chart, in tables."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import streamlit as st

from cnnlab.analysis.comparison import Comparison, compare
from cnnlab.analysis.sides import Side, group_names, sides_of
from cnnlab.analysis.verdict import Verdict, verdict
from cnnlab.plots import bubbles, forest
from cnnlab.plots.labels import plural
from dashboard import data
from dashboard.components.address_choice import address_choice
from dashboard.components.chart import chart
from dashboard.components.clicks import open_clicked
from dashboard.components.compare.comparison_tables import differences_table
from dashboard.components.compare.shared_images import answered_runs, on_shared
from dashboard.components.compare.standings import draw_standings
from dashboard.components.compare.subject import Subject
from dashboard.components.text import plain
from dashboard.state import query, set_query

COSTS: dict[bubbles.Cost, str] = {"num_params": "Parameters", "macs": "Operations"}
# Of more, a colour of each is told from its neighbours by nobody, and their traces take the browser long.
MOST_COLOURS = 12
BASELINE = "compare_baseline"
FROM_ADDRESS = "compare_baseline_from_address"
HOW_FOREST = """
Each row is a run or group, and the square is how many points of accuracy it is above (right of the dashed line) or
below the baseline. The line through it is the 95 % interval: differences that fit these answers.

- **Filled**: told apart from the baseline, p below 0.05 after Holm's correction over *all* pairs on this page.
- **Open**: may be noise. That is no proof that they are equal: a wide interval says that little is known.
- The more is chosen, the more a pair must differ to count: choose only what the question is about.
- An interval is of one row by itself. So it may leave out zero while the row is open: of many pairs some leave it
  out by chance, which the correction knows and the interval does not.

**One network against another**: other test images might have been drawn, so images are resampled (bootstrap), and the
test is McNemar's on the images that only one gets right. **Groups**: other seeds might have been drawn too, so the
interval is over seeds and images together, with Student's t for few seeds.
"""
HOW_BUBBLES = f"""
Further up is more accurate, further left is cheaper; the area of a bubble is its parameters. The bar is the 95 %
interval: Wilson's over the test images of one run, Student's t over the seeds of a group. Each has the colour of its
curves; of more than {MOST_COLOURS}, that of its architecture. All stand on the test images that they share; what was
tested on others is named above and not drawn, since its accuracy is of another test.

Two intervals that overlap may still belong to networks that can be told apart, because these answered the same
images: the chart of differences above is the one to judge by. A click opens the run, or the runs of a group.
After Canziani, Paszke and Culurciello 2016, arXiv:1605.07678, figure 2.
"""


def draw_overview(subject: Subject) -> None:
    """Draw the verdict, the differences against a baseline, the table, and accuracy against cost."""
    sides = sides_of_subject(subject)
    place = choose_baseline(sides)
    comparison = compare(sides, place)
    names = subject.names | {side.key: side.name for side in sides}
    _draw_verdict(subject, verdict(comparison, sides, sides[place].key, subject.names))
    base = comparison.place(sides[place].key)
    if base is not None and len(comparison.standings) > 1:
        _draw_differences(subject, comparison, base)
    draw_standings(subject, comparison, sides, base)
    st.subheader("Accuracy against cost")
    _draw_bubbles(subject, comparison, sides, names)


def sides_of_subject(subject: Subject) -> list[Side]:
    """Return the runs or groups that are compared, with their answers."""
    runs = answered_runs(subject.rows)
    if not subject.is_grouped:
        return sides_of(runs, {run.run_id: run.run_id for run in runs}, subject.names)
    return sides_of(runs, subject.groups, group_names(subject.rows, data.config_differences))


def choose_baseline(sides: list[Side]) -> int:
    """Draw what the others are set against, kept in the address as a run of it; return its place."""
    if len(sides) < 2:
        return 0
    keys = [side.key for side in sides]
    asked = query("baseline")
    if st.session_state.get(FROM_ADDRESS) != asked or st.session_state.get(BASELINE) not in keys:
        st.session_state[BASELINE] = next((side.key for side in sides if asked in side.run_ids), keys[0])
    called = {side.key: side.name for side in sides}
    chosen: str = st.selectbox(
        "Baseline",
        keys,
        key=BASELINE,
        format_func=called.__getitem__,
        help="What the others are set against. It also decides which data set and output are compared.",
        width=420,
    )
    place = keys.index(chosen)
    set_query(baseline=sides[place].run_ids[0] if place else None)
    st.session_state[FROM_ADDRESS] = query("baseline")
    return place


def _draw_verdict(subject: Subject, said: Verdict) -> None:
    with st.container(border=True, key="verdict"):
        st.markdown(f"**{plain(said.headline)}**")
        if said.numbers:
            st.markdown(plain(said.numbers))
        if said.reach:
            st.caption(plain(said.reach))
        if not subject.is_grouped and len(set(subject.groups.values())) < len(subject.rows):
            st.caption("Some of these runs differ in their seed only: 'Mean over seeds' compares settings instead.")
        for note in said.notes:
            st.caption(f":material/info: {plain(note)}")


def _draw_differences(subject: Subject, comparison: Comparison, base: int) -> None:
    info = forest.differences_info(comparison, base, "group" if subject.is_grouped else "run")
    on = f" On {plural(comparison.shared.num_images, 'test image')}"
    on += f", p by Holm over all {comparison.num_pairs} pairs." if comparison.num_pairs > 1 else "."
    event = chart(
        forest.forest(info),
        "differences",
        summary=forest.forest_summary(info) + on,
        numbers=lambda: differences_table(comparison, base),
        how_to_read=HOW_FOREST,
        is_clickable=True,
    )
    open_clicked(event, info.members)


def _draw_bubbles(subject: Subject, comparison: Comparison, sides: Sequence[Side], names: Mapping[str, str]) -> None:
    # One at a time: a chart of 20 runs takes the browser as long as all else of this page.
    x = address_choice("Cost", COSTS, "cost", default="num_params")
    by_id = {run.run_id: run for side in sides for run in side.runs}
    # One axis of accuracy is of the same images: what was tested on others has no place on it.
    rows, reasons = on_shared(subject.rows, [by_id[run_id] for run_id in subject.run_ids], comparison.shared)
    shown = replace(subject, rows=rows)
    info = bubbles.bubbles_info(shown.frame, x, is_grouped=subject.is_grouped, names=names)
    info = replace(info, not_shown={**info.not_shown, **reasons})
    colour_by: Literal["architecture", "run"] = "run" if info.table.height <= MOST_COLOURS else "architecture"
    event = chart(
        bubbles.bubbles(info, colour_by=colour_by),
        f"bubbles_{x}",
        summary=bubbles.bubbles_summary(info),
        numbers=info.table,
        how_to_read=HOW_BUBBLES,
        is_clickable=True,
    )
    open_clicked(event, info.members)
