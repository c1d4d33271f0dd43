"""The config that is being written in the form. It lives in the session, so that a look at another page keeps it."""

from typing import Any

import streamlit as st

from cnnlab.architectures.own_files import refuse_own_file
from cnnlab.config import RunConfig

DRAFT = "draft"
PREFIX = "train."  # of the keys of all widgets of the form


def draft() -> dict[str, Any]:
    """Return the values of the form, nested as a config; those of a new session are the defaults."""
    if DRAFT not in st.session_state:
        st.session_state[DRAFT] = RunConfig().to_dict()
    return dict(st.session_state[DRAFT])


def keep(values: dict[str, Any]) -> None:
    """Remember what the form holds, right or wrong."""
    st.session_state[DRAFT] = values


def load(config: RunConfig) -> None:
    """Fill the form from `config`; call it before the form's widgets are drawn, or in a callback.

    Raises:
        ConfigError: the network is a file of this machine, which no page runs.
    """
    refuse_own_file(config)
    fill(config.to_dict())


def fill(values: dict[str, Any]) -> None:
    """Fill the form from nested values, right or wrong; the form says what is wrong."""
    for key in [key for key in st.session_state if str(key).startswith(PREFIX)]:
        del st.session_state[key]
    st.session_state[DRAFT] = values
