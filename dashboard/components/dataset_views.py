"""What is in a data set: sample images of every class, and how many each class has."""

import streamlit as st

from cnnlab.datasets.storage import Dataset
from cnnlab.plots import class_balance
from dashboard.components import galleries, how_to_read
from dashboard.components.chart import chart
from dashboard.components.numbers import count
from dashboard.components.text import plain

PER_CLASS = 6
PER_PAGE = 48
CLASSES_PER_PAGE = 20


def draw_gallery(dataset: Dataset) -> None:
    """Draw sample images: a handful of every class, or one class page by page."""
    info = dataset.info
    menus = st.columns(3)
    split = menus[0].selectbox("Split", list(info.counts), key="gallery_split")
    output = menus[1].selectbox("Labels", list(info.outputs), key="gallery_output")
    classes = list(info.outputs[output])
    label = menus[2].selectbox(
        "Class",
        [None, *range(len(classes))],
        key="gallery_class",
        format_func=lambda number: "A few of each" if number is None else classes[number],
    )
    if label is None:
        draw_every_class(dataset, split, output, classes)
        return
    total = galleries.num_images(dataset, split, output, label)
    if total == 0:
        st.info(f"No image of {plain(classes[label])} in {split}.", icon=":material/image_not_supported:")
        return
    page = st.pagination(-(-total // PER_PAGE), key=f"gallery_page_{split}_{output}_{label}") if total > PER_PAGE else 1
    positions = galleries.class_positions(dataset, split, output, label, PER_PAGE, page - 1)
    names = galleries.names(dataset, split, positions)
    with st.container(horizontal=True, gap="small"):
        for name, picture in zip(names, galleries.pictures(dataset, split, positions), strict=True):
            st.image(picture, caption=plain(name), width=galleries.SHOWN_PX, alt=name)
    st.caption(f"{count(total)} images of {plain(classes[label])} in {split}")


def draw_every_class(dataset: Dataset, split: str, output: str, classes: list[str]) -> None:
    """Draw a strip of images per class, a page of classes at a time."""
    pages = -(-len(classes) // CLASSES_PER_PAGE)
    page = st.pagination(pages, key="gallery_classes") if pages > 1 else 1
    labels = range(len(classes))[(page - 1) * CLASSES_PER_PAGE : page * CLASSES_PER_PAGE]
    for start in range(0, len(labels), 2):
        for column, label in zip(st.columns(2), labels[start : start + 2], strict=False):
            positions = galleries.class_positions(dataset, split, output, label, PER_CLASS)
            total = galleries.num_images(dataset, split, output, label)
            with column:
                st.markdown(f"**{plain(classes[label])}** :gray[{count(total)}]")
                if positions:
                    shown = galleries.pictures(dataset, split, positions)
                    st.image(galleries.side_by_side(shown), alt=f"{len(shown)} images of {classes[label]}")
                else:
                    st.caption(f"No image of this class in {split}.")


def draw_balance(dataset: Dataset) -> None:
    """Draw how many images each class has in each split."""
    for output, classes in dataset.info.outputs.items():
        info = class_balance.class_balance_info(dataset.samples(), classes, output=output)
        chart(
            class_balance.class_balance(info),
            f"balance_{output}",
            summary=class_balance.class_balance_summary(info),
            numbers=info.table,
            how_to_read=how_to_read.CLASS_BALANCE,
        )
