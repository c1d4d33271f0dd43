"""Which kernel the lab slides: of the catalogue, typed into cells, or a filter of a trained run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import streamlit as st
from numpy.typing import NDArray

from cnnlab.convolution.kernels import KERNELS, get_kernel, nearest_size
from cnnlab.convolution.kernels import LARGEST as LARGEST_SIZE
from dashboard import data
from dashboard.components.answers import when_answered
from dashboard.components.comparing import run_label
from dashboard.components.convolution_cells import number_cells
from dashboard.components.text import plain
from dashboard.state import query, set_query

OWN, TRAINED = "own", "trained"
LAYER = "filters_layer"
TITLES = {name: entry.title for name, entry in KERNELS.items()} | {
    OWN: "One's own, cell by cell",
    TRAINED: "Filter of a trained run",
}


@dataclass(frozen=True)
class Bank:
    """Kernels of one size, the chosen one first, then what further filters take.

    Attributes:
        kernels: `(F, F)` each, or `(F, F, channels)` of a trained filter that takes these channels.
    """

    titles: tuple[str, ...]
    kernels: tuple[NDArray[np.float64], ...]
    is_typed: bool = False

    @property
    def size(self) -> int:
        return int(self.kernels[0].shape[0])


def choose_kernel(channels: int) -> Bank | None:
    """Draw the menu of kernels and their size; nothing while a trained one is being fetched.

    Args:
        channels: Of the input, which a trained filter may fit as a whole.
    """
    name = st.selectbox("Kernel", list(TITLES), format_func=TITLES.__getitem__, key="kernel", bind="query-params")
    if name == TRAINED:
        return _trained(channels)
    sizes = get_kernel(name).sizes if name in KERNELS else tuple(range(1, LARGEST_SIZE + 1))
    size = choose_size(sizes)
    if name == OWN:
        st.caption("Type numbers into the cells. The address keeps them.")
        own = number_cells("cells", KERNELS["identity"].matrix(size))
        return replace(_with_others("Own kernel", own), is_typed=True)
    entry = get_kernel(name)
    seed = 0
    if entry.is_drawn:
        seed = int(st.number_input("Seed", 0, 999, 0, key="kernel_seed", bind="query-params"))
    st.caption(f"{entry.summary} ({entry.source})")
    return _with_others(entry.title, entry.matrix(size, seed), leave_out=name)


def choose_size(sizes: Sequence[int], label: str = "Kernel size F") -> int:
    """Draw the slider of sizes; one that the kernel does not have becomes the nearest that it has."""
    current = st.session_state.get("size", 3)
    if current not in sizes:
        st.session_state["size"] = min(sizes, key=lambda other: (abs(other - current), other))
    size: int = st.select_slider(
        label, list(sizes), value=3 if 3 in sizes else sizes[0], key="size",
        bind="query-params",
    )  # fmt: skip
    return size


def _with_others(title: str, kernel: NDArray[np.float64], leave_out: str = "") -> Bank:
    """Return the chosen kernel, then those of the catalogue in the same size, for further filters."""
    size = kernel.shape[0]
    others = [entry for entry in KERNELS.values() if entry.name != leave_out and nearest_size(entry, size) == size]
    return Bank((title, *(entry.title for entry in others)), (kernel, *(entry.matrix(size) for entry in others)))


# ---- trained filters ----


def _trained(channels: int) -> Bank | None:
    runs = data.summaries().filter(pl.col("state") == "completed").sort("created_at", descending=True).head(200)
    if runs.is_empty():
        st.info("No run has completed yet. Train a network first; its filters can then be laid on any image.")
        return None
    labels = {row["run_id"]: run_label(row) for row in runs.iter_rows(named=True)}
    run_id = st.selectbox(
        "Run", list(labels), format_func=labels.__getitem__, key="filters_of", bind="query-params",
        on_change=set_query, kwargs={LAYER: None},
    )  # fmt: skip
    layer = query(LAYER)
    if layer and data.ask_later("filters", run_id=run_id, layer=layer).error:
        layer = ""  # a link to another network: the first layer of this one

    def ask() -> data.Answer:
        return data.ask_later("filters", run_id=run_id, **({"layer": layer} if layer else {}))

    answer = ask()
    if answer.value is None:
        when_answered(ask, lambda _: None, "Reading the filters of the run …", key="filters_answer")
        return None
    return _choose_filter(run_id, answer.value, channels)


def _choose_filter(run_id: str, answer: dict[str, Any], channels: int) -> Bank | None:
    if not answer:
        return None
    shapes = {row["name"]: row["shape"] for row in answer["layers"]}
    layer = st.selectbox(
        "Layer", list(shapes), index=list(shapes).index(answer["layer"]),
        format_func=lambda name: f"{name} ({'×'.join(map(str, shapes[name]))})",
        key=f"lab.layer.{run_id}",
        help="Height × width × channels × filters.",
    )  # fmt: skip
    if layer != answer["layer"]:
        set_query(**{LAYER: layer})
        st.rerun()
    weights = np.asarray(answer["weights"])
    if weights.shape[0] != weights.shape[1] or weights.shape[0] > LARGEST_SIZE:
        st.warning(
            f"The filters of {plain(layer)} are {weights.shape[0]}×{weights.shape[1]}. Expected a square of at most "
            f"{LARGEST_SIZE}×{LARGEST_SIZE}. Choose another layer."
        )
        return None
    number = int(st.number_input("Filter", 1, weights.shape[3], 1, key="filter", bind="query-params",
                                 help=f"1 to {weights.shape[3]} of {shapes[layer][3]}")) - 1  # fmt: skip
    if layer == next(iter(shapes)):
        st.caption("The network scales its pixels before this layer; here they are as they are.")
    order = [*range(number, weights.shape[3]), *range(number)]
    titles = tuple(f"Filter {place + 1}" for place in order)
    if weights.shape[2] == channels:
        return Bank(titles, tuple(weights[..., place] for place in order))
    channel = int(st.number_input("Its channel", 1, weights.shape[2], 1, key="filter_channel", bind="query-params",
                                  help=f"1 to {weights.shape[2]} of {shapes[layer][2]}")) - 1  # fmt: skip
    st.caption(
        f"This layer sees {shapes[layer][2]} channels, the input has {channels}: one channel of the filter is shown."
    )
    return Bank(titles, tuple(weights[:, :, channel, place] for place in order))
