"""The data sets: what there is, what one looks like, and the import of one's own images."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from cnnlab.config import config_from_dict
from cnnlab.datasets import storage
from cnnlab.datasets.catalogue import DATASETS
from cnnlab.datasets.storage import Dataset, DatasetInfo
from cnnlab.errors import CNNLabError
from dashboard import data
from dashboard.components import data_jobs, dataset_views, draft, galleries
from dashboard.components.confirm import confirm
from dashboard.components.empty import empty_state
from dashboard.components.import_form import import_form
from dashboard.components.live_jobs import live_jobs, skipped_files
from dashboard.components.numbers import ago, count
from dashboard.components.text import plain
from dashboard.state import go, link, query, say

STRIP = 8


# ---- all data sets ----


def draw_list(stored: Mapping[str, list[DatasetInfo]]) -> None:
    """Draw one card per data set: those imported first, then the catalogue."""
    imported = [name for name in stored if name not in DATASETS]
    if imported:
        st.subheader("Your images")
        draw_cards(imported, stored)
    st.subheader("From the catalogue")
    draw_cards(list(DATASETS), stored)


def draw_cards(names: Sequence[str], stored: Mapping[str, list[DatasetInfo]]) -> None:
    """Draw the cards of `names`, three to a row."""
    for start in range(0, len(names), 3):
        for column, name in zip(st.columns(3), names[start : start + 3], strict=False):
            with column.container(border=True, height="stretch", key=f"card_{name}"):
                draw_card(name, stored.get(name, []))


def draw_card(name: str, versions: list[DatasetInfo]) -> None:
    """Draw what a data set is, a strip of its images, and the way to it."""
    entry = DATASETS.get(name)
    info = versions[0] if versions else None
    shape = info.image_shape if info else entry.image_shape if entry else (0, 0, 0)
    images = info.num_images if info else entry.num_images if entry else 0
    outputs = info.outputs if info else entry.outputs if entry else {}
    classes = " + ".join(count(len(names)) for names in outputs.values())
    st.markdown(f"**{plain(info.title if info else entry.title if entry else name)}**")
    st.caption(f"{count(images)} images, {shape[1]}×{shape[0]}×{shape[2]}, {classes} classes")
    if entry:
        st.markdown(plain(entry.summary))
    if info:
        draw_strip(info)
    with st.container(horizontal=True):
        if info or (entry and not entry.needs_network):
            if st.button("Look inside", key=f"look_{name}", icon=":material/photo_library:"):
                if not info:
                    start_build(name)
                go("datasets", set=name)
            if st.button("Train on this", key=f"train_{name}", icon=":material/play_circle:"):
                train_on(name, info)
        elif st.button("Download", key=f"download_{name}", icon=":material/download:", help="Needs the network, once."):
            start_build(name)
            st.rerun()


def draw_strip(info: DatasetInfo) -> None:
    """Draw the first images of the test split in one row."""
    try:
        dataset = data.dataset(info.name, version=info.version, parameters=info.parameters)
        shown = galleries.pictures(dataset, "test", list(range(min(STRIP, info.counts["test"]))))
    except (CNNLabError, OSError) as error:
        st.caption(f":material/broken_image: {plain(error)}")
        return
    st.image(galleries.side_by_side(shown), alt=f"Sample images of {info.title}")


def start_build(name: str) -> None:
    """Start the child process that makes or downloads a data set of the catalogue, unless one is at it."""
    root = data.store().root
    if any(job.is_running and job.name == name for job in data_jobs.jobs(root)):
        return
    entry = DATASETS[name]
    title = f"{'Download' if entry.needs_network else 'Make'} {entry.title}"
    data_jobs.start(root, name, title, data_jobs.build_arguments(root, name, {}), is_quiet=True)


def train_on(name: str, info: DatasetInfo | None) -> None:
    """Open the form with this data set in it and everything else as it was."""
    chosen: dict[str, Any] = {"dataset": name}
    if info and name in DATASETS:
        chosen["parameters"] = info.parameters
    elif info:
        chosen["version"] = info.version
    try:
        config = config_from_dict({**draft.draft(), "data": chosen})
    except CNNLabError:  # what stood in the form does not fit: start from the defaults
        config = config_from_dict({"data": chosen})
    draft.load(config)
    go("train")


# ---- one data set ----


def draw_one(name: str, versions: list[DatasetInfo]) -> None:
    """Draw one data set in full."""
    link("datasets", "All data sets", icon=":material/arrow_back:")
    if not versions:
        draw_missing(name)
        return
    info = versions[0]
    if len(versions) > 1:
        info = st.selectbox(
            "Version", versions, format_func=version_text, key="version", help="The newest comes first."
        )
    st.title(plain(info.title))
    with st.container(horizontal=True):
        if st.button("Train on this", type="primary", icon=":material/play_circle:", key="train_this"):
            train_on(name, info)
        if st.button("Delete", icon=":material/delete:", key="delete_this"):
            ask_delete(info)
    draw_facts(info)
    try:
        draw_contents(data.dataset(info.name, version=info.version, parameters=info.parameters))
    except CNNLabError as error:
        st.error(plain(error), icon=":material/broken_image:")
    if info.skipped:
        st.subheader(f"Skipped files ({count(len(info.skipped))})")
        skipped_files([(item.file, item.reason) for item in info.skipped], "of_set")


def draw_contents(dataset: Dataset) -> None:
    """Draw the images and how many each class has."""
    gallery, balance = st.tabs(["Images", "Class balance"])
    with gallery:
        dataset_views.draw_gallery(dataset)
    with balance:
        dataset_views.draw_balance(dataset)


def version_text(info: DatasetInfo) -> str:
    """Return how a version is told from another: its hash, its age, what it was made with."""
    made_with = ", ".join(f"{key} {value}" for key, value in info.parameters.items())
    return f"{info.version} ({ago(info.created_at)}{', ' + made_with if made_with else ''})"


def draw_missing(name: str) -> None:
    """Say that a data set is not in the store, and offer what can be done."""
    entry = DATASETS.get(name)
    if entry is None:
        st.title("Data sets")
        empty_state(
            ":material/help:",
            f"No data set {plain(repr(name))}",
            "It may have been deleted, or the link is of another store.",
            "datasets",
            "All data sets",
        )
        return
    st.title(plain(entry.title))
    st.write(plain(entry.summary))
    st.caption(f"Source: {plain(entry.source)}")
    if any(job.is_running and job.name == name for job in data_jobs.jobs(data.store().root)):
        return
    verb = "Download" if entry.needs_network else "Make it now"
    st.info("This data set is not in the store yet.", icon=":material/inventory_2:")
    if st.button(verb, type="primary", icon=":material/download:", key="build_this"):
        start_build(name)
        st.rerun()


def draw_facts(info: DatasetInfo) -> None:
    """Draw size, classes, splits, source and version."""
    height, width, channels = info.image_shape
    classes = {name: len(classes) for name, classes in info.outputs.items()}
    with st.container(horizontal=True):
        st.metric("Images", count(info.num_images), border=True, width=150)
        for split, number in info.counts.items():
            st.metric(
                {"train": "Train", "val": "Validation", "test": "Test"}[split], count(number), border=True, width=130
            )
        st.metric("Size", f"{width}×{height}", border=True, width=140, help=f"{channels} channels per pixel.")
        for name, number in classes.items():
            label = "Classes" if len(classes) == 1 else f"Classes of {plain(name)}"
            st.metric(label, count(number), border=True, width=180)
    st.caption(f"Source: {plain(info.source)} · version `{info.version}` · {ago(info.created_at)}")
    for note in info.notes:
        st.caption(plain(note))


def ask_delete(info: DatasetInfo) -> None:
    """Ask before a data set goes: unlike runs it cannot be brought back."""
    again = " It can be made again from the catalogue." if info.name in DATASETS else " This cannot be undone."
    question = (
        f"{plain(info.title)}, version {info.version}: {count(info.num_images)} images.{again} "
        "Runs that were trained on it stay, with their results."
    )
    confirm("Delete this data set?", question, "Delete", lambda: delete(info))


def delete(info: DatasetInfo) -> None:
    """Delete one version of a data set."""
    storage.delete_dataset(data.store().root, info.name, info.version)
    data.refresh()
    say(f"Deleted {info.title}.")


# ---- the page ----

stored: dict[str, list[DatasetInfo]] = {}
for found in data.datasets():
    stored.setdefault(found.name, []).append(found)
chosen = query("set")
if chosen:
    live_jobs()
    draw_one(chosen, stored.get(chosen, []))
else:
    st.title("Data sets")
    live_jobs()
    with st.expander("Import your own images", icon=":material/upload:", key="import_images"):
        import_form(set(stored) | set(DATASETS))
    draw_list(stored)
