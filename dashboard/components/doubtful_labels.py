"""Labels that are likely wrong, ranked; a person says what is true, and a corrected version is made of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from cnnlab.analysis.image_answers import ImageAnswers, top_classes
from cnnlab.analysis.label_errors import LabelDoubts
from cnnlab.datasets.marks import Mark
from cnnlab.datasets.storage import Dataset, DatasetInfo
from cnnlab.errors import CNNLabError
from cnnlab.plots.labels import plural
from dashboard import image_data
from dashboard.components.confirm import confirm
from dashboard.components.image_cards import Card, Said, cards_html
from dashboard.components.image_list import PER_PAGE, draw_gone
from dashboard.components.numbers import percent
from dashboard.components.text import plain
from dashboard.image_data import Side
from dashboard.state import link, say

ROWS = PER_PAGE // 2
# Where so few answers are right, more are the network's mistakes than the labels'.
WEAK = 0.95
# So many bytes of pixels take some seconds to copy, where images are left out.
WORTH_A_JOB_BYTES = 500 * 10**6
SAID = {"wrong": "marked: it is {}", "fine": "marked: the label is right", "remove": "marked: to be removed"}
HOW_TO_READ = """\
**The most doubtful labels come first**: those where the networks give another class much more probability than the
one on the label (*normalised margin*: probability of the label minus the highest other one, −1 to 1).

- *Suspect* is what **confident learning** counts as wrong (Northcutt et al. 2019,
  [arXiv:1911.00068](https://arxiv.org/abs/1911.00068)): another class is more probable than it usually is for images
  that are labelled so.
- **A network is no judge.** Most suspects of a weak network are its own mistakes. Use your best runs; several, whose
  probabilities are averaged, are more to be trusted than one. You decide, image by image.
- Only images that no training saw are ranked: those of the test and validation splits. Training images would need a
  cross-validation.
- Marks change nothing yet. *Make a corrected version* writes a new version of the data set; the old one and all runs
  on it stay. Ids and splits stay the same, so runs on both can be compared image by image.
"""


@dataclass(frozen=True)
class _Review:
    """What is looked at: the answers with their doubts, and the version of the data set."""

    answers: ImageAnswers
    doubts: LabelDoubts
    opened: Dataset
    output: str
    split: str
    classes: tuple[str, ...]

    @property
    def info(self) -> DatasetInfo:
        return self.opened.info


@st.fragment
def draw_doubtful_labels(sides: Sequence[Side], output: str, split: str, classes: tuple[str, ...]) -> None:
    """Draw the ranked labels of the images that all runs answered, a page at a time, and what was marked so far."""
    run_ids = [run_id for side in sides for run_id in side.run_ids]
    answers = image_data.answers(run_ids, output, split)
    try:
        opened = image_data.dataset(run_ids[0])
        marks = image_data.marks(opened.info.name)
    except CNNLabError as error:
        draw_gone(run_ids[0], error)
        return
    doubts = image_data.doubts(run_ids, output, split)
    review = _Review(answers, doubts, opened, output, split, classes)
    _say_what(review)
    with st.container(horizontal=True, vertical_alignment="center", key="doubt_choices"):
        is_suspects = st.toggle(
            "Suspects only",
            value=True,
            key="suspects",
            bind="query-params",
            help="Those that confident learning counts.",
        )
        is_open = st.toggle("Only without a mark", key="unmarked", bind="query-params")
        with st.popover("How to read this", icon=":material/help:", type="tertiary", key="doubts_how"):
            st.markdown(HOW_TO_READ)
    _draw_rows(review, marks, is_suspects, is_open)
    _draw_marks(review.info)


def _say_what(review: _Review) -> None:
    answers, doubts = review.answers, review.doubts
    right = float(answers.is_right.mean()) if answers.n else float("nan")
    runs = "one run" if answers.num_runs == 1 else f"the mean of {answers.num_runs} runs"
    weak = " Most of them are mistakes of the network: look at all before you mark." if right < WEAK else ""
    left = f" {plural(answers.left_out, 'image')} that not all runs answered are left out." if answers.left_out else ""
    st.caption(
        f"{plural(doubts.num_suspects, 'label')} of {answers.n:,} of {review.split} "
        f"{'is' if doubts.num_suspects == 1 else 'are'} suspect, by {runs} ({percent(right)} right).{weak}{left}"
    )


def _draw_rows(review: _Review, marks: dict[tuple[str, str], Mark], is_suspects: bool, is_open: bool) -> None:
    answers, doubts = review.answers, review.doubts
    rows = np.flatnonzero(doubts.is_suspect) if is_suspects else np.arange(answers.n)
    ids = [answers.sample_ids[place] for place in doubts.places]
    if is_open:
        rows = np.array([row for row in rows if (ids[row], review.output) not in marks], dtype=np.int64)
    if not len(rows):
        st.caption(":material/check: There is no such label. Turn off what is left out above to see the others.")
        return
    pages = -(-len(rows) // ROWS)
    page = st.pagination(pages, key="doubts_page") if pages > 1 else 1
    shown = rows[(page - 1) * ROWS : page * ROWS]
    pictures = image_data.pixels(review.opened, review.split, [ids[row] for row in shown])
    for start in range(0, len(shown), 3):
        for column, row, picture in zip(
            st.columns(3), shown[start : start + 3], pictures[start : start + 3], strict=False
        ):
            with column:
                _draw_row(review, int(row), picture, marks.get((ids[row], review.output)))


def _draw_row(review: _Review, row: int, picture: np.ndarray | None, mark: Mark | None) -> None:
    """Draw one image, what the networks say, and the buttons for what a person says."""
    answers, doubts = review.answers, review.doubts
    place = int(doubts.places[row])
    shares = answers.probabilities[place]
    top = [(review.classes[number], float(shares[number])) for number in top_classes(shares[None], 3)[0]]
    true = review.classes[answers.labels[place]]
    note = f"margin {doubts.margins[row]:+.2f}{', suspect' if doubts.is_suspect[row] else ''}"
    sample_id = answers.sample_ids[place]
    st.html(cards_html([Card(sample_id, picture, true, [Said("", top, note)], word="label")]))
    if mark is not None:
        st.caption(f":material/edit: {plain(SAID[mark.verdict].format(mark.label))}, by {plain(mark.by)}")
    suggested = review.classes[doubts.suggested[row]]
    key = f"doubt.{sample_id}.{review.output}"

    def put(verdict: str, label: str = "") -> None:
        made = Mark(sample_id, review.output, verdict, true, label, review.info.version, image_data.who())  # type: ignore[arg-type]
        try:
            image_data.add_mark(review.info, made)
        except CNNLabError as error:
            say(str(error), ":material/error:")

    with st.container(horizontal=True, gap="xsmall", key=f"{key}.buttons"):
        st.button(
            f"It is {plain(suggested)}", key=f"{key}.is", on_click=put, args=("wrong", suggested),
            help="The label is wrong, and this is the right class.",
        )  # fmt: skip
        st.button("Label is right", key=f"{key}.fine", on_click=put, args=("fine",))
        with st.popover("Other", key=f"{key}.more", type="tertiary"):
            others = [name for name in review.classes if name != true]
            right = st.selectbox("Right class", others, index=others.index(suggested), key=f"{key}.class")
            st.button("Label is wrong", key=f"{key}.wrong", on_click=put, args=("wrong", right))
            st.button("Remove the image", key=f"{key}.remove", on_click=put, args=("remove",), icon=":material/delete:")
            if mark is not None:
                st.button("No mark", key=f"{key}.none", on_click=put, args=("none",), icon=":material/undo:")


def _draw_marks(info: DatasetInfo) -> None:
    """Draw what was marked so far, undo, and the way to a corrected version."""
    journal = image_data.journal(info.name)
    plan = image_data.correction(info)
    st.divider()
    with st.container(horizontal=True, vertical_alignment="center", key="marks"):
        marks = image_data.marks(info.name)
        st.markdown(f"**{plural(len(marks), 'mark')}** of {plain(info.title)}", width="content")
        if journal:
            newest = journal[-1]
            st.button(
                "Undo the last mark", icon=":material/undo:", key="undo_mark", on_click=image_data.undo_mark,
                args=(info.name,), help=f"{plain(newest.sample_id)}, by {plain(newest.by)}",
            )  # fmt: skip
        if plan.num_changes and st.button(
            "Make a corrected version", icon=":material/published_with_changes:", key="correct"
        ):
            _ask_correct(info)
        link("datasets", "Data set", set=info.name)
    if not journal:
        st.caption("Say of each image above what is true. Nothing changes before a corrected version is made.")


def _ask_correct(info: DatasetInfo) -> None:
    """Say what changes, and ask."""
    plan = image_data.correction(info)
    stays = "The version that you look at stays, and so do all runs on it."
    question = " ".join(map(plain, [*plan.sentences(), stays]))

    def make() -> None:
        if plan.removed and info.num_images * math.prod(info.image_shape) > WORTH_A_JOB_BYTES:
            image_data.correct_in_job(plan)
            say("It is being made; its progress is on the page of the data sets.", ":material/hourglass_top:")
            return
        try:
            made = image_data.correct(info)
        except CNNLabError as error:
            say(str(error), ":material/error:")
            return
        say(f"{made.name}, version {made.version}, is made: choose it under Train.")

    confirm("Make a corrected version?", question, "Make it", make, icon=":material/published_with_changes:")
