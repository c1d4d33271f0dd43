"""How long an epoch will take: from completed runs of this machine, said with how many and how."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from cnnlab import processes
from cnnlab.analysis.epoch_time import Basis, EpochTime, epoch_time
from cnnlab.config import RunConfig
from cnnlab.datasets.catalogue import DATASETS
from cnnlab.runs.status import read_status
from dashboard import data
from dashboard.components.numbers import MISSING, duration

UNKNOWN = "not known yet: train once"
# The newest tell of today's machine; each costs a small file once.
MOST_RUNS = 200
BASES: Mapping[Basis, str] = {
    "same": "of this network",
    "family": "of this architecture, scaled by MACs",
    "others": "of other networks, scaled by MACs: a rough guess",
}


def draw_estimate(config: RunConfig, macs: int | None) -> str:
    """Draw the time of an epoch; return the sentence that says where it comes from, or why it is not known."""
    num_images = training_images(config)
    found = epoch_time(measured_runs(), config.architecture.name, macs, num_images)
    text = sentence(found, num_images)
    st.metric(
        "Time per epoch", f"≈ {duration(found.seconds)}" if found else MISSING, help=f"{text[0].upper()}{text[1:]}."
    )
    return f"Time per epoch: {text}."


def sentence(found: EpochTime | None, num_images: int | None) -> str:
    """Return where the estimate comes from, or that there is none.

    >>> sentence(EpochTime(10.0, 3, "same"), 1000)
    'from 3 completed runs of this network on this machine, for 1,000 training images'
    """
    if num_images is None:
        return "not known yet: the data set is built at the first training"
    if found is None:
        return UNKNOWN
    runs = "1 completed run" if found.num_runs == 1 else f"{found.num_runs} completed runs"
    what, _, how = BASES[found.basis].partition(", ")
    scaled = f", {how}" if how else ""
    return f"from {runs} {what} on this machine{scaled}, for {num_images:,} training images"


def training_images(config: RunConfig) -> int | None:
    """Return how many images an epoch of `config` has, None where its data set is not in the store."""
    name, version, parameters = config.data.dataset, config.data.version, dict(config.data.parameters)
    for info in data.datasets():
        is_asked = info.version == version if version else name not in DATASETS or dict(info.parameters) == parameters
        if info.name == name and is_asked:
            return info.counts.get("train")
    return None


def measured_runs() -> list[dict[str, Any]]:
    """Return architecture, macs and images_per_s of the newest completed runs of this machine."""
    runs = data.summaries().filter((pl.col("state") == "completed") & (pl.col("images_per_s") > 0))
    newest = runs.sort("created_at", descending=True).head(MOST_RUNS)
    rows = newest.select("run_id", "architecture", "macs", "images_per_s").iter_rows(named=True)
    here = processes.host_name()
    return [row for row in rows if _host(str(data.store().runs_dir), row["run_id"]) == here]


@st.cache_resource(max_entries=4000, show_spinner=False)
def _host(runs_dir: str, run_id: str) -> str | None:  # noqa: ARG001 the key
    return read_status(data.store().runs_dir / run_id).host
