"""A list of images, a page of them at a time: what networks say of each, and where one of them looked."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cnnlab.analysis.image_answers import top_classes
from cnnlab.datasets.catalogue import DATASETS
from cnnlab.errors import CNNLabError
from cnnlab.plots.labels import plural
from dashboard import data, image_data
from dashboard.components import data_jobs
from dashboard.components.image_cards import Card, Said, cards_html
from dashboard.components.image_voices import ImageList
from dashboard.components.looking import (
    LOOK_EVERY_S,
    WAITING,
    Looking,
    choose_looking,
    overlay_of,
    say_method,
    seen_so_far,
)
from dashboard.components.text import plain
from dashboard.state import link, query, set_query

PER_PAGE = 12
PAGE = "images_page"
OF_LIST = "images_page_of"
TOP = 5


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
            looking = choose_looking(images)
        ids = [images.voices[0].answers.sample_ids[images.voices[0].places[row]] for row in rows]
        pictures = image_data.pixels(opened, images.split, ids)
    except CNNLabError as error:
        draw_gone(images.voices[0].side.run_ids[0], error)
        return
    if looking is not None:
        _draw_looked(images, rows, ids, pictures, looking)
    else:
        st.html(cards_html(_cards(images, rows, ids, pictures)))


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
        top = top_classes(shares[None], TOP)[0]
        runs = voice.answers.num_runs
        note = f"{voice.answers.votes[place]} of {runs} runs right" if runs > 1 else ""
        found.append(Said(voice.letter, [(images.classes[number], float(shares[number])) for number in top], note))
    return found


def _draw_looked(
    images: ImageList,
    rows: Sequence[int],
    ids: Sequence[str],
    pictures: Sequence[np.ndarray | None],
    looking: Looking,
) -> None:
    """Draw the images at once, and where the network looked as soon as that is known."""
    voice = looking.voice
    answers, places = voice.answers, voice.places[list(rows)]
    classes = answers.labels[places] if looking.asked == "true" else answers.predicted_by_run[0, places]
    there = [number for number, picture in enumerate(pictures) if picture is not None]
    run_id = voice.side.run_ids[0]

    def ask(numbers: list[int]) -> data.Answer:
        chosen = [ids[number] for number in numbers]
        return image_data.looked(run_id, images.split, images.output, chosen, classes[numbers].tolist(), looking.method)

    first = seen_so_far(ask, there)
    looks = iter([first])

    def body() -> None:
        seen = next(looks, None) or seen_so_far(ask, there)
        if first.is_pending and not seen.is_pending:
            st.rerun()  # the whole page once, so that the looking ends
        if seen.value:
            say_method(seen.value, voice, run_id)
        if seen.is_pending:
            st.caption(f":material/hourglass_top: {WAITING}")
        elif seen.error:
            st.warning(plain(seen.error), icon=":material/error:")
            if st.button("Try again", key="look_again", icon=":material/refresh:"):
                st.rerun()
        overlays = [
            overlay_of(pictures[number], seen, number, images.classes[classes[number]]) for number in range(len(ids))
        ]
        st.html(cards_html(_cards(images, rows, ids, pictures, overlays)))

    st.fragment(body, run_every=LOOK_EVERY_S if first.is_pending else None)()
