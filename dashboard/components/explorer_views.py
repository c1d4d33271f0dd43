"""What the explorer shows of one network: drawing, layers, costs by layer, receptive field, formulas."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from cnnlab.datasets.resizing import resize
from cnnlab.errors import CNNLabError
from cnnlab.plots import architecture_drawing as drawing
from cnnlab.plots import layer_costs as costs
from cnnlab.plots import receptive_growth as growth
from dashboard import data
from dashboard.components import explorer_numbers as numbers
from dashboard.components import how_to_read
from dashboard.components.chart import chart
from dashboard.components.explorer_address import asked_view, write_view
from dashboard.components.text import plain
from dashboard.forms import put

VIEWS = {"layers": "Layers", "costs": "Costs by layer", "field": "Receptive field", "formulas": "Formulas"}
DETAIL: dict[drawing.Level, str] = {"stages": "Stages", "blocks": "Blocks", "layers": "Layers"}
FIRST_VIEW = "layers"


def draw_network(document: Mapping[str, Any], key: str) -> str:
    """Draw the network and return the name of the layer that was clicked, empty without one."""
    proposed = put_level(document, key)
    level = st.segmented_control("Detail", list(DETAIL), format_func=DETAIL.__getitem__, key=f"{key}_detail")
    write_view(key, detail=level if level and level != proposed else "")
    info = drawing.architecture_drawing_info(document, level or proposed)
    event = chart(
        drawing.architecture_drawing(info, revision=key),
        f"{key}_drawing",
        summary=drawing.architecture_drawing_summary(info),
        numbers=lambda: numbers.layer_rows(document),
        how_to_read=how_to_read.DRAWING,
        is_clickable=True,
        hint=f"{drawing.SCALE_NOTE} Drag over a part to enlarge it, with Shift to move it, double-click for the whole. "
        "A click on a convolution shows its formulas.",
    )
    for point in event.selection.points:
        place = point.get("customdata")
        place = place[0] if isinstance(place, (list, tuple)) else place
        if isinstance(place, (int, float)) and 0 <= int(place) < len(info.boxes):
            return str(document["layers"][info.boxes[int(place)].box.positions[0]]["name"])
    return ""


def put_level(document: Mapping[str, Any], key: str) -> drawing.Level:
    """Put the level of the address, or for another network the one at which it can be read; return the latter."""
    network = (len(document["layers"]), document["num_params"])
    before, level = st.session_state.get(f"{key}_of"), f"{key}_detail"
    if before is None or before["network"] != network:
        before = {"network": network, "proposed": drawing.proposed_level(document), "is_first": before is None}
        st.session_state[f"{key}_of"] = before
        st.session_state.pop(level, None)
    asked = asked_view(key, "detail") if before["is_first"] else ""
    put(level, asked if asked in DETAIL else before["proposed"])
    proposed: drawing.Level = before["proposed"]
    return proposed


def draw_views(document: Mapping[str, Any], key: str, clicked: str, beside: Mapping[str, Any] | None = None) -> None:
    """Draw the part that is chosen below the drawing.

    Args:
        beside: The other network where two stand side by side: their charts have one range then.
    """
    has_formulas = any(layer["name"] == clicked and layer["formulas"] for layer in document["layers"])
    if has_formulas and st.session_state.get(f"{key}_clicked") != clicked:
        st.session_state[f"{key}_view"] = "formulas"
        st.session_state[f"{key}_formulas_layer"] = clicked
    st.session_state[f"{key}_clicked"] = clicked
    asked = asked_view(key, "view")
    put(f"{key}_view", asked if asked in VIEWS else FIRST_VIEW)
    view = st.segmented_control("Show", list(VIEWS), format_func=VIEWS.__getitem__, key=f"{key}_view", required=True)
    write_view(key, view="" if view in (None, FIRST_VIEW) else view)
    match view:
        case "layers":
            numbers.layer_table(document, f"{key}_table")
        case "costs":
            draw_costs(document, key, beside)
        case "field":
            draw_field(document, key, beside)
        case _:
            numbers.formulas(document, f"{key}_formulas")


def draw_costs(document: Mapping[str, Any], key: str, beside: Mapping[str, Any] | None) -> None:
    """Draw parameters, multiply-accumulates and memory of each layer."""
    for cost in costs.COSTS:
        info = costs.layer_costs_info(document, cost)
        other = costs.layer_costs_info(beside, cost) if beside else None
        figure = costs.layer_costs(info, beside=other)
        chart(
            figure,
            f"{key}_{cost}",
            summary=costs.layer_costs_summary(info),
            numbers=info.table,
            how_to_read=how_to_read.LAYER_COSTS,
        )
    st.caption(document["conventions"]["macs"])


def draw_field(document: Mapping[str, Any], key: str, beside: Mapping[str, Any] | None) -> None:
    """Draw the growth of the receptive field as a curve and on an image of a data set."""
    info = growth.receptive_growth_info(document)
    largest = max(info.largest_px, growth.receptive_growth_info(beside).largest_px) if beside else None
    figure = growth.receptive_growth(info, largest_px=largest)
    summary = growth.receptive_growth_summary(info)
    chart(figure, f"{key}_growth", summary=summary, numbers=info.table, how_to_read=how_to_read.RECEPTIVE_GROWTH)
    if not info.is_empty:
        image = chosen_image(info.image_px[0], key)
        if image is not None:
            chart(
                growth.receptive_frames(info, image),
                f"{key}_frames",
                summary="Frames on an image: what the middle output of some layers sees.",
                numbers=info.table,
                how_to_read=how_to_read.RECEPTIVE_FRAMES,
            )
    st.caption(document["conventions"]["receptive_field"])


def chosen_image(image_px: int, key: str) -> np.ndarray | None:
    """Draw the choice of an image and return it in the size that the network sees."""
    built = [info.name for info in data.datasets()]
    names = list(dict.fromkeys([*built, "digits", "shapes"]))
    left, right = st.columns([2, 1])
    asked_set = asked_view(key, "images")
    put(f"{key}_images", asked_set if asked_set in names else names[0])
    name = left.selectbox("Image of", names, key=f"{key}_images")
    try:
        dataset = data.dataset(name)
    except CNNLabError as error:
        st.warning(plain(error), icon=":material/error:")
        return None
    images = dataset.images("test")
    most, asked = max(1, len(images)), asked_view(key, "image")
    put(f"{key}_number", min(max(int(asked), 1), most) if asked.isdecimal() and len(asked) < 9 else 1)
    # A number of another set may be above what this one has.
    st.session_state[f"{key}_number"] = min(st.session_state[f"{key}_number"] or 1, most)
    number = int(right.number_input("Number", 1, most, key=f"{key}_number"))
    # Which set comes first depends on the store: a link names it as soon as anything was chosen.
    is_untouched = not asked_set and name == names[0] and number == 1
    write_view(key, images="" if is_untouched else name, image="" if number == 1 else f"{number}")
    return resize(np.asarray(images[number - 1]), image_px)
