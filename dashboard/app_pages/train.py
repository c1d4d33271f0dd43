"""The form: pick data, network, augmentation and training, see what it costs, start."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cnnlab.architectures.catalogue import get_architecture
from cnnlab.config import RunConfig, config_from_dict
from cnnlab.errors import CNNLabError, ConfigError
from dashboard import data
from dashboard.components import train_sections as sections
from dashboard.components.augmentation_form import augmentation_form
from dashboard.components.augmentation_preview import augmentation_preview
from dashboard.components.config_text import config_text
from dashboard.components.continuing import continuing_note
from dashboard.components.draft import PREFIX, draft, keep
from dashboard.components.finding_view import finder_section
from dashboard.components.heads_section import heads_section
from dashboard.components.load_config import load_box, load_from_address
from dashboard.components.network_cost import network_cost
from dashboard.components.schedule_curve import schedule_curve
from dashboard.components.text import plain
from dashboard.components.transfer_section import transfer_map, transfer_section
from dashboard.components.tricks_section import tricks_section
from dashboard.forms import put
from dashboard.state import go


def draw_form(values: dict) -> tuple[dict, str, DeltaGenerator]:
    """Draw all sections; return the nested values, what is wrong with the augmentation line, and a place.

    In that place goes what learns when, as soon as the whole config is known.
    """
    with st.container(border=True):
        st.subheader(":material/photo_library: Data and network", anchor=False)
        left, right = st.columns(2, gap="medium")
        with left:
            chosen = sections.data_section(values["data"])
        with right:
            architecture = sections.architecture_section(values["architecture"])
        entry = get_architecture(architecture["name"])
        with left:
            chosen["image_size"] = sections.image_size_section(chosen, entry, values["data"]["image_size"])
    with st.container(border=True):
        st.subheader(":material/auto_fix_high: Augmentation", anchor=False)
        line, line_error = augmentation_form(values["augmentation"], f"{PREFIX}aug")
        if not line_error:
            augmentation_preview(chosen, line, chosen["image_size"] or entry.natural_px)
    with st.container(border=True):
        st.subheader(":material/trending_down: Training", anchor=False)
        training = sections.training_section(values["training"])
        training["seed"], repeats = sections.repeats_section(values)
        tricks = tricks_section(values["tricks"])
        heads = heads_section(chosen, values["heads"])
    with st.container(border=True, key="transfer"):
        st.subheader(":material/move_down: Transfer", anchor=False)
        transfer = transfer_section(values["transfer"], architecture["name"])
        place_of_map = st.container()
    with st.expander("Where it computes", icon=":material/memory:"):
        compute = sections.compute_section(values["compute"])
    filled = {
        **values,
        "data": chosen,
        "architecture": architecture,
        "augmentation": line,
        "training": training,
        "tricks": tricks,
        "heads": heads,
        "transfer": transfer,
        "compute": compute,
        "repeats": repeats,
    }
    return filled, line_error, place_of_map


def draw_naming(values: dict) -> tuple[str, str]:
    """Draw name and notes."""
    put(f"{PREFIX}name", values["name"])
    name = st.text_input("Name", key=f"{PREFIX}name", max_chars=80, placeholder="Made from the config when empty")
    put(f"{PREFIX}notes", values["notes"])
    with st.expander("Notes", icon=":material/edit_note:"):
        notes = st.text_area("Notes", key=f"{PREFIX}notes", max_chars=4000, label_visibility="collapsed")
    return name, notes


def draw_side(config: RunConfig | None, error: str) -> None:
    """Draw what the config means: cost, schedule, the button, and the config as text."""
    if config is None:
        st.error(plain(error), icon=":material/error:")
        st.button("Start training", type="primary", disabled=True, width="stretch", key="start")
        return
    network_cost(config)
    noun = "training" if config.repeats == 1 else f"{config.repeats} trainings"
    if st.button(f"Start {noun}", type="primary", icon=":material/play_arrow:", width="stretch", key="start"):
        start(config)
    st.markdown("**Learning rate**")
    schedule_curve(config.training, config.tricks)
    config_text(config, key="form", height=320)


def start(config: RunConfig) -> None:
    """Queue the runs and open the page of the first."""
    try:
        run_ids = data.submit(config)
    except CNNLabError as error:
        st.error(plain(error), icon=":material/error:")
        return
    go("run", run=run_ids[0])


load_from_address()
st.title("Train")
load_box()
continuing_note()
form, side = st.columns([5, 3], gap="large")
with form:
    filled, line_error, place_of_map = draw_form(draft())
with side:
    filled["name"], filled["notes"] = draw_naming(filled)
    keep(filled)
    checked: RunConfig | None
    try:
        checked, wrong = config_from_dict(filled), ""
    except ConfigError as error:
        checked, wrong = None, "Correct the augmentation line first." if line_error else str(error)
    draw_side(checked, wrong)
    if checked is not None:
        data.warm(checked.compute.backend)
with form:
    finder_section(checked)
if checked is not None:
    with place_of_map:
        transfer_map(checked)
