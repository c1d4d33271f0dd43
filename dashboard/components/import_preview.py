"""Which outputs and classes the folders of a source become when their names are split."""

import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl
import streamlit as st

from cnnlab.datasets.archive import IMAGE_SUFFIXES, list_source
from cnnlab.datasets.arrange import arrange
from cnnlab.datasets.columns import Columns, check_split, split_columns
from cnnlab.errors import CNNLabError, ImportRefusedError
from dashboard.components.numbers import count
from dashboard.components.text import plain

MOST_CLASSES_NAMED = 12


def split_preview(upload: Any, path: str, values: Mapping[str, Any]) -> None:
    """Draw the columns that the chosen separator makes, or the sentence that says why it makes none.

    Args:
        upload: The uploaded zip; None where `path` names a zip or a folder on the server.
        values: Of `ImportOptions`.
    """
    if not values["split_names"] and not values["outputs"]:
        return
    try:
        check_split(values["split_names"], values["outputs"])
        if upload is None and not path:
            st.caption("Choose the images to see which classes come of their folders.")
            return
        names = _uploaded_classes(upload.file_id, upload) if upload else _classes_on_server(path, _stamp(path))
        columns = split_columns(names, values["split_names"], values["outputs"])
    except CNNLabError as error:
        st.error(plain(error), icon=":material/error:")
        return
    st.markdown("**What the folders become**")
    st.dataframe(preview_table(columns), hide_index=True, alt="Classes of each output")
    combinations = 1
    for classes in columns.outputs.values():
        combinations *= len(classes)
    missing = combinations - len(set(names))
    st.caption(
        f"From {count(len(names))} folders. "
        + (f"{count(missing)} of {count(combinations)} combinations have no images, which is fine." if missing else "")
    )


def preview_table(columns: Columns) -> pl.DataFrame:
    """Return one row per output: its name, how many classes it has, and the first of them."""
    rows = []
    for output, classes in columns.outputs.items():
        more = f" and {len(classes) - MOST_CLASSES_NAMED} more" if len(classes) > MOST_CLASSES_NAMED else ""
        rows.append({"Output": output, "n": len(classes), "Classes": ", ".join(classes[:MOST_CLASSES_NAMED]) + more})
    return pl.DataFrame(rows)


def _stamp(path: str) -> int:
    try:
        return Path(path).expanduser().stat().st_mtime_ns
    except OSError:
        return 0


@st.cache_data(max_entries=8, show_spinner="Reading the folders' names …")
def _classes_on_server(path: str, stamp: int) -> tuple[str, ...]:  # noqa: ARG001 the key
    source = Path(path).expanduser()
    return arrange(source.name, list_source(source).names).class_names


@st.cache_data(max_entries=8, show_spinner="Reading the folders' names …")
def _uploaded_classes(file_id: str, _upload: Any) -> tuple[str, ...]:  # noqa: ARG001 the key
    _upload.seek(0)
    try:
        with zipfile.ZipFile(_upload) as archive:
            names = [name.replace("\\", "/") for name in archive.namelist()]
    except zipfile.BadZipFile as error:
        raise ImportRefusedError(
            f"{_upload.name!r} cannot be read as a zip ({error}). Expected a zip file. Download or make it again."
        ) from None
    finally:
        _upload.seek(0)
    return arrange(_upload.name, sorted(filter(_is_image, names))).class_names


def _is_image(name: str) -> bool:
    path = PurePosixPath(name)
    is_litter = any(part.startswith(".") or part.casefold() == "__macosx" for part in path.parts)
    return path.suffix.casefold() in IMAGE_SUFFIXES and not is_litter
