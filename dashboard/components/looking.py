"""Where a network looked: what is asked, what is known so far, and the colours laid over the images."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from cnnlab.plots.heat_overlay import heat_overlay
from dashboard import data
from dashboard.components.address_choice import address_choice
from dashboard.components.image_cards import legend_html
from dashboard.components.image_voices import ImageList, Voice
from dashboard.components.text import plain

LOOK_EVERY_S = 0.7
METHODS = {"auto": "Grad-CAM", "occlusion": "Occlusion"}
ASKED = {"predicted": "For what it said", "true": "For the true class"}
LOOKED_HELP = "Colours on each image where the network found what speaks for a class."
WAITING = "The network looks at these images. The first time takes some ten seconds, for Keras has to be loaded."
HOW_TO_READ = """\
The right picture is the image in grey, with colours where the network found **what speaks for the class named under
it**: the brighter, the more. Colours are scaled image by image, so two images cannot be compared by their brightness.

- **Grad-CAM** (Selvaraju et al. 2016, [arXiv:1610.02391](https://arxiv.org/abs/1610.02391)) weighs the last map of
  the convolutions by how much each channel raises the class. That map has few places, so the colours are coarse:
  they say *where*, never *which edge*. Only what speaks for the class is shown, not what speaks against it.
- **Occlusion** (Zeiler and Fergus 2013, [arXiv:1311.2901](https://arxiv.org/abs/1311.2901)) paints a square of the
  data set's mean colour over each place in turn and looks how far the probability falls. It works with any network,
  slowly. Where two places tell the same, covering one of them changes little.
- Neither proves why: a network may look at the right place for a wrong reason. What looks at the background in many
  images of a class is worth a check of the data.
"""


@dataclass(frozen=True)
class Looking:
    """What is asked: whose network, about which class, and by which method."""

    voice: Voice
    asked: str
    method: str


def choose_looking(images: ImageList) -> Looking | None:
    """Draw the choices of where a network looked; None while nobody wants to know."""
    if not st.toggle("Where it looked", key="looked", bind="query-params", help=LOOKED_HELP):
        return None
    voice = images.voices[0]
    if len(images.voices) > 1:
        letters = {one.letter: one for one in images.voices}
        voice = letters[address_choice("Whose", {letter: letter for letter in letters}, "whose")]
    asked, method = address_choice("Asked", ASKED, "asked"), address_choice("Method", METHODS, "method")
    with st.popover("How to read this", icon=":material/help:", type="tertiary", key="looked_how"):
        st.markdown(HOW_TO_READ)
    return Looking(voice, asked, method)


@dataclass(frozen=True)
class Seen:
    """What is known so far of where a network looked.

    Attributes:
        maps: By the number of the image on its page.
        value: The last answer, None before the first.
    """

    maps: dict[int, dict[str, Any]]
    value: dict[str, Any] | None
    is_pending: bool = False
    error: str = ""


def seen_so_far(ask: Callable[[list[int]], data.Answer], numbers: list[int]) -> Seen:
    """Ask about images; those that a slow network had no time for are asked about again."""
    maps: dict[int, dict[str, Any]] = {}
    value = None
    while numbers:
        answer = ask(numbers)
        if answer.is_pending or answer.error:
            return Seen(maps, value, answer.is_pending, answer.error)
        value = answer.value
        found = {number: told for number, told in zip(numbers, value["maps"], strict=True) if told is not None}
        if not found:
            break
        maps |= found
        numbers = [number for number in numbers if number not in found]
    return Seen(maps, value)


def overlay_of(picture: np.ndarray | None, seen: Seen, number: int, asked: str) -> tuple[np.ndarray | None, str]:
    told = seen.maps.get(number)
    if told is None or picture is None or seen.value is None:
        return (
            None,
            "" if seen.is_pending or seen.error or picture is None else "the network is too slow for this image",
        )
    text = f"for {asked}"
    if seen.value["method"] == "occlusion":
        text += f": falls by up to {100 * told['peak']:.1f} points"
    elif not np.any(told["values"]):
        text += ": nothing speaks for it"
    return heat_overlay(picture, np.array(told["values"])), text


def say_method(value: dict[str, Any], voice: Voice, run_id: str) -> None:
    """Say which method it is and what its colours mean."""
    whose = ""
    if voice.side.is_group or voice.letter:
        whose = f" Of {voice.letter or 'the group'}, run {run_id}."
    if value["method"] == "grad_cam":
        text = f"Grad-CAM (Selvaraju et al. 2016, arXiv:1610.02391) on the map of the layer {value['layer']}."
        ends = ("says nothing for it", "says most for it")
    else:
        why = f" {value['reason']}" if value["reason"] else ""
        text = f"Occlusion (Zeiler and Fergus 2013, arXiv:1311.2901) by squares a quarter of the image wide.{why}"
        ends = ("nothing changes when covered", "the probability falls most")
    st.caption(plain(f"{text}{whose}"))
    st.html(legend_html(*ends))
