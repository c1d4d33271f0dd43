"""The part of the training form for several outputs: a weight and a rate for each, or weights that are learnt."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from cnnlab.parameters import specs
from cnnlab.settings.heads import HIGHEST_RATE, HIGHEST_WEIGHT, HeadsConfig
from dashboard.components.draft import PREFIX
from dashboard.components.train_sections import dataset_choices
from dashboard.forms import draw, help_text, number_format, put

KEY = f"{PREFIX}heads"


def heads_section(chosen: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """Draw a row per output where the chosen data have several, and return that part of the config.

    Args:
        chosen: The `data` part of the config.
        values: Its `heads` part, with which the widgets begin.
    """
    outputs = learnt_outputs(chosen)
    if not outputs:
        return values  # a data set that this store lacks: what was asked for stays
    if len(outputs) == 1 and not set(values["rates"]) & set(outputs):
        return HeadsConfig().model_dump()
    known = {spec.name: spec for spec in specs(HeadsConfig)}
    with st.expander("Several outputs", icon=":material/call_split:"):
        put(f"{KEY}.learnt", values["uncertainty_weighting"])
        is_learnt = len(outputs) > 1 and draw(known["uncertainty_weighting"], f"{KEY}.learnt")
        weights, rates = {}, {}
        for output in outputs:
            left, right = st.columns(2)
            first = values["weights"].get(output, 1.0)
            if is_learnt:
                left.markdown(f"**{output}**")
            else:
                weights[output] = _number(left, f"Weight of {output}", f"{KEY}.weight.{output}", first, HIGHEST_WEIGHT,
                                          help_text(known["weights"]))  # fmt: skip
            rates[output] = _number(
                right, f"Learning-rate factor of {output}", f"{KEY}.rate.{output}", values["rates"].get(output, 1.0),
                HIGHEST_RATE, help_text(known["rates"]),
            )  # fmt: skip
        st.caption(_said(is_learnt))
    return {"weights": _changed(weights), "rates": _changed(rates), "uncertainty_weighting": bool(is_learnt)}


def learnt_outputs(chosen: dict[str, Any]) -> Sequence[str]:
    """Return the outputs that a run on these data learns, in their order; none where they are not known."""
    choice = dataset_choices().get(chosen["dataset"])
    return [name for name in (choice.outputs if choice else ()) if not chosen["outputs"] or name in chosen["outputs"]]


def _number(place: Any, label: str, key: str, first: float, high: float, told: str) -> float:
    put(key, float(first))
    value = float(st.session_state[key])
    return float(
        place.number_input(
            label, min_value=0.0, max_value=high, step=0.1, format=number_format(value), key=key, help=told
        )
    )


def _changed(numbers: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in numbers.items() if value != 1.0}


def _said(is_learnt: bool) -> str:
    if is_learnt:
        return (
            "The loss is the sum of exp(-s) · loss + s / 2 over the outputs, with one s for each that is learnt. "
            "The weights exp(-s) are drawn on the run's page."
        )
    return "The loss is the sum of the outputs' losses, each times its weight."
