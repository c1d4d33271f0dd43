"""The confusion matrices of a comparison: side by side, or one less another; a click shows the images of a cell."""

import polars as pl
import streamlit as st

from cnnlab.plots.confusion import ConfusionInfo, confusion_info
from dashboard import image_data
from dashboard.components.address_choice import address_choice
from dashboard.components.cells import cell_of_address
from dashboard.components.compare.shared_images import shared_pair
from dashboard.components.compare.sides import choose_pair, chosen_side, output_of, sides_of
from dashboard.components.compare.subject import Subject
from dashboard.components.matrices import choose_look, draw_difference, draw_side_by_side
from dashboard.components.mistakes import Whose, draw_mistakes, show_cell
from dashboard.components.text import plain
from dashboard.image_data import Side
from dashboard.state import set_query

VIEWS = {"each": "Side by side", "difference": "Difference of two"}
SPLIT = "test"


def draw_confusion(subject: Subject) -> None:
    """Draw the matrices of the tested runs or groups, and the mistakes of one of them."""
    output = output_of(subject)
    sides = sides_of(subject, output) if output else {}
    if not sides or output is None:
        st.caption(
            f"None of these runs has been tested on {plain(output)}."
            if subject.output
            else "Confusion matrices appear when the first of these runs has been tested."
        )
        return
    classes = image_data.classes_of(next(iter(sides.values())).run_ids[0], output)
    with st.container(horizontal=True, vertical_alignment="bottom", key="matrix_choices"):
        view = "each"
        if len(sides) > 1:
            view = address_choice("Matrices", VIEWS, "matrices", has_label=True)
        look = choose_look(has_diagonal_choice=view == "each")

    def info_of(side: Side, sample_ids: pl.Series | None = None) -> ConfusionInfo:
        predictions = image_data.predictions(side.run_ids, SPLIT, sample_ids)
        return confusion_info(predictions, classes, output=output, split=SPLIT)

    cell = cell_of_address(len(classes))
    if view == "difference":
        pair = shared_pair(subject, choose_pair(sides), output)
        if pair is None:
            return
        a, b, ids = pair.a, pair.b, pair.shared.sample_ids
        clicked = draw_difference(info_of(a, ids), info_of(b, ids), (a.title, b.title), look, cell)
        if pair.text:
            st.caption(plain(f"{pair.text} The lists below show all test images of a run."))
        of = chosen_side({b.key: b, a.key: a})
        if clicked is not None:
            show_cell(clicked, of=of)
        sides = {b.key: b, a.key: a}
    else:
        infos = {key: info_of(side) for key, side in sides.items()}
        new = draw_side_by_side(infos, {key: side.title for key, side in sides.items()}, look, chosen_side(sides), cell)
        if new is not None:
            show_cell(new[1], of=new[0])
        of = new[0] if new else chosen_side(sides)
    _draw_mistakes(sides, of, output, classes)


def _draw_mistakes(sides: dict[str, Side], of: str, output: str, classes: tuple[str, ...]) -> None:
    st.subheader("Mistakes", anchor="mistakes")
    if len(sides) > 1:
        st.session_state["mistakes_of"] = of
        st.selectbox(
            "Of", list(sides), format_func=lambda key: sides[key].title, key="mistakes_of", width=360,
            on_change=lambda: set_query(of=st.session_state["mistakes_of"]),
        )  # fmt: skip
    draw_mistakes(Whose(sides[of], output, SPLIT, classes, is_linked=True), of)
