"""'Export': the chosen runs as parquet, as CSV, for TensorBoard or for MLflow."""

import shlex
from collections.abc import Sequence

import streamlit as st

from cnnlab.exchange.exporting import FORMATS, WITH_MODELS, WITH_PREDICTIONS
from dashboard.components.exchange_jobs import start_export
from dashboard.components.numbers import count

# More ids make a command that nobody reads.
MOST_IN_COMMAND = 20
OPENS = {
    "parquet": "For pandas, polars, DuckDB or R. Types, units and notes are in the files.",
    "csv": "For spreadsheets and R: one row per run with its settings, and one per number.",
    "tensorboard": "Unpack it, then `tensorboard --logdir FOLDER`. Numbers are rounded to float32.",
    "mlflow": "Unpack it, then in the folder `mlflow ui --backend-store-uri sqlite:///mlflow.db`. MLflow 2.8 or later.",
}


def export_action(run_ids: Sequence[str], key: str = "export") -> None:
    """Draw the button that opens the choice of a format; off where no run is chosen."""
    with st.popover("Export", icon=":material/ios_share:", key=key, disabled=not run_ids):
        if not run_ids:
            return
        st.markdown(f"**Export {count(len(run_ids))} {'run' if len(run_ids) == 1 else 'runs'}**")
        chosen = str(
            st.radio(
                "Format",
                list(FORMATS),
                format_func=lambda name: FORMATS[name].partition(":")[0],
                captions=[FORMATS[name].partition(": ")[2].capitalize() for name in FORMATS],
                key=f"{key}_format",
            )
        )
        st.caption(OPENS[chosen])
        predictions = chosen in WITH_PREDICTIONS and st.checkbox(
            "With the answers to images", value=True, key=f"{key}_predictions"
        )
        models = chosen in WITH_MODELS and st.checkbox(
            "With the networks", key=f"{key}_models", help="The file model.keras of each run that has one."
        )
        if st.button("Make the file", type="primary", icon=":material/archive:", key=f"{key}_start"):
            start_export(run_ids, chosen, predictions=predictions, models=models)
            st.rerun()
        _command(run_ids, chosen, predictions=predictions, models=models)


def _command(run_ids: Sequence[str], format: str, *, predictions: bool, models: bool) -> None:
    """Draw the same as a command."""
    named = run_ids if len(run_ids) <= MOST_IN_COMMAND else ["--ids", "ids.txt"]
    words = [*named, "--to", f"{format}-export", "--format", format]
    words += ["--no-predictions"] if format in WITH_PREDICTIONS and not predictions else []
    words += ["--models"] if models else []
    with st.expander("As a command", icon=":material/terminal:"):
        st.code(f"python -m cnnlab export {shlex.join(words)}", language="bash", wrap_lines=True)
