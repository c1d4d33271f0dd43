"""A list of images, a page of them at a time: what networks say of each, and where one of them looked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab.analysis.image_answers import ImageAnswers, top_classes
from cnnlab.datasets.catalogue import DATASETS
from cnnlab.errors import CNNLabError
from cnnlab.plots.heat_overlay import heat_overlay
from cnnlab.plots.labels import plural
from dashboard import data, image_data
from dashboard.components import data_jobs
from dashboard.components.image_cards import Card, Said, cards_html, legend_html
from dashboard.components.text import plain
from dashboard.image_data import Side
from dashboard.state import link, query, set_query

PER_PAGE = 12
PAGE = "images_page"
OF_LIST = "images_page_of"
TOP = 5
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
class Voice:
    """Who says something of the images, and in which place of their answers each listed image is.

    Attributes:
        letter: `A`, `B`, or empty where there is one only.
    """

    side: Side
    answers: ImageAnswers
    places: NDArray[np.int64]
    letter: str = ""


@dataclass(frozen=True)
class ImageList:
    """Images in the order in which they are shown; the first voice decides whose data and whose network it is."""

    voices: Sequence[Voice]
    output: str
    split: str
    classes: tuple[str, ...]

    @property
    def n(self) -> int:
        return len(self.voices[0].places)

    @property
    def is_alone(self) -> bool:
        """Whether the network has one output only."""
        return len((data.result(self.voices[0].side.run_ids[0]) or {}).get("outputs") or {}) < 2


def draw_images(images: ImageList, key: str, empty: str) -> None:
    """Draw a page of the images, from the memory map of the version that the run recorded.

    Args:
        key: Of the list: another list begins with its first page.
        empty: Said where there is none.
    """
    if not images.n:
        st.caption(f":material/check: {empty}")
        return
    try:
        opened = image_data.dataset(images.voices[0].side.run_ids[0])
        with st.container(horizontal=True, vertical_alignment="center", key="image_choices"):
            rows = _page(images, key)
            looking = _choose_looking(images)
        ids = [images.voices[0].answers.sample_ids[images.voices[0].places[row]] for row in rows]
        pictures = image_data.pixels(opened, images.split, ids)
    except CNNLabError as error:
        draw_gone(images.voices[0].side.run_ids[0], error)
        return
    if looking is not None:
        _draw_looked(images, rows, ids, pictures, looking)
    else:
        st.html(cards_html(_cards(images, rows, ids, pictures)))


@dataclass(frozen=True)
class _Looking:
    """What is asked: whose network, about which class, and by which method."""

    voice: Voice
    asked: str
    method: str


def _choose_looking(images: ImageList) -> _Looking | None:
    """Draw the choices of where a network looked; None while nobody wants to know."""
    if not st.toggle("Where it looked", key="looked", bind="query-params", help=LOOKED_HELP):
        return None
    voice = images.voices[0]
    if len(images.voices) > 1:
        letters = {one.letter: one for one in images.voices}
        voice = letters[_choice("Whose", "whose", {letter: letter for letter in letters})]
    asked, method = _choice("Asked", "asked", ASKED), _choice("Method", "method", METHODS)
    with st.popover("How to read this", icon=":material/help:", type="tertiary", key="looked_how"):
        st.markdown(HOW_TO_READ)
    return _Looking(voice, asked, method)


def _choice(label: str, key: str, names: Mapping[str, str]) -> str:
    return str(
        st.segmented_control(
            label, list(names), format_func=names.__getitem__, default=next(iter(names)), required=True, key=key,
            bind="query-params", label_visibility="collapsed",
        )
    )  # fmt: skip


def draw_gone(run_id: str, error: Exception) -> None:
    """Say that the images are gone, with what can be done."""
    config = data.config(run_id)
    name = config.data.dataset
    st.warning(plain(error), icon=":material/hide_image:")
    with st.container(horizontal=True, vertical_alignment="center"):
        link("datasets", "Data sets", set=name)
        if name in DATASETS and st.button("Make it again", icon=":material/refresh:", key="make_images_again"):
            root = data.store().root
            arguments = data_jobs.build_arguments(root, name, config.data.parameters)
            data_jobs.start(root, name, f"Make {DATASETS[name].title}", arguments, is_quiet=True)
            st.toast("It is being made; its progress is on the page of the data sets.", icon=":material/refresh:")


def _page(images: ImageList, key: str) -> range:
    """Draw the choice of the page, which stands in the address; another list begins with its first."""
    pages = -(-images.n // PER_PAGE)
    is_other = st.session_state.get(OF_LIST, key) != key
    st.session_state[OF_LIST] = key
    asked = query(PAGE)
    default = min(pages, int(asked)) if asked.isdecimal() and int(asked) and not is_other else 1
    page = st.pagination(pages, key=f"page.{key}", default=default) if pages > 1 else 1
    set_query(**{PAGE: str(page) if page > 1 else None})
    first = (page - 1) * PER_PAGE
    last = min(images.n, first + PER_PAGE)
    st.caption(f"{first + 1:,} to {last:,} of {plural(images.n, 'image')}", width="content")
    return range(first, last)


def _cards(
    images: ImageList,
    rows: Sequence[int],
    ids: Sequence[str],
    pictures: Sequence[np.ndarray | None],
    overlays: Sequence[tuple[np.ndarray | None, str]] | None = None,
) -> list[Card]:
    first = images.voices[0]
    said = [_all_said(images, row) for row in rows]
    return [
        Card(
            name=sample_id,
            picture=picture,
            true=images.classes[first.answers.labels[first.places[row]]],
            said=told,
            overlay=overlay,
            overlay_note=note,
        )
        for row, sample_id, picture, told, (overlay, note) in zip(
            rows, ids, pictures, said, overlays or [(None, "")] * len(ids), strict=True
        )
    ]


def _all_said(images: ImageList, row: int) -> list[Said]:
    found = []
    for voice in images.voices:
        place = voice.places[row]
        shares = voice.answers.probabilities[place]
        top = top_classes(shares[None], TOP if len(images.voices) == 1 else 3)[0]
        runs = voice.answers.num_runs
        note = f"{voice.answers.votes[place]} of {runs} runs right" if runs > 1 else ""
        found.append(Said(voice.letter, [(images.classes[number], float(shares[number])) for number in top], note))
    return found


def _draw_looked(
    images: ImageList,
    rows: Sequence[int],
    ids: Sequence[str],
    pictures: Sequence[np.ndarray | None],
    looking: _Looking,
) -> None:
    """Draw the images at once, and where the network looked as soon as that is known."""
    voice = looking.voice
    answers, places = voice.answers, voice.places[list(rows)]
    classes = answers.labels[places] if looking.asked == "true" else answers.predicted_by_run[0, places]
    there = [number for number, picture in enumerate(pictures) if picture is not None]
    run_id = voice.side.run_ids[0]

    def ask() -> data.Answer:
        chosen = [ids[number] for number in there]
        output = None if images.is_alone else images.output
        return image_data.looked(run_id, images.split, output, chosen, classes[there].tolist(), looking.method)

    first = ask()
    looks = iter([first])

    def body() -> None:
        answer = next(looks, None) or ask()
        if first.is_pending and not answer.is_pending:
            st.rerun()  # the whole page once, so that the looking ends
        if answer.is_pending:
            st.caption(f":material/hourglass_top: {WAITING}")
        if answer.error:
            st.warning(plain(answer.error), icon=":material/error:")
            if st.button("Try again", key="look_again", icon=":material/refresh:"):
                st.rerun()
        overlays: list[tuple[np.ndarray | None, str]] = [(None, "")] * len(ids)
        if answer.value:
            _say_method(answer.value, voice, run_id)
            for number, told in zip(there, answer.value["maps"], strict=True):
                overlays[number] = _overlay(pictures[number], told, images.classes[classes[number]], answer.value)
        st.html(cards_html(_cards(images, rows, ids, pictures, overlays)))

    st.fragment(body, run_every=LOOK_EVERY_S if first.is_pending else None)()


def _overlay(picture: Any, told: dict[str, Any] | None, asked: str, value: dict[str, Any]) -> tuple[Any, str]:
    if told is None:
        return None, "no time was left for this image"
    text = f"for {asked}"
    if value["method"] == "occlusion":
        text += f": falls by up to {100 * told['peak']:.1f} points"
    elif not np.any(told["values"]):
        text += ": nothing speaks for it"
    return heat_overlay(picture, np.array(told["values"])), text


def _say_method(value: dict[str, Any], voice: Voice, run_id: str) -> None:
    """Say which method it is and what its colours mean."""
    whose = ""
    if voice.side.is_group or voice.letter:
        whose = f" Of {voice.letter or 'the group'}, run {run_id}."
    if value["method"] == "grad_cam":
        text, ends = f"Grad-CAM on the map of the layer {value['layer']}.", ("says nothing for it", "says most for it")
    else:
        why = f" {value['reason']}" if value["reason"] else ""
        text, ends = f"Occlusion.{why}", ("nothing changes when covered", "the probability falls most")
    missing = sum(told is None for told in value["maps"])
    late = f" There was no time for {plural(missing, 'image')}: reload to go on." if missing else ""
    st.caption(plain(f"{text}{whose}{late}"))
    st.html(legend_html(*ends))
