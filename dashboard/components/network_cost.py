"""What the chosen network costs, beside the form."""

from typing import Any

import streamlit as st

from cnnlab.config import RunConfig
from dashboard import data
from dashboard.components.answers import when_answered
from dashboard.components.numbers import count, short

CONVENTION = (
    "Multiply-accumulates for one image: convolutions, dense and attention layers; bias, activations and "
    "normalisation left out. FLOPs are twice that."
)


def network_cost(config: RunConfig) -> None:
    """Draw parameters and multiply-accumulates of the config's network."""
    when_answered(lambda: data.costs(config), _draw, "Building the network to count it …", key="network_cost")


def _draw(costs: dict[str, Any]) -> None:
    with st.container(horizontal=True, gap="medium"):
        st.metric("Parameters", count(costs["num_params"]), help=f"{count(costs['trainable_params'])} are trained.")
        st.metric("MACs of one image", short(costs["macs"]), help=CONVENTION)
    if costs.get("not_counted"):
        st.caption(f"Not counted: {', '.join(map(str, costs['not_counted']))}.")
