"""Entries of the networks from before shortcuts: AlexNet to Inception."""

from typing import Literal

from pydantic import Field

from cnnlab.architectures.entry import Architecture, Published
from cnnlab.parameters import Parameters


class VGGParameters(Parameters):
    depth: Literal[11, 13, 16, 19] = Field(16, title="Depth", description="Layers with weights.")
    batch_norm: bool = Field(
        False, title="Batch normalisation", description="After each convolution; without it 16 layers hardly start."
    )
    dense_units: int = Field(
        4096,
        ge=64,
        le=4096,
        title="Dense units",
        description="In each of the two hidden dense layers; an eighth of it for images of up to 64 px.",
        json_schema_extra={"log": True},
    )
    dropout: float = Field(0.5, ge=0, le=0.9, title="Dropout", description="After each hidden dense layer.")


ENTRIES = (
    Architecture(
        name="vgg",
        title="VGG",
        year=2014,
        source="Simonyan and Zisserman 2014, arXiv:1409.1556",
        summary="Five stages of 3x3 convolutions and pooling, then two dense layers which hold most parameters.",
        parameters=VGGParameters,
        smallest_px=16,
        natural_px=224,
        builder="cnnlab.architectures.vgg:build_features",
        authors="Karen Simonyan, Andrew Zisserman",
        paper="Very Deep Convolutional Networks for Large-Scale Image Recognition",
        key_idea="Stacks of small 3x3 kernels see as far as large ones, with fewer weights and more rectifiers.",
        small_images="Up to 64 px the dense layers have an eighth of the units (512 for 4096).",
        published=(
            Published(138_357_544, "torchvision", table_row="VGG16"),
            Published(132_863_336, "torchvision", {"depth": 11}, table_row="VGG11"),
            Published(133_047_848, "torchvision", {"depth": 13}, table_row="VGG13"),
            Published(143_667_240, "torchvision", {"depth": 19}, table_row="VGG19"),
        ),
    ),
)
