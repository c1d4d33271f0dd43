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
from dashboard.components.text import plain

VIEWS = {"layers": "Layers", "costs": "Costs by layer", "field": "Receptive field", "formulas": "Formulas"}
DETAIL: dict[drawing.Level, str] = {"stages": "Stages", "blocks": "Blocks", "layers": "Layers"}
# The wheel moves the page: a drawing of several rows would catch it.
CHART = {"displaylogo": False}


def draw_network(document: Mapping[str, Any], key: str) -> str:
    """Draw the network and return the name of the layer that was clicked, empty without one."""
    put_level(document, key)
    level = st.segmented_control("Detail", list(DETAIL), format_func=DETAIL.__getitem__, key=f"{key}_detail")
    info = drawing.architecture_drawing_info(document, level or "blocks")
    event = st.plotly_chart(
        drawing.architecture_drawing(info, revision=key),
        key=f"{key}_drawing",
        config=CHART,
        on_select="rerun",
        selection_mode="points",
        alt=drawing.architecture_drawing_summary(info),
    )
    st.caption(
        f"{drawing.architecture_drawing_summary(info)} {drawing.SCALE_NOTE} Drag over a part to enlarge it, with Shift "
        "to move it, double-click for the whole. A click on a convolution shows its formulas."
    )
    for point in event.selection.points:
        place = point.get("customdata")
        place = place[0] if isinstance(place, (list, tuple)) else place
        if isinstance(place, (int, float)) and 0 <= int(place) < len(info.boxes):
            return str(document["layers"][info.boxes[int(place)].box.positions[0]]["name"])
    return ""


def put_level(document: Mapping[str, Any], key: str) -> None:
    """Propose the level at which this network can be read, anew for another network."""
    seen = (len(document["layers"]), document["num_params"])
    if st.session_state.get(f"{key}_of") != seen or f"{key}_detail" not in st.session_state:
        st.session_state[f"{key}_of"] = seen
        st.session_state[f"{key}_detail"] = drawing.proposed_level(document)


def draw_views(document: Mapping[str, Any], key: str, clicked: str) -> None:
    """Draw the part that is chosen below the drawing."""
    has_formulas = any(layer["name"] == clicked and layer["formulas"] for layer in document["layers"])
    if has_formulas and st.session_state.get(f"{key}_clicked") != clicked:
        st.session_state[f"{key}_view"] = "formulas"
        st.session_state[f"{key}_formulas_layer"] = clicked
    st.session_state[f"{key}_clicked"] = clicked
    view = st.segmented_control(
        "Show", list(VIEWS), default="layers", format_func=VIEWS.__getitem__, key=f"{key}_view", required=True
    )
    match view:
        case "layers":
            numbers.layer_table(document, f"{key}_table")
        case "costs":
            draw_costs(document, key)
        case "field":
            draw_field(document, key)
        case _:
            numbers.formulas(document, f"{key}_formulas")


def draw_costs(document: Mapping[str, Any], key: str) -> None:
    """Draw parameters, multiply-accumulates and memory of each layer."""
    for cost in costs.COSTS:
        info = costs.layer_costs_info(document, cost)
        st.plotly_chart(costs.layer_costs(info), key=f"{key}_{cost}", alt=costs.layer_costs_summary(info))
        st.caption(plain(costs.layer_costs_summary(info)))
    st.caption(document["conventions"]["macs"])


def draw_field(document: Mapping[str, Any], key: str) -> None:
    """Draw the growth of the receptive field as a curve and on an image of a data set."""
    info = growth.receptive_growth_info(document)
    st.plotly_chart(growth.receptive_growth(info), key=f"{key}_growth", alt=growth.receptive_growth_summary(info))
    st.caption(plain(growth.receptive_growth_summary(info)))
    if not info.is_empty:
        image = chosen_image(info.image_px[0], key)
        if image is not None:
            st.plotly_chart(
                growth.receptive_frames(info, image),
                key=f"{key}_frames",
                alt="Frames on an image: what the middle output of some layers sees",
            )
            st.caption("Each frame is what the middle output of that layer sees; beyond the image it sees padding.")
    st.caption(document["conventions"]["receptive_field"])


def chosen_image(image_px: int, key: str) -> np.ndarray | None:
    """Draw the choice of an image and return it in the size that the network sees."""
    built = [info.name for info in data.datasets()]
    names = list(dict.fromkeys([*built, "digits", "shapes"]))
    left, right = st.columns([2, 1])
    name = left.selectbox("Image of", names, key=f"{key}_images")
    try:
        dataset = data.dataset(name)
    except CNNLabError as error:
        st.warning(plain(error), icon=":material/error:")
        return None
    images = dataset.images("test")
    number = right.number_input("Number", 1, max(1, len(images)), key=f"{key}_number")
    return resize(np.asarray(images[int(number) - 1]), image_px)
