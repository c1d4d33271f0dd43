"""The paper behind a network, and our count of parameters against the published one."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from cnnlab.architectures.entry import Architecture, Published
from dashboard.components.draft import draft, fill
from dashboard.components.explorer_address import address_of
from dashboard.components.explorer_choice import Chosen
from dashboard.components.numbers import count
from dashboard.components.text import plain
from dashboard.forms import choice_title
from dashboard.state import go, link


def paper_card(chosen: Chosen, key: str) -> None:
    """Draw year, authors, title and key idea, and the button that carries the network into the training form."""
    entry = chosen.entry
    st.subheader(plain(entry.label), anchor=False)
    if entry.authors:
        st.markdown(f"{plain(entry.authors)}, {entry.year}: *{plain(entry.paper)}*.")
    st.markdown(f"**{plain(entry.key_idea or entry.summary)}**")
    st.caption(plain(f"{entry.summary} {entry.source}." if entry.source else entry.summary))
    if entry.small_images and chosen.image_px < entry.natural_px:
        st.caption(f"For images smaller than the paper's: {plain(entry.small_images)}")
    if st.button("Train this", icon=":material/play_arrow:", type="primary", key=f"{key}_train"):
        train(chosen)


def train(chosen: Chosen) -> None:
    """Open the training form with this network; data and training settings stay as they are there."""
    values = draft()
    image_size = None if chosen.image_px == chosen.entry.natural_px else chosen.image_px
    values["architecture"] = {"name": chosen.entry.name, "parameters": chosen.entry.brief(chosen.parameters)}
    values["data"] = values["data"] | {"image_size": image_size}
    fill(values)
    go("train")


def published_counts(chosen: Chosen, document: Mapping[str, Any]) -> None:
    """Compare the count with the published one, or lead to the network of the paper."""
    entry = chosen.entry
    if not entry.published:
        return
    match = published_of(chosen)
    ours = document["trainable_params"]
    if match and _is_same_task(match, chosen):
        verdict = (
            ":green[:material/check:] the same" if ours == match.params else f"{ours - match.params:+,} parameters"
        )
        counts = f"ours {count(ours)}, published {count(match.params)}"
        st.markdown(f"Trained parameters: {counts}: {verdict} ({plain(match.source)}).")
    elif match:
        st.markdown(
            f"Published: {count(match.params)} for {_task(match)} ({plain(match.source)}); here {count(ours)} for "
            f"{chosen.num_classes:,} classes and {_channels(chosen.channels)}."
        )
    else:
        st.markdown("These settings have no published count.")
    others = [one for one in entry.published if one is not match or not _is_same_task(one, chosen)]
    if others:
        with st.expander(f"Published networks of this family ({len(others)})", icon=":material/menu_book:"):
            for one in others:
                _link_to(entry, one)


def published_of(chosen: Chosen) -> Published | None:
    """Return the published network with these settings, whatever its classes and channels."""
    mine = chosen.entry.check(chosen.parameters)
    return next((one for one in chosen.entry.published if chosen.entry.check(one.parameters) == mine), None)


def _is_same_task(one: Published, chosen: Chosen) -> bool:
    return (one.num_classes, one.channels) == (chosen.num_classes, chosen.channels)


def _link_to(entry: Architecture, one: Published) -> None:
    settings = ", ".join(f"{name.replace('_', ' ')} {choice_title(value)}" for name, value in one.parameters.items())
    label = f"{plain(settings) or 'Default settings'}: {count(one.params)} for {_task(one)}, {plain(one.source)}"
    query = address_of(entry, one.parameters, entry.natural_px, one.channels, one.num_classes)
    link("explorer", label, icon=":material/arrow_forward:", **query)


def _task(one: Published) -> str:
    return f"{one.num_classes:,} classes and {_channels(one.channels)}"


def _channels(channels: int) -> str:
    return {1: "grey images", 3: "colour images"}.get(channels, f"images of {channels} channels")
