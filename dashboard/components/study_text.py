"""A study as YAML and as command; and the refusal of files of this machine, which no page opens or runs."""

import streamlit as st

from cnnlab.architectures.catalogue import LOCAL
from cnnlab.architectures.own_files import refuse_own_file
from cnnlab.commands.study_text import FILE, study_command
from cnnlab.errors import ConfigError
from cnnlab.settings.ranges import ChoiceRange
from cnnlab.settings.searched import ARCHITECTURE
from cnnlab.settings.study import StudyConfig
from cnnlab.settings.transfer import TransferConfig

SOURCE = "transfer.source"


def study_text(study: StudyConfig, key: str) -> None:
    """Draw the study as YAML and as command, each with its copy button."""
    whole, command = st.tabs(["Copy as YAML", "Copy as command"])
    with whole:
        text = study.to_yaml()
        st.code(text, language="yaml", height=300)
        st.download_button(
            "Download the YAML", text, file_name=FILE, mime="application/yaml", icon=":material/download:",
            on_click="ignore", key=f"{key}_yaml",
        )  # fmt: skip
    with command:
        st.code(study_command(study), language="bash", wrap_lines=True)
        st.caption(f"Begins the same study from a terminal; `{FILE}` is the YAML beside it, downloaded.")


def refuse_own_files(study: StudyConfig) -> None:
    """Raise `ConfigError` where the run or one of the searched values is a file of this machine.

    Whoever reaches a page must not make this machine open or run a file.
    """
    refuse_own_file(study.run)
    for path, searched in study.space.items():
        values = searched.values if isinstance(searched, ChoiceRange) else ()
        is_own = path == ARCHITECTURE and any(value in LOCAL for value in values)
        is_file = path == SOURCE and any(value and TransferConfig(source=str(value)).is_file for value in values)
        if is_own or is_file:
            raise ConfigError(
                f"space.{path} has a file of this machine. Pages open and run no files, as whoever reaches them could "
                f"open any. Begin the study with 'python -m cnnlab tune --config {FILE}'."
            )
