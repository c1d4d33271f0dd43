"""'Import runs': what TensorBoard, MLflow, CSV files and Keras Tuner kept, looked at before it is taken."""

import shlex
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from cnnlab.errors import CNNLabError
from cnnlab.exchange.epochs import COUNTINGS
from cnnlab.exchange.importing import Look, look
from cnnlab.runs.origin import TOOLS
from dashboard import data
from dashboard.components import data_jobs
from dashboard.components.exchange_jobs import folder_of_jobs, start_import
from dashboard.components.exchange_mapping import column_roles, name_places
from dashboard.components.numbers import count
from dashboard.components.text import plain

UPLOAD, SERVER = "Upload", "On the server"
FIND_OUT = "Find out"
MOST_SETTINGS = 12
KEPT = "exchange_kept_upload"
STEPS = {
    "auto": "Find out what steps are",
    "epochs": "Steps are epochs",
    "steps": "Steps are optimizer steps; each validation ends an epoch",
}
HINT = (
    "Event files of TensorBoard, an `mlflow.db` or `mlruns` folder of MLflow, CSV files, or the folder of a search "
    "of Keras Tuner. Folders as a zip."
)


def import_action(label: str = "Import runs") -> None:
    """Draw the button that opens the import."""
    if st.button(label, icon=":material/move_to_inbox:", key="import_runs"):
        _dialog()


@st.dialog("Import runs of another tool", width="large", icon=":material/move_to_inbox:")
def _dialog() -> None:
    import_form()


def import_form() -> None:
    """Draw where runs are to come from, what would come, and the button that starts it."""
    st.markdown(HINT)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        where = st.segmented_control("From", [UPLOAD, SERVER], default=UPLOAD, required=True, key="import_runs_from")
        tool = st.selectbox(
            "Format", [FIND_OUT, *TOOLS], format_func=lambda name: TOOLS.get(name, name), key="import_runs_tool"
        )
    chosen = _uploaded() if where == UPLOAD else _on_server()
    if chosen is None:
        return
    path, folder, shown = chosen
    _preview(path, folder, shown, "" if tool == FIND_OUT else tool)


def _uploaded() -> tuple[Path, Path | None, str] | None:
    """Draw the field for files and keep what was uploaded on disk, once; return it with its job's folder and name."""
    files = st.file_uploader("Files", accept_multiple_files=True, key="import_runs_files")
    if not files:
        return None
    ids = tuple(file.file_id for file in files)
    kept = st.session_state.get(KEPT)
    if not kept or kept[0] != ids or not kept[1].is_dir():
        folder = folder_of_jobs() / uuid.uuid4().hex[:12]
        kept = (ids, folder, [data_jobs.keep_in(folder / "upload", file.name, file) for file in files])
        st.session_state[KEPT] = kept
    _, folder, paths = kept
    shown = files[0].name if len(files) == 1 else f"{len(files)} files"
    return (paths[0] if len(paths) == 1 else folder / "upload"), folder, shown


def _on_server() -> tuple[Path, Path | None, str] | None:
    path = st.text_input("Path on the server", key="import_runs_path", placeholder="/data/mlruns").strip()
    return (Path(path).expanduser(), None, path) if path else None


def _preview(path: Path, folder: Path | None, shown: str, tool: str) -> None:
    """Draw what would be imported, the choices, and the button that starts it."""
    try:
        first = _look(str(path), _stamp(path), tool, ())
        columns = column_roles(first.columns)
        found = _look(str(path), _stamp(path), tool, tuple(columns.items())) if columns else first
    except CNNLabError as error:
        st.error(plain(error), icon=":material/error:")
        return
    names = ", ".join(map(plain, found.first_runs))
    more = " …" if found.runs > len(found.first_runs) else ""
    st.markdown(f"**{TOOLS[found.tool]}: {count(found.runs)} {'run' if found.runs == 1 else 'runs'}.** {names}{more}")
    for note in found.notes:
        st.caption(plain(note))
    places = name_places(found)
    if found.parameters:
        rest = len(found.parameters) - MOST_SETTINGS
        named = ", ".join(found.parameters[:MOST_SETTINGS]) + (f" and {count(rest)} more" if rest > 0 else "")
        st.caption(f"Settings of the runs: {plain(named)}.")
    steps = st.selectbox("Steps", COUNTINGS, format_func=STEPS.__getitem__, key="import_runs_steps")
    words = [f"--format={tool}"] if tool else []
    words += [f"--column={name}={role}" for name, role in columns.items()]
    words += [f"--map={name}={place}" for name, place in places.items()]
    words += [f"--steps={steps}"] if steps != "auto" else []
    if st.button("Import", type="primary", icon=":material/move_to_inbox:", key="import_runs_start"):
        _start(path, folder, shown, words)
    with st.expander("As a command", icon=":material/terminal:"):
        st.code(f"python -m cnnlab import-runs {shlex.join([shown, *words])}", language="bash", wrap_lines=True)


def _start(path: Path, folder: Path | None, shown: str, words: Sequence[str]) -> None:
    start_import(f"Import of {shown}", [str(path), *words, "--said-path", shown], folder)
    st.session_state.pop(KEPT, None)
    st.rerun()


@st.cache_data(max_entries=16, show_spinner="Looking at the runs …")
def _look(path: str, stamp: tuple[Any, ...], tool: str, columns: tuple[tuple[str, str], ...]) -> Look:  # noqa: ARG001
    return look(Path(path), data.store().root / "cache" / "exchange", tool or None, None, dict(columns))


def _stamp(path: Path) -> tuple[Any, ...]:
    """Return what changes with a file, or with what lies in a folder."""
    try:
        entries = [path, *path.iterdir()] if path.is_dir() else [path]
        return tuple((entry.name, entry.stat().st_mtime_ns, entry.stat().st_size) for entry in entries[:1000])
    except OSError:
        return ()
