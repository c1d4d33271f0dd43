"""Other classifiers on the features of a run's network: what they reached, and the button that tries them."""

import uuid
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from dashboard import data
from dashboard.components import data_jobs
from dashboard.components.data_jobs import Job
from dashboard.components.job_strip import JobStrip
from dashboard.components.numbers import count, percent, percent_interval

STRIP = JobStrip("classifying", done="Classified.", unit="steps")
NAMES = {"svm": "Linear SVM", "knn": "Nearest neighbours", "linear": "Linear classifier"}
WHAT = (
    "Learns anew on what the network computes just before its own classifier; the setting is chosen on the validation "
    "images."
)


def feature_scores(run_id: str, result: dict[str, Any]) -> None:
    """Draw what was reached so far beside the run's own accuracy, and the choice of what to try."""
    frame = data.feature_scores(run_id)
    with st.container(horizontal=True, vertical_alignment="bottom", key="classify"):
        chosen = st.pills(
            "Classify its features with …", list(NAMES), selection_mode="multi", default=["svm"],
            format_func=NAMES.__getitem__, key="feature_classifiers", help=WHAT,
        )  # fmt: skip
        is_busy = any(job.is_running for job in data_jobs.jobs_in(_root(run_id)))
        if st.button("Classify", icon=":material/scatter_plot:", disabled=not chosen or is_busy, key="classify_now"):
            _start(run_id, chosen)
            st.rerun()
    STRIP.draw(_root(run_id))
    if not frame.is_empty():
        _table(frame, result)


def _table(frame: pl.DataFrame, result: dict[str, Any]) -> None:
    rows = [_own(output, result["test"][output]) for output in result["outputs"] if result["test"].get(output)]
    rows += [
        {
            "Output": row["output"],
            "Classifier": NAMES.get(row["classifier"], row["classifier"]),
            "Test accuracy": percent(row["test_accuracy"]),
            "95 % interval": percent_interval(row["test_low"], row["test_high"]),
            "n": count(row["test_n"]),
            "Setting": row["setting"],
            "Learnt on": count(row["n_train"]),
        }
        for row in frame.iter_rows(named=True)
    ]
    table = pl.DataFrame(rows).sort("Output", maintain_order=True)
    right = st.column_config.TextColumn(alignment="right")
    st.dataframe(
        table,
        hide_index=True,
        column_config=dict.fromkeys(("Test accuracy", "95 % interval", "n", "Learnt on"), right),
        alt="Test accuracy of the run's own classifier and of others on its features",
    )
    features = ", ".join(sorted({count(number) for number in frame["num_features"].to_list()}))
    st.caption(f"{features} features of each image. {WHAT} Intervals are of Wilson.")


def _own(output: str, test: dict[str, Any]) -> dict[str, Any]:
    from cnnlab.analysis.intervals import wilson

    return {
        "Output": output,
        "Classifier": "The run's own",
        "Test accuracy": percent(test["accuracy"]),
        "95 % interval": percent_interval(*wilson(int(test["correct"]), int(test["n"]))),
        "n": count(test["n"]),
        "Setting": "",
        "Learnt on": "",
    }


def _start(run_id: str, classifiers: list[str]) -> Job:
    """Run `python -m cnnlab features` as a child that outlives the dashboard."""
    flags = [word for name in classifiers for word in ("--classifier", name)]
    arguments = ["cnnlab", "features", run_id, *flags, "--json", "--progress-json"]
    root = data.store().root
    return data_jobs.start(
        root, f"features-{run_id}", "Classifying", arguments, folder=_root(run_id) / uuid.uuid4().hex[:12]
    )


def _root(run_id: str) -> Path:
    return data.store().root / "cache" / "classifying" / run_id
