"""The mistakes of a run or a group: kinds of them, the images of a cell, the worst losses, labels in doubt."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab.analysis.image_answers import ImageAnswers, in_cell, worst_first
from cnnlab.plots import confused_pairs
from cnnlab.plots.labels import plural
from dashboard import image_data
from dashboard.components.cells import Cell, cell_menus, cell_of_address, choose, clicked_cell
from dashboard.components.chart import chart
from dashboard.components.doubtful_labels import draw_doubtful_labels
from dashboard.components.image_list import draw_images
from dashboard.components.image_voices import ImageList, Voice
from dashboard.components.text import plain
from dashboard.image_data import Side
from dashboard.state import link

VIEW = "mistakes"
LOSS_HELP = (
    "The loss of an image is the cross-entropy of its true class: −log of the probability that the network gave it, in "
    "nats. 0 is sure and right, 0.7 is undecided between two, above 4.6 it gave the truth less than 1 %."
)


@dataclass(frozen=True)
class Whose:
    """Whose mistakes: of one output and split.

    Attributes:
        is_linked: Whether the page is another than that of the run, so that a link leads there.
    """

    side: Side
    output: str
    split: str
    classes: tuple[str, ...]
    is_linked: bool = False

    @property
    def key(self) -> str:
        return f"{self.side.key}.{self.output}.{self.split}"

    def answers(self) -> ImageAnswers:
        return image_data.answers(self.side.run_ids, self.output, self.split)

    def images(self, places: NDArray[np.int64]) -> ImageList:
        """Return some of the images, by their places in the answers, as a list to draw."""
        return ImageList([Voice(self.side, self.answers(), places)], self.output, self.split, self.classes)


def show_cell(cell: Cell, **others: str | None) -> None:
    """Let the section of mistakes, which is drawn later in this run of the script, show the images of a cell."""
    choose(cell, **others)
    st.session_state[VIEW] = "cell"


def draw_mistakes(whose: Whose, of: str | None = None) -> None:
    """Draw the view that the address names; only that one is computed.

    Args:
        of: What the address calls the side, where there are several.
    """
    clicked = clicked_cell(_pairs_key(whose), len(whose.classes))
    if clicked is not None:
        show_cell(clicked, of=of)
    named = st.query_params.get(VIEW)
    if VIEW not in st.session_state and named not in [title for title, _ in VIEWS.values()]:
        st.session_state[VIEW] = "cell" if cell_of_address(len(whose.classes)) else "pairs"
    # Without a default: a click on a matrix gives it its value, and Streamlit wants one or the other.
    view: Any = st.segmented_control(
        "Mistakes", list(VIEWS), format_func=lambda key: VIEWS[key][0], required=True, key=VIEW,
        bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    VIEWS[view][1](whose, of)


def _pairs_key(whose: Whose) -> str:
    return f"pairs_{whose.key}"


def _pairs(whose: Whose, of: str | None) -> None:
    del of
    info = confused_pairs.confused_pairs_info(
        image_data.predictions(whose.side.run_ids, whose.split), whose.classes, output=whose.output, split=whose.split
    )
    chart(
        confused_pairs.confused_pairs(info),
        _pairs_key(whose),
        summary=confused_pairs.confused_pairs_summary(info),
        numbers=info.table.drop("cell"),
        how_to_read=confused_pairs.HOW_TO_READ,
        is_clickable=True,
    )


def _cell(whose: Whose, of: str | None) -> None:
    cell = cell_of_address(len(whose.classes))
    cell_menus(cell, whose.classes, of=of)
    if cell is None:
        st.caption("Click a cell of the matrix, or choose two classes, to see the images in it.")
        return
    true, predicted = (whose.classes[number] for number in cell)
    answers = whose.answers()
    places = in_cell(answers, *cell)
    right = " (right)" if cell[0] == cell[1] else ""
    st.markdown(f"**{plain(true)}** taken for **{plain(predicted)}**{right}, the most confident first")
    if whose.side.is_group:
        st.caption(
            f"Every image that one of the {len(whose.side.run_ids)} runs put there, with the mean of their "
            "probabilities; the cell is the mean over the runs."
        )
    if whose.is_linked:
        _run_links(whose, cell)
    empty = f"No image of {plain(true)} was taken for {plain(predicted)}."
    draw_images(whose.images(places), f"cell.{whose.key}.{cell}", empty)


def _run_links(whose: Whose, cell: Cell) -> None:
    with st.container(horizontal=True, key="cell_runs"):
        for run_id in whose.side.run_ids[:8]:
            label = f"Open run {run_id[-4:]}" if whose.side.is_group else "Open the run"
            link("run", label, run=run_id, cell=f"{cell[0]}-{cell[1]}")


def _losses(whose: Whose, of: str | None) -> None:
    del of
    answers = whose.answers()
    order = worst_first(answers)
    wrong = int((~answers.is_right).sum())
    st.caption(
        f"{plural(answers.n, 'image')} of {whose.split}, the highest loss first; {plural(wrong, 'image')} "
        f"{'is' if wrong == 1 else 'are'} wrong. Look for blurred, cut-off and unusual images, and for wrong labels.",
        help=LOSS_HELP,
    )
    draw_images(whose.images(order), f"losses.{whose.key}", "There is no image.")


def _doubts(whose: Whose, of: str | None) -> None:
    del of
    draw_doubtful_labels([whose.side], whose.output, whose.split, whose.classes)


VIEWS: dict[str, tuple[str, Callable[[Whose, str | None], None]]] = {
    "pairs": ("Confused pairs", _pairs),
    "cell": ("Images of a cell", _cell),
    "losses": ("Worst losses", _losses),
    "labels": ("Labels in doubt", _doubts),
}
