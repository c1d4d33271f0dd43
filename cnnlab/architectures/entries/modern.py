"""Entries of the networks since transformers came to images."""

from typing import Literal

from pydantic import Field

from cnnlab.architectures.entry import Architecture, Published
from cnnlab.parameters import Parameters


class ConvNeXtParameters(Parameters):
    size: Literal["tiny", "small", "base"] = Field("tiny", title="Size", description="Three networks of the paper.")
    stochastic_depth: float = Field(
        0.1,
        ge=0,
        le=0.8,
        title="Stochastic depth",
        description="Share of images that skip the last block; earlier ones less.",
    )


class ViTParameters(Parameters):
    size: Literal["tiny", "small", "base"] = Field(
        "tiny", title="Size", description="Widths 192, 384 and 768; all have 12 blocks."
    )
    patch_px: Literal[8, 16, 32] = Field(
        16, title="Patch", description="Side of a patch, halved for small images.", json_schema_extra={"unit": "px"}
    )
    dropout: float = Field(
        0.0, ge=0, le=0.9, title="Dropout", description="After embedding, attention and dense layers."
    )
    stochastic_depth: float = Field(
        0.1,
        ge=0,
        le=0.8,
        title="Stochastic depth",
        description="Share of images that skip the last block; earlier ones less.",
    )


ENTRIES = (
    Architecture(
        name="convnext",
        title="ConvNeXt",
        year=2022,
        source="Liu et al. 2022, arXiv:2201.03545, section 2",
        summary="A ResNet with 7x7 depthwise kernels, few activations and layer norms: a transformer's habits.",
        parameters=ConvNeXtParameters,
        smallest_px=8,
        natural_px=224,
        builder="cnnlab.architectures.convnext:build_features",
        authors="Zhuang Liu, Hanzi Mao, Chao-Yuan Wu, Christoph Feichtenhofer, Trevor Darrell, Saining Xie",
        paper="A ConvNet for the 2020s",
        key_idea="What made transformers better was mostly the training and the proportions, not attention.",
        small_images="The stem's patches shrink from 4 px to 2 px for 64 px; 32 px have a 3x3 convolution for them.",
        published=(
            Published(28_589_128, "torchvision", table_row="ConvNeXt_Tiny"),
            Published(50_223_688, "torchvision", {"size": "small"}, table_row="ConvNeXt_Small"),
            Published(88_591_464, "torchvision", {"size": "base"}, table_row="ConvNeXt_Base"),
        ),
    ),
    Architecture(
        name="vit",
        title="Vision transformer",
        year=2020,
        source="Dosovitskiy et al. 2020, arXiv:2010.11929, section 3; tiny and small: arXiv:2012.12877",
        summary="No convolutions but attention between patches, for contrast: it needs more data or augmentation.",
        parameters=ViTParameters,
        smallest_px=16,
        natural_px=224,
        builder="cnnlab.architectures.vit:build_features",
        has_one_size=True,
        authors="Alexey Dosovitskiy, Lucas Beyer, Alexander Kolesnikov, and nine others",
        paper="An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale",
        key_idea="Given enough images, a network learns by itself what a convolution has built in.",
        small_images="Patches are halved until there are 7x7 of them: 8 px for 64 px, 4 px for 32 px.",
        published=(
            Published(5_717_416, "DeiT's table 1: 5M for tiny"),
            Published(22_050_664, "DeiT's table 1: 22M for small", {"size": "small"}),
            Published(86_567_656, "torchvision", {"size": "base"}, table_row="ViT_B_16"),
            Published(88_224_232, "torchvision", {"size": "base", "patch_px": 32}, table_row="ViT_B_32"),
        ),
    ),
)
