"""Entries of the networks with shortcuts, and of the one without that shows why."""

from typing import Literal

from pydantic import Field

from cnnlab.architectures.entries.shared import (
    stochastic_depth_field,
    zero_init_last_conv_field,
    zero_init_last_norm_field,
)
from cnnlab.architectures.entry import Architecture, Published
from cnnlab.parameters import Parameters

SMALL_STEM = "64 px lose the stride of the stem, 32 px the pooling too; the 7x7 convolution becomes 3x3."


class ResNetImageNetParameters(Parameters):
    depth: Literal[18, 34, 50, 101, 152] = Field(
        18, title="Depth", description="Layers with weights; from 50 on the blocks are bottlenecks."
    )
    variant: Literal["original", "b", "c", "d"] = Field(
        "b",
        title="Variant",
        description="Of He et al. 2018, arXiv:1812.01187: 'original' strides in the first 1x1 convolution of a "
        "bottleneck, 'b' in its 3x3 (as torchvision), 'c' has a stem of three 3x3 too, 'd' also averages 2x2 pixels "
        "before a shortcut that halves the map.",
    )
    zero_init_last_norm: bool = zero_init_last_norm_field()
    stochastic_depth: float = stochastic_depth_field()


class ResNetPreactParameters(Parameters):
    blocks_per_stack: int = Field(
        3,
        ge=1,
        le=18,
        title="Blocks per stack",
        description="n blocks in each of 3 stacks make 6n+2 weighted layers, with bottlenecks 9n+2.",
    )
    width: int = Field(
        16, ge=4, le=256, title="Filters in the first stack", description="Doubled with each of the later two stacks."
    )
    bottleneck: bool = Field(
        False, title="Bottlenecks", description="Blocks of 1x1, 3x3 and 1x1 convolutions, four times as wide outside."
    )
    zero_init_last_conv: bool = zero_init_last_conv_field()
    stochastic_depth: float = stochastic_depth_field()


class WideResNetParameters(Parameters):
    depth: Literal[10, 16, 22, 28, 40] = Field(
        16, title="Depth", description="6n+4 weighted layers, for n blocks in each of 3 stacks."
    )
    widen_factor: int = Field(
        4, ge=1, le=12, title="Widening", description="Times the 16, 32 and 64 filters of a residual network."
    )
    dropout: float = Field(
        0.0, ge=0, le=0.9, title="Dropout", description="Between the two convolutions of a block; the paper tries 0.3."
    )
    zero_init_last_conv: bool = zero_init_last_conv_field()
    stochastic_depth: float = stochastic_depth_field()


class PlainParameters(Parameters):
    blocks_per_stack: int = Field(
        3,
        ge=1,
        le=18,
        title="Pairs per stack",
        description="n pairs in each of 3 stacks make 6n+2 weighted layers: as deep as a ResNet with n blocks.",
    )
    width: int = Field(
        16, ge=4, le=256, title="Filters in the first stack", description="Doubled with each of the later two stacks."
    )


class ResNeXtParameters(Parameters):
    depth: Literal[50, 101] = Field(50, title="Depth", description="Layers with weights.")
    cardinality: Literal[8, 16, 32, 64] = Field(32, title="Cardinality", description="Paths side by side in a block.")
    path_width: Literal[4, 8] = Field(4, title="Path width", description="Filters per path in the first stage.")
    zero_init_last_norm: bool = zero_init_last_norm_field()
    stochastic_depth: float = stochastic_depth_field()


class DenseNetParameters(Parameters):
    depth: Literal[121, 161, 169, 201] = Field(121, title="Depth", description="Layers with weights.")
    dropout: float = Field(
        0.0, ge=0, le=0.9, title="Dropout", description="After each 3x3 convolution; the paper has 0.2 for small data."
    )


ENTRIES = (
    Architecture(
        name="plain",
        title="Plain network, without shortcuts",
        year=2015,
        source="He et al. 2015, arXiv:1512.03385, section 4.2",
        summary="The ResNet for small images without its shortcuts: beyond 20 layers it learns worse and worse.",
        parameters=PlainParameters,
        smallest_px=8,
        natural_px=32,
        builder="cnnlab.architectures.plain:build_features",
        authors="Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun",
        paper="Deep Residual Learning for Image Recognition",
        key_idea="The comparison of the paper: the same layers, nothing added to what comes in.",
        published=(
            Published(269_722, "By hand: ResNet-20 without the 2,752 of its two shortcuts", num_classes=10),
            Published(
                853_018, "By hand: ResNet-56 without the 2,752 of its two shortcuts", {"blocks_per_stack": 9}, 10
            ),
        ),
    ),
    Architecture(
        name="resnet_preact",
        title="ResNet with pre-activation",
        year=2016,
        source="He et al. 2016, arXiv:1603.05027, section 4",
        summary="A ResNet for small images that normalises and rectifies before each convolution, not after.",
        parameters=ResNetPreactParameters,
        smallest_px=8,
        natural_px=32,
        builder="cnnlab.architectures.resnet_preact:build_features",
        authors="Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun",
        paper="Identity Mappings in Deep Residual Networks",
        key_idea="Nothing stands in the way between blocks, so gradients of a thousand layers pass unchanged.",
        published=(
            Published(
                1_703_258,
                "The paper's table 4: 1.7M for ResNet-164",
                {"blocks_per_stack": 18, "bottleneck": True},
                num_classes=10,
            ),
        ),
    ),
    Architecture(
        name="wide_resnet",
        title="Wide ResNet",
        year=2016,
        source="Zagoruyko and Komodakis 2016, arXiv:1605.07146, table 1",
        summary="Few but wide residual blocks: 28 layers with ten times the filters beat a thousand thin ones.",
        parameters=WideResNetParameters,
        smallest_px=8,
        natural_px=32,
        builder="cnnlab.architectures.resnet_preact:build_wide_features",
        authors="Sergey Zagoruyko, Nikos Komodakis",
        paper="Wide Residual Networks",
        key_idea="Width serves as well as depth and computes faster, since its work is done side by side.",
        published=(
            Published(
                36_479_194,
                "The paper's table 4: 36.5M for WRN-28-10",
                {"depth": 28, "widen_factor": 10},
                num_classes=10,
            ),
            Published(8_949_210, "The paper's table 4: 8.9M for WRN-40-4", {"depth": 40}, num_classes=10),
            Published(
                10_961_370, "The paper's table 4: 11.0M for WRN-16-8", {"depth": 16, "widen_factor": 8}, num_classes=10
            ),
        ),
    ),
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
            Published(
                25_576_264, "timm's resnet50c, and by hand: 19,232 more in the stem", {"depth": 50, "variant": "c"}
            ),
            Published(
                25_576_264, "timm's resnet50d, and by hand: 19,232 more in the stem", {"depth": 50, "variant": "d"}
            ),
        ),
    ),
    Architecture(
        name="resnext",
        title="ResNeXt-50 and 101",
        year=2016,
        source="Xie et al. 2016, arXiv:1611.05431, table 1",
        summary="ResNet-50 with 32 narrow paths in each block, computed as one grouped convolution.",
        parameters=ResNeXtParameters,
        smallest_px=8,
        natural_px=224,
        builder="cnnlab.architectures.resnext:build_features",
        authors="Saining Xie, Ross Girshick, Piotr Dollár, Zhuowen Tu, Kaiming He",
        paper="Aggregated Residual Transformations for Deep Neural Networks",
        key_idea="More paths of the same shape do more for accuracy than more depth or width.",
        small_images=SMALL_STEM,
        published=(
            Published(25_028_904, "torchvision", table_row="ResNeXt50_32X4D"),
            Published(88_791_336, "torchvision", {"depth": 101, "path_width": 8}, table_row="ResNeXt101_32X8D"),
            Published(83_455_272, "torchvision", {"depth": 101, "cardinality": 64}, table_row="ResNeXt101_64X4D"),
        ),
    ),
    Architecture(
        name="densenet",
        title="DenseNet-121 to 201",
        year=2016,
        source="Huang et al. 2016, arXiv:1608.06993, table 1",
        summary="Each layer adds a few maps and reads all maps before it: deep, yet few parameters.",
        parameters=DenseNetParameters,
        smallest_px=8,
        natural_px=224,
        builder="cnnlab.architectures.densenet:build_features",
        authors="Gao Huang, Zhuang Liu, Laurens van der Maaten, Kilian Weinberger",
        paper="Densely Connected Convolutional Networks",
        key_idea="Maps are concatenated, not added, so that what was found once is read by all later layers.",
        small_images=SMALL_STEM,
        published=(
            Published(7_978_856, "torchvision", table_row="DenseNet121"),
            Published(28_681_000, "torchvision", {"depth": 161}, table_row="DenseNet161"),
            Published(14_149_480, "torchvision", {"depth": 169}, table_row="DenseNet169"),
            Published(20_013_928, "torchvision", {"depth": 201}, table_row="DenseNet201"),
        ),
    ),
)
