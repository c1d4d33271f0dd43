"""The augmentations: what they are, what can be set, where they come from.

Imports no Keras: forms, the command line, the language and the help read it. The next
augmentation is one more entry here and one class in `cnnlab.augmentation.steps`.
Each is drawn anew for every image of every step, in training only; images stay in 0 to 255.
"""

import difflib
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from cnnlab.errors import UnknownNameError, suggestion
from cnnlab.parameters import NoParameters, Parameters

Fill = Literal["zero", "reflect", "nearest"]

_FILL_HELP = "What comes in from outside: 'zero' is black, 'reflect' mirrors the image, 'nearest' repeats its edge."


class CropParameters(Parameters):
    pad: int = Field(
        4,
        ge=1,
        le=64,
        title="Padding",
        description="Border added on each side before cropping back; 4 is usual for 32 px images.",
        json_schema_extra={"unit": "px", "step": 1},
    )
    fill: Literal["zero", "reflect"] = Field(
        "zero", title="Border", description="What the border shows: 'zero' is black, 'reflect' mirrors the image."
    )


class RotateParameters(Parameters):
    degrees: float = Field(
        15.0,
        gt=0,
        le=180,
        title="Largest angle",
        description="Angles are drawn evenly between minus and plus this.",
        json_schema_extra={"unit": "degrees", "step": 1},
    )
    fill: Fill = Field("reflect", title="Border", description=_FILL_HELP)


class ZoomParameters(Parameters):
    share: float = Field(
        0.15,
        gt=0,
        le=0.8,
        title="Largest zoom",
        description="0.15 shows the image between 15 % smaller and 15 % larger.",
        json_schema_extra={"step": 0.05},
    )
    fill: Fill = Field("reflect", title="Border", description=_FILL_HELP)


class ShiftParameters(Parameters):
    share: float = Field(
        0.1,
        gt=0,
        le=0.5,
        title="Largest shift",
        description="As a share of the side, in both directions, down to fractions of a pixel.",
        json_schema_extra={"step": 0.05},
    )
    fill: Fill = Field("reflect", title="Border", description=_FILL_HELP)


class BrightnessParameters(Parameters):
    share: float = Field(
        0.2,
        gt=0,
        le=1,
        title="Largest change",
        description="Added to every pixel, as a share of full scale, between minus and plus this.",
        json_schema_extra={"step": 0.05},
    )


class ContrastParameters(Parameters):
    share: float = Field(
        0.3,
        gt=0,
        le=1,
        title="Largest change",
        description="Distances from the image's mean grow or shrink by up to this share.",
        json_schema_extra={"step": 0.05},
    )


class BlurParameters(Parameters):
    sigma: float = Field(
        1.0,
        gt=0,
        le=5,
        title="Largest width",
        description="Standard deviation of the Gaussian; each image draws one between 0 and this.",
        json_schema_extra={"unit": "px", "step": 0.1},
    )


class NoiseParameters(Parameters):
    std: float = Field(
        0.05,
        gt=0,
        le=1,
        title="Strength",
        description="Standard deviation of Gaussian noise on every value, as a share of full scale.",
        json_schema_extra={"step": 0.01},
    )


class CutoutParameters(Parameters):
    side: int = Field(
        8,
        ge=1,
        le=512,
        title="Side",
        description="Of the black square; its centre may lie anywhere, so it can hang over the edge.",
        json_schema_extra={"unit": "px", "step": 1},
    )


# Below 0.05 TensorFlow's gamma draws reach the smallest float32 and their beta is wrong: of
# 200,000 shares at alpha 0.01, 18 % lay between 0.4 and 0.6, where 0.4 % belong; at 0.05 all is right.
SMALLEST_ALPHA = 0.05


class MixUpParameters(Parameters):
    alpha: float = Field(
        0.2,
        ge=SMALLEST_ALPHA,
        le=8,
        title="Alpha",
        description="Shares are drawn from Beta(alpha, alpha): small leaves most images nearly alone, 1 is even.",
        json_schema_extra={"step": 0.1},
    )


class CutMixParameters(Parameters):
    alpha: float = Field(
        1.0,
        ge=SMALLEST_ALPHA,
        le=8,
        title="Alpha",
        description="Area shares are drawn from Beta(alpha, alpha): 1 makes all sizes alike.",
        json_schema_extra={"step": 0.1},
    )


class RandAugmentParameters(Parameters):
    num_ops: int = Field(
        2,
        ge=1,
        le=6,
        title="Operations",
        description="How many are drawn for each image, one after the other.",
        json_schema_extra={"step": 1},
    )
    magnitude: float = Field(
        9.0,
        ge=0,
        le=30,
        title="Magnitude",
        description="Of all operations together, on the paper's scale from 0 to 30.",
        json_schema_extra={"step": 1},
    )


@dataclass(frozen=True)
class Op:
    """One augmentation.

    Attributes:
        source: The paper it comes from; empty where it is common practice.
        mixes_labels: Whether it blends images of two classes, so that labels become shares.
        limit: Name of the parameter that the image's shorter side bounds, with the largest share of it.
    """

    name: str
    title: str
    summary: str
    source: str
    parameters: type[Parameters]
    mixes_labels: bool = False
    limit: tuple[str, float] | None = None


OPS: dict[str, Op] = {
    op.name: op
    for op in (
        Op(
            name="flip_lr",
            title="Flip left-right",
            summary="Mirrors half of the images; wrong for digits and letters.",
            source="",
            parameters=NoParameters,
        ),
        Op(
            name="flip_ud",
            title="Flip top-bottom",
            summary="Turns half of the images upside down; for views from above or through a microscope.",
            source="",
            parameters=NoParameters,
        ),
        Op(
            name="crop",
            title="Crop with padding",
            summary="Adds a border and cuts the old size out of it: a shift by whole pixels.",
            source="He et al. 2015, arXiv:1512.03385, section 4.2",
            parameters=CropParameters,
            limit=("pad", 0.5),
        ),
        Op(
            name="rotate",
            title="Rotate",
            summary="Turns each image around its centre.",
            source="",
            parameters=RotateParameters,
        ),
        Op(
            name="zoom",
            title="Zoom",
            summary="Shows each image larger or smaller, height and width alike.",
            source="",
            parameters=ZoomParameters,
        ),
        Op(
            name="shift",
            title="Shift",
            summary="Moves each image sideways and up or down.",
            source="",
            parameters=ShiftParameters,
        ),
        Op(
            name="brightness",
            title="Brightness",
            summary="Makes each image lighter or darker.",
            source="",
            parameters=BrightnessParameters,
        ),
        Op(
            name="contrast",
            title="Contrast",
            summary="Makes each image's differences stronger or weaker.",
            source="",
            parameters=ContrastParameters,
        ),
        Op(
            name="blur",
            title="Blur",
            summary="Smooths each image with a Gaussian of its own width.",
            source="",
            parameters=BlurParameters,
        ),
        Op(
            name="noise",
            title="Noise",
            summary="Adds Gaussian noise, drawn for each pixel and channel.",
            source="",
            parameters=NoiseParameters,
        ),
        Op(
            name="cutout",
            title="Cutout",
            summary="Blackens one square of each image.",
            source="DeVries and Taylor 2017, arXiv:1708.04552",
            parameters=CutoutParameters,
            limit=("side", 1.0),
        ),
        Op(
            name="mixup",
            title="MixUp",
            summary="Blends each image with another of the batch, and their labels alike.",
            source="Zhang et al. 2017, arXiv:1710.09412",
            parameters=MixUpParameters,
            mixes_labels=True,
        ),
        Op(
            name="cutmix",
            title="CutMix",
            summary="Pastes a rectangle of another image of the batch; labels are shared by area.",
            source="Yun et al. 2019, arXiv:1905.04899",
            parameters=CutMixParameters,
            mixes_labels=True,
        ),
        Op(
            name="randaugment",
            title="RandAugment",
            summary="Draws a few operations per image out of colour, sharpness and geometry, all of one strength.",
            source="Cubuk et al. 2019, arXiv:1909.13719",
            parameters=RandAugmentParameters,
        ),
    )
}


def get_op(name: str) -> Op:
    """Return the entry of `name`, or raise `UnknownNameError` with a suggestion."""
    if name in OPS:
        return OPS[name]
    # 'flipp' is as near to flip_lr as to flip_ud: the one that comes first in the catalogue is meant.
    near = [known for known in OPS if suggestion(name, [known]).startswith("Did you mean")]
    best = max(near, key=lambda known: _likeness(name, known), default=None)
    raise UnknownNameError("augmentation", name, [best] if best else OPS)


def _likeness(name: str, known: str) -> float:
    return difflib.SequenceMatcher(a=known, b=name).ratio()
