"""Which images B fixes and breaks against A; the worst losses of either; labels that all runs together doubt."""

import math

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cnnlab.analysis.fixed_broken import FixedBroken, fixed_and_broken
from cnnlab.analysis.image_answers import ImageAnswers
from cnnlab.plots.labels import plural
from dashboard import image_data
from dashboard.components.compare.shared_images import shared_pair, sharing_sides
from dashboard.components.compare.sides import choose_pair, output_of, sides_of
from dashboard.components.compare.subject import Subject
from dashboard.components.doubtful_labels import draw_doubtful_labels
from dashboard.components.image_list import draw_images
from dashboard.components.image_voices import ImageList, Voice
from dashboard.components.mistakes import LOSS_HELP
from dashboard.components.text import plain
from dashboard.image_data import Side

SPLIT = "test"
LISTS = {
    "fixed": "Fixed by B",
    "broken": "Broken by B",
    "both_wrong": "Both wrong",
    "losses": "Worst losses",
    "labels": "Labels in doubt",
}
# Of one network there is nothing to fix.
ALONE = ("losses", "labels")
EMPTY = {
    "fixed": "B gets no image right that A gets wrong.",
    "broken": "A gets no image right that B gets wrong.",
    "both_wrong": "There is no image that all get wrong.",
    "losses": "There is no image.",
}


def draw_image_lists(subject: Subject) -> None:
    """Draw the list that the address names, of two of the chosen runs or groups."""
    output = output_of(subject)
    sides = sides_of(subject, output) if output else {}
    if not sides or output is None:
        st.caption("Lists of images appear when the first of these runs has been tested.")
        return
    classes = image_data.classes_of(next(iter(sides.values())).run_ids[0], output)
    pair = choose_pair(sides) if len(sides) > 1 else None
    offered = list(LISTS) if pair else list(ALONE)
    shown = st.segmented_control(
        "Images", offered, format_func=LISTS.__getitem__, default=offered[0], required=True, key="images",
        bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    if shown == "labels":
        draw_doubtful_labels(sharing_sides(subject, list(sides.values()), output), output, SPLIT, classes)
    elif pair is None:
        (side,) = sides.values()
        _draw_losses([_Heard(side, output, "")], None, output, classes)
    else:
        shared = shared_pair(subject, pair, output)
        if shared is not None:
            _draw_pair(shown, (shared.a, shared.b), output, classes)


class _Heard:
    """A side with its answers."""

    def __init__(self, side: Side, output: str, letter: str):
        self.side, self.letter = side, letter
        self.answers: ImageAnswers = image_data.answers(side.run_ids, output, SPLIT)


def _draw_pair(shown: str, pair: tuple[Side, Side], output: str, classes: tuple[str, ...]) -> None:
    heard = [_Heard(side, output, letter) for side, letter in zip(pair, "AB", strict=True)]
    parts = fixed_and_broken(heard[0].answers, heard[1].answers)
    _say_sum(parts, pair)
    if shown == "losses":
        _draw_losses(heard, parts, output, classes)
        return
    places = getattr(parts, shown)
    places = _of_class(heard[0].answers, parts, places, classes)
    # Where most was gained or lost first, and of these where who was wrong was surest of it.
    wrong, column = (heard[0], parts.places_a) if shown != "broken" else (heard[1], parts.places_b)
    order = np.lexsort((wrong.answers.of_truth[column[places]], -np.abs(parts.gains[places])))
    _draw(heard, parts, places[order], f"{shown}.{pair[0].key}.{pair[1].key}", output, classes, EMPTY[shown])


def _say_sum(parts: FixedBroken, pair: tuple[Side, Side]) -> None:
    """Draw the equation that the lists add up to, and how sure the difference is."""
    digits = 1 if any(side.is_group for side in pair) else 0
    a, fixed, broken, b = (
        f"{number:,.{digits}f}" for number in (parts.right_a, parts.num_fixed, parts.num_broken, parts.right_b)
    )
    st.markdown(f"##### A is right on {a} + {fixed} fixed − {broken} broken = B is right on {b}")
    told = f"Of the same {plural(parts.n, 'image')}; {plural(len(parts.both_wrong), 'image')} no run gets right."
    if digits:
        told += (
            " Of a group the share of its runs that is right counts: an image is fixed by as much as B's share is "
            "larger, and the mean numbers of right images add up."
        )
    st.caption(plain(f"{told}{_sureness(parts)}{_left_out(parts)}"))


def _sureness(parts: FixedBroken) -> str:
    if not parts.n:
        return ""
    difference = parts.difference()
    text = (
        f" B minus A: {100 * difference.value:+.2f} points, 95 % interval {100 * difference.low:+.2f} to "
        f"{100 * difference.high:+.2f} (paired bootstrap over images), n = {parts.n:,}"
    )
    # Of groups the seeds vary too, and McNemar's test does not apply.
    of_two = math.isnan(difference.p)
    return text + ("; over images alone, not over seeds." if of_two else f"; exact McNemar p = {difference.p:.2g}.")


def _left_out(parts: FixedBroken) -> str:
    reasons = {
        "only A was tested on": parts.only_a,
        "only B was tested on": parts.only_b,
        "with another label in A than in B": parts.relabelled,
    }
    told = [f"{plural(count, 'image')} {why}" for why, count in reasons.items() if count]
    return f" Left out: {', '.join(told)}." if told else ""


def _of_class(
    answers: ImageAnswers, parts: FixedBroken, places: NDArray[np.int64], classes: tuple[str, ...]
) -> NDArray[np.int64]:
    """Draw the filter by true class, with the number of images of each, and return what is left."""
    labels = answers.labels[parts.places_a[places]]
    counts = np.bincount(labels, minlength=len(classes))
    chosen = st.selectbox(
        "True class",
        [None, *range(len(classes))],
        format_func=lambda number: "All" if number is None else f"{classes[number]} ({counts[number]:,})",
        key="images_class",
        width=260,
    )
    return places if chosen is None else places[labels == chosen]


def _draw_losses(heard: list[_Heard], parts: FixedBroken | None, output: str, classes: tuple[str, ...]) -> None:
    """Draw the images by the highest loss of any of the networks."""
    st.caption("The highest loss of either first." if len(heard) > 1 else "The highest loss first.", help=LOSS_HELP)
    if parts is None:
        order = np.argsort(-heard[0].answers.losses, kind="stable")
        images = ImageList([Voice(heard[0].side, heard[0].answers, order)], output, SPLIT, classes)
        draw_images(images, f"losses.{heard[0].side.key}", EMPTY["losses"])
        return
    losses = np.maximum(heard[0].answers.losses[parts.places_a], heard[1].answers.losses[parts.places_b])
    order = np.argsort(-losses, kind="stable")
    _draw(heard, parts, order, f"losses.{heard[0].side.key}.{heard[1].side.key}", output, classes, EMPTY["losses"])


def _draw(
    heard: list[_Heard],
    parts: FixedBroken,
    places: NDArray[np.int64],
    key: str,
    output: str,
    classes: tuple[str, ...],
    empty: str,
) -> None:
    columns = (parts.places_a[places], parts.places_b[places])
    voices = [Voice(one.side, one.answers, column, one.letter) for one, column in zip(heard, columns, strict=True)]
    draw_images(ImageList(voices, output, SPLIT, classes), f"{key}.{len(places)}", empty)
