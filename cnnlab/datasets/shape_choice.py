"""Which height, width and channels to store, from what was asked and what the images are."""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from cnnlab.datasets.columns import check_split
from cnnlab.parameters import Parameters

# Chosen where images differ in size: small enough to train on, and what most networks were made for.
CHOSEN_SIDE = 224
KEPT_SIDE = 1024


class ImportOptions(Parameters):
    """What can be chosen for an import."""

    image_size: int | None = Field(
        None,
        ge=8,
        le=1024,
        title="Image size",
        description="Height and width to store. Left out: the size all images share, else their median shorter side, "
        "at most 224.",
        json_schema_extra={"unit": "px"},
    )
    fit: Literal["crop", "pad", "stretch"] = Field(
        "crop",
        title="Fit",
        description="How an image of another shape is brought to that size: cut to its middle, filled up with black, "
        "or stretched.",
    )
    channels: Literal["auto", "grey", "colour"] = Field(
        "auto", title="Channels", description="'auto' stores grey where every image is grey, else colour."
    )
    val_fraction: float = Field(
        0.1, gt=0, le=0.5, title="Validation share", description="Cut from the training images where there is no 'val'."
    )
    test_fraction: float = Field(
        0.2, gt=0, le=0.5, title="Test share", description="Cut from the training images where there is no 'test'."
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, title="Seed", description="Of the splits that are cut.")
    split_names: str = Field(
        "",
        max_length=8,
        title="Split class names at",
        description="Makes several outputs of the folders' names: '_' splits 'red_shirt'. Left out: one output.",
    )
    outputs: str = Field(
        "",
        max_length=200,
        title="Outputs",
        description="Names of the parts, separated by commas, such as 'colour,article'.",
    )

    @model_validator(mode="after")
    def _check_split(self) -> Self:
        check_split(self.split_names, self.outputs)
        return self


@dataclass(frozen=True)
class ShapeChoice:
    """The stored shape.

    Attributes:
        how: Of `fit`; "" where all images are thought to have this size already.
        is_grey_guessed: Grey follows from a few images alone.
    """

    shape: tuple[int, int, int]
    how: str
    is_grey_guessed: bool
    note: str


def choose_shape(sizes: np.ndarray, options: ImportOptions, *, is_sample: bool) -> ShapeChoice:
    """Choose from the width, height and greyness of images, `(n, 3)`, zeros where unreadable.

    Args:
        is_sample: More images follow, which may be different.
    """
    sizes = sizes[sizes[:, 0] > 0]
    is_grey = options.channels == "grey" or (options.channels == "auto" and len(sizes) > 0 and bool(sizes[:, 2].all()))
    channels = 1 if is_grey else 3
    is_grey_guessed = is_sample and is_grey and options.channels == "auto"
    if options.image_size:
        side = options.image_size
        note = f"Stored as {side}x{side} pixels, as asked for."
        return ShapeChoice((side, side, channels), options.fit, is_grey_guessed, note)
    different = {(int(width), int(height)) for width, height, _ in sizes}
    if len(different) <= 1:
        width, height = next(iter(different), (8, 8))
        if max(width, height) <= KEPT_SIDE:
            note = f"All images have {width}x{height} pixels, which is kept."
            return ShapeChoice((height, width, channels), "" if is_sample else options.fit, is_grey_guessed, note)
    middle = int(np.median(np.minimum(sizes[:, 0], sizes[:, 1])))
    side = max(8, min(CHOSEN_SIDE, middle))
    why = f"the median shorter side is {middle}" + (f", and at most {CHOSEN_SIDE} are stored" * (middle > CHOSEN_SIDE))
    note = f"Stored as {side}x{side} pixels ({options.fit}): the images have {_sizes_text(different)}, {why}."
    return ShapeChoice((side, side, channels), options.fit, is_grey_guessed, note)


def _sizes_text(different: set[tuple[int, int]]) -> str:
    if len(different) == 1:
        width, height = next(iter(different))
        return f"{width}x{height} pixels"
    return f"{len(different)} different sizes"
