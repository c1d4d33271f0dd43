"""Entries of the networks with shortcuts, and of the one without that shows why."""

from typing import Literal

from pydantic import Field

from cnnlab.architectures.entry import Architecture, Published
from cnnlab.parameters import Parameters

SMALL_STEM = "64 px lose the stride of the stem, 32 px the pooling too; the 7x7 convolution becomes 3x3."


class ResNetImageNetParameters(Parameters):
    depth: Literal[18, 34, 50, 101, 152] = Field(
        18, title="Depth", description="Layers with weights; from 50 on the blocks are bottlenecks."
    )


ENTRIES = (
    Architecture(
        name="resnet_imagenet",
        title="ResNet-18 to 152",
        year=2015,
        source="He et al. 2015, arXiv:1512.03385, table 1",
        summary="Four stages of residual blocks after a stem of 7x7 convolution and pooling: the usual baseline.",
        parameters=ResNetImageNetParameters,
        smallest_px=8,
        natural_px=224,
        builder="cnnlab.architectures.resnet_imagenet:build_features",
        authors="Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun",
        paper="Deep Residual Learning for Image Recognition",
        key_idea="Each block learns what to add to its input, so depth no longer hinders training.",
        small_images=SMALL_STEM,
        published=(
            Published(11_689_512, "torchvision", table_row="ResNet18"),
            Published(21_797_672, "torchvision", {"depth": 34}, table_row="ResNet34"),
            Published(25_557_032, "torchvision", {"depth": 50}, table_row="ResNet50"),
            Published(44_549_160, "torchvision", {"depth": 101}, table_row="ResNet101"),
            Published(60_192_808, "torchvision", {"depth": 152}, table_row="ResNet152"),
        ),
    ),
)
