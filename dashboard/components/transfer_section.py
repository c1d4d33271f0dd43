"""The part of the training form that says where the first weights come from, and which layers learn on."""

from typing import Any

import streamlit as st

from cnnlab.config import RunConfig, TransferConfig
from cnnlab.errors import ConfigError
from cnnlab.runs.sources import source_file
from cnnlab.settings.transfer import IMAGENET, RUN, Mode
from dashboard import data
from dashboard.components.answers import when_answered
from dashboard.components.draft import PREFIX
from dashboard.components.freeze_map_view import draw_freeze_map
from dashboard.components.numbers import percent
from dashboard.components.text import plain
from dashboard.forms import parameter_form, put

KEY = f"{PREFIX}transfer"
MODES: dict[Mode, tuple[str, str]] = {
    "features": ("Fixed features", "What was taken stays; only the new classifier learns. Fast, for little data."),
    "last_blocks": ("Fine-tune the last blocks", "The last blocks learn on at a lower rate; earlier ones stay."),
    "all": ("Fine-tune all", "Every layer learns on, taken ones at a lower rate. For more data."),
    "stages": ("In stages", "The new classifier learns first; then all layers join it at a lower rate."),
}
NUMBERS = ("blocks", "head_epochs", "body_rate", "rate_decay")
SCRATCH = "From scratch: all weights drawn anew"


def transfer_section(values: dict[str, Any], architecture: str) -> dict[str, Any]:
    """Draw source and mode; return that part of the config.

    Args:
        architecture: Of the network that takes the weights; runs of it are offered first.
    """
    source = _source(str(values["source"]), architecture)
    digest = values["source_sha256"] if source == values["source"] else ""
    if not source:
        return {**values, "source": "", "source_sha256": digest}
    _complain(source)
    mode = _mode(values["mode"])
    numbers = parameter_form(TransferConfig, {**values, "mode": mode}, KEY, names=NUMBERS)
    return {**values, **numbers, "source": source, "source_sha256": digest, "mode": mode}


def transfer_map(config: RunConfig) -> None:
    """Draw which layers will learn in which stage."""
    if config.transfer.source:
        when_answered(
            lambda: data.freeze_map(config),
            lambda document: draw_freeze_map(document, f"{KEY}.map"),
            "Looking which layers fit …",
            key="freeze_map",
        )


def _source(asked: str, architecture: str) -> str:
    labels = {"": SCRATCH}
    if architecture == "keras_application" or asked == IMAGENET:
        labels[IMAGENET] = "ImageNet: the weights of keras.applications"
    labels |= {f"{RUN}{row['run_id']}": _label(row) for row in data.sources(architecture)}
    if asked and asked not in labels:  # deleted, or of another store: to be seen, and said below
        labels[asked] = asked
    put(f"{KEY}.source", asked)
    chosen: str = st.selectbox(
        "First weights from",
        list(labels),
        format_func=labels.__getitem__,
        key=f"{KEY}.source",
        help="Layers of the same name and shape are taken; the classifier is always new. Runs of this architecture "
        "come first.",
    )
    return chosen


def _label(row: dict[str, Any]) -> str:
    accuracy = percent(row["test_accuracy"])
    name = row["name"] or row["run_id"]
    return f"{row['architecture']} · {row['dataset']} · {accuracy} · {name} · seed {row['seed']} · {row['run_id'][-4:]}"


def _complain(source: str) -> None:
    """Say what is wrong with a source before anybody starts a training with it."""
    try:
        source_file(data.store(), TransferConfig(source=source))
    except ConfigError as error:
        st.error(plain(error), icon=":material/search_off:")


def _mode(asked: Mode) -> Mode:
    put(f"{KEY}.mode", asked)
    chosen: Mode = st.session_state[f"{KEY}.mode"]
    columns = st.columns(len(MODES), gap="small")
    for column, (mode, (title, sentence)) in zip(columns, MODES.items(), strict=True):
        with column, st.container(border=True, height="stretch", key=f"mode_card_{mode}"):
            is_chosen = mode == chosen
            st.button(
                title,
                key=f"{KEY}.mode.{mode}",
                type="primary" if is_chosen else "secondary",
                icon=":material/check:" if is_chosen else None,
                width="stretch",
                on_click=_choose,
                args=(mode,),
            )
            st.caption(sentence)
    return chosen


def _choose(mode: Mode) -> None:
    st.session_state[f"{KEY}.mode"] = mode
