"""The form that imports one's own images: an uploaded zip, or a zip or folder on the server."""

import re
import shlex
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import streamlit as st
import yaml

from cnnlab.datasets.importing import ImportOptions
from cnnlab.datasets.storage import check_name
from cnnlab.errors import CNNLabError
from cnnlab.parameters import check, specs
from dashboard import data
from dashboard.components import data_jobs
from dashboard.components.import_preview import split_preview
from dashboard.components.text import plain
from dashboard.forms import parameter_form

UPLOAD, SERVER = "Upload a zip", "A zip or folder on the server"
ROUND = "import_round"
PREFIX = "import"


def import_form(taken: Collection[str]) -> None:
    """Draw the form and start the import when it is sent.

    Args:
        taken: Names of the data sets there are; a name of the catalogue is refused,
            one of an imported set becomes its next version.
    """
    st.write("A zip or folder with one sub-folder per class, or with `train`, `val` and `test` folders of such.")
    where = st.segmented_control("From", [UPLOAD, SERVER], default=UPLOAD, required=True, key="import_from")
    upload, path = None, ""
    if where == UPLOAD:
        # The key changes with each import: a new widget forgets the old file, which was held in memory.
        upload = st.file_uploader("Zip of images", type=["zip"], key=f"import_upload_{st.session_state.get(ROUND, 0)}")
    else:
        path = st.text_input("Path on the server", key="import_path", placeholder="/data/my-images.zip")
    source_name = upload.name if upload else path
    name = st.text_input(
        "Name",
        key=f"import_name_{st.session_state.get(ROUND, 0)}",
        placeholder=proposed_name(source_name),
        help="Letters, digits, '-' and '_'. The name of an imported set makes its next version.",
    )
    with st.expander("Options: size, splits, several outputs", icon=":material/tune:"):
        values = parameter_form(ImportOptions, {}, PREFIX)
        split_preview(upload, path.strip(), values)
        options_text(source_name, name.strip() or proposed_name(source_name), values)
    if st.button(
        "Import", type="primary", icon=":material/upload:", key="import_start", disabled=not source_name.strip()
    ):
        start(name.strip() or proposed_name(source_name), upload, path.strip(), values, taken)


def options_text(source: str, name: str, values: Mapping[str, Any]) -> None:
    """Draw what the form holds as a command and as YAML, each with its copy button."""
    command, whole = st.tabs(["Copy as command", "Copy as YAML"])
    with command:
        words = [source or "my-images.zip", "--name", name, *option_words(values)]
        st.code(f"python -m cnnlab datasets import {shlex.join(words)}", language="bash", wrap_lines=True)
    with whole:
        st.code(yaml.safe_dump(dict(values), sort_keys=False), language="yaml")
        st.caption("`python -m cnnlab datasets import FILE --name NAME --config import.yaml` reads it.")


def start(name: str, upload: Any, path: str, values: Mapping[str, Any], taken: Collection[str]) -> None:
    """Check what was asked for, start the child process and clear the form."""
    root = data.store().root
    try:
        check_name(name)
        options = check(ImportOptions, values, "the import")
        source = Path(path).expanduser()
        if upload is None and not source.exists():
            raise CNNLabError(f"No file or folder {path!r} on the server. Give the whole path of a zip or a folder.")
    except CNNLabError as error:
        st.error(plain(error), icon=":material/error:")
        return
    folder = None
    if upload is not None:
        source = data_jobs.keep_upload(root / "cache", upload.name, upload)
        folder = source.parents[1]
    arguments = ["cnnlab", "datasets", "import", str(source), "--name", name, *option_words(options.model_dump())]
    title = f"Import {name}" + (" (next version)" if name in taken else "")
    data_jobs.start(root, name, title, [*arguments, "--progress-json", "--json"], folder)
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
    st.rerun()


def option_words(values: Mapping[str, Any]) -> list[str]:
    """Return the options of the command that differ from their defaults.

    >>> option_words({})
    []
    """
    words: list[str] = []
    for spec in specs(ImportOptions):
        value = values.get(spec.name, spec.default)
        if value == spec.default or value is None:
            continue
        flag = spec.name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", str(value)]
    return words


def proposed_name(source: str) -> str:
    """Return a name made from that of the file or folder.

    >>> proposed_name("/data/Cats & Dogs.zip"), proposed_name("")
    ('cats-dogs', 'my-images')
    """
    words = re.sub(r"[^a-z0-9_]+", "-", Path(source).stem.lower()).strip("-_")
    return words[:64] or "my-images"
