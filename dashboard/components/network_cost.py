"""What the chosen network costs, beside the form."""

from typing import Any

import streamlit as st

from cnnlab.analysis.training_memory import from_document, slots_name
from cnnlab.architectures.catalogue import get_architecture
from cnnlab.config import RunConfig
from dashboard import data
from dashboard.components.answers import when_answered
from dashboard.components.epoch_estimate import draw_estimate
from dashboard.components.explorer_address import address_of, differing, usual
from dashboard.components.numbers import count, short
from dashboard.components.train_sections import dataset_choices
from dashboard.state import link

CONVENTION = (
    "Multiply-accumulates for one image: convolutions, dense and attention layers; bias, activations and "
    "normalisation left out. FLOPs are twice that."
)
MEMORY_NOTE = (
    "Estimated peak while training with this batch size and optimizer: weights, gradients, optimizer and what the "
    "backward pass keeps. The framework itself takes several hundred MB more."
)


def network_cost(config: RunConfig) -> None:
    """Draw parameters, multiply-accumulates, memory and time per epoch of the config's network."""
    with st.container(border=True, key="cost_card"):
        if config.data.dataset not in dataset_choices():  # the form has said so, with the way out
            st.caption("What it costs is known as soon as its data set is in this store.")
            return
        when_answered(
            lambda: data.costs(config),
            lambda costs: _draw(costs, config),
            "Building the network to count it …",
            key="network_cost",
        )
        link("explorer", "Look at this network", **_address(config))


def _draw(costs: dict[str, Any], config: RunConfig) -> None:
    training = config.training
    optimizer = slots_name(training.optimizer, training.momentum)
    memory = from_document(costs["training_memory"]).peak_bytes(training.batch_size, optimizer)
    with st.container(horizontal=True, gap="medium"):
        st.metric("Parameters", count(costs["num_params"]), help=f"{count(costs['trainable_params'])} are trained.")
        st.metric("MACs of one image", short(costs["macs"]), help=CONVENTION)
        st.metric("Training memory", short(memory, "B"), help=MEMORY_NOTE)
        source = draw_estimate(config, costs["macs"])
    st.caption(source)
    st.caption(CONVENTION)
    if costs.get("not_counted"):
        st.caption(f"Not counted: {', '.join(map(str, costs['not_counted']))}.")


def _address(config: RunConfig) -> dict[str, str]:
    """Return the address of the explorer with this network, for images of its data set."""
    entry = get_architecture(config.architecture.name)
    choice = dataset_choices().get(config.data.dataset)
    channels = choice.image_shape[2] if choice and choice.image_shape[2] else usual(entry)["channels"]
    classes = len(next(iter(choice.outputs.values()))) if choice and choice.outputs else usual(entry)["classes"]
    return address_of(entry, differing(entry, config.architecture.parameters), config.image_size, channels, classes)
