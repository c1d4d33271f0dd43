"""The runs that train or wait now, with their progress, drawn anew while there are any."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from dashboard import data
from dashboard.components.numbers import duration
from dashboard.components.status import status_badge
from dashboard.components.text import plain
from dashboard.state import link

EVERY_S = 2.0
SHOWN = 6


def active_runs(runs: pl.DataFrame) -> pl.DataFrame:
    """Return the running runs, then the queued ones, each in the order they were created."""
    active = runs.filter(pl.col("state").is_in(data.RUNNING_STATES))
    return active.sort(pl.col("state") == "queued", "created_at")


def progress_share(progress: Mapping[str, Any]) -> float:
    """Return how much of a run is done, in [0, 1], from its `progress.json`."""
    epochs, batches = progress.get("epochs") or 0, progress.get("batches") or 0
    if not epochs:
        return 0.0
    done = max(0, (progress.get("epoch") or 1) - 1) + ((progress.get("batch") or 0) / batches if batches else 0)
    return min(1.0, done / epochs)


def progress_text(progress: Mapping[str, Any]) -> str:
    """Return `'Epoch 3 of 20, about 12 s left'`."""
    if not progress.get("epochs"):
        return "Starting"
    text = f"Epoch {progress.get('epoch') or 1} of {progress['epochs']}"
    return text if progress.get("eta_s") is None else f"{text}, about {duration(progress['eta_s'])} left"


def live_runs(key: str, runs: pl.DataFrame) -> None:
    """Draw the strip of active runs; when one starts or ends the whole page is drawn anew."""
    drawn = _states(runs)

    def strip() -> None:
        now = active_runs(data.summaries())
        if _states(now) != drawn:
            st.rerun(scope="app")
        _draw(now)

    if drawn:
        with st.container(key=key):
            st.fragment(strip, run_every=EVERY_S)()


def _states(runs: pl.DataFrame) -> set[tuple[str, str]]:
    return set(active_runs(runs).select("run_id", "state").iter_rows())


def _draw(active: pl.DataFrame) -> None:
    for row in active.head(SHOWN).iter_rows(named=True):
        with st.container(border=True, gap="small"):
            with st.container(horizontal=True, vertical_alignment="center"):
                link("run", plain(row["name"] or row["run_id"]), run=row["run_id"])
                status_badge(row["state"])
                st.caption(f"{row['architecture']} on {row['dataset']}, seed {row['seed']}", width="content")
            if row["state"] == "running":
                progress = data.store().read_progress(row["run_id"]) or {}
                st.progress(progress_share(progress), text=progress_text(progress))
    if active.height > SHOWN:
        link("queue", f"and {active.height - SHOWN} more in the queue")
