"""'Copy as YAML' and 'copy as command' of a config."""

import streamlit as st

from cnnlab.commands.text import as_command
from cnnlab.config import RunConfig


def config_text(config: RunConfig, *, key: str, height: int) -> None:
    """Draw the config as command and as YAML, each with its copy button, and the YAML as a file."""
    command, whole = st.tabs(["Copy as command", "Copy as YAML"])
    with command:
        st.code(as_command(config), language="bash", wrap_lines=True)
        st.caption("Runs the same from a terminal in the project's folder.")
    with whole:
        text = config.to_yaml()
        st.code(text, language="yaml", height=height)
        st.download_button(
            "Download the YAML",
            text,
            file_name="config.yaml",
            mime="application/yaml",
            icon=":material/download:",
            on_click="ignore",
            key=f"{key}_yaml",
        )
        st.caption("`python -m cnnlab train --config config.yaml` runs it, and the form reads it back.")
