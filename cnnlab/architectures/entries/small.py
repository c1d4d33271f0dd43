"""Entries of the networks made for small images."""

from typing import Literal

from pydantic import Field

from cnnlab.architectures.entries.shared import stochastic_depth_field, zero_init_last_norm_field
from cnnlab.architectures.entry import Architecture, Published
from cnnlab.parameters import Parameters


class LeNet5Parameters(Parameters):
    activation: Literal["relu", "tanh"] = Field(
        "relu", title="Activation", description="After each convolution and dense layer; the 1998 paper has a tanh."
    )
    pooling: Literal["max", "average"] = Field(
        "max", title="Pooling", description="How 2x2 windows are summed up; the 1998 paper averages."
    )
    dropout: float = Field(
        0.0, ge=0, le=0.9, title="Dropout", description="Share of dense units left out in each training step."
    )


class VGGSmallParameters(Parameters):
    width: int = Field(
        32, ge=4, le=256, title="Filters in the first stack", description="The second stack has twice as many."
    )
    dense_units: int = Field(512, ge=8, le=4096, title="Dense units", description="In the layer before the output.")
    dropout: float = Field(
        0.25, ge=0, le=0.45, title="Dropout", description="After each stack; twice that before the output."
    )


class ResNetParameters(Parameters):
    blocks_per_stack: int = Field(
        3,
        ge=1,
        le=18,
        title="Blocks per stack",
        description="n blocks in each of 3 stacks make 6n+2 weighted layers: 3 is ResNet-20, 9 is ResNet-56.",
    )
    width: int = Field(
        16, ge=4, le=256, title="Filters in the first stack", description="Doubled with each of the later two stacks."
    )
    zero_init_last_norm: bool = zero_init_last_norm_field()
    stochastic_depth: float = stochastic_depth_field()


class AirbenchParameters(Parameters):
    width: int = Field(64, ge=8, le=512, title="Filters in the first block", description="128 in airbench95 and 96.")
    later_width: int = Field(
        256, ge=8, le=1024, title="Filters in the later blocks", description="384 in airbench95, 512 in airbench96."
    )
    convs_per_block: int = Field(
        2,
        ge=1,
        le=4,
        title="Convolutions per block",
        description="From 3 on a shortcut leads around all but the first, as in airbench96.",
    )
    activation: Literal["gelu", "relu", "silu"] = Field(
        "gelu", title="Activation", description="The paper has gelu; relu takes a tenth of its time on a CPU."
    )
    identity_start: bool = Field(
        True,
        title="Start near the identity",
        description="The first filters of each convolution hand on a channel each. Source: Zagoruyko and Komodakis "
        "2017, arXiv:1706.00388.",
    )


ENTRIES = (
    Architecture(
        name="lenet5",
        title="LeNet-5",
        year=1998,
        source="LeCun et al. 1998, doi:10.1109/5.726791, in its common modern form",
        summary="Two 5x5 convolutions with pooling, then dense layers of 120 and 84: where most courses begin.",
        parameters=LeNet5Parameters,
        smallest_px=16,
        natural_px=32,
        builder="cnnlab.architectures.lenet:build_features",
        has_one_size=True,
        authors="Yann LeCun, Léon Bottou, Yoshua Bengio, Patrick Haffner",
        paper="Gradient-Based Learning Applied to Document Recognition",
        key_idea="Local kernels shared over the image, and pooling, learnt from pixels by one gradient.",
        published=(Published(61_706, "By hand: 156 + 2,416 + 48,120 + 10,164 + 850", num_classes=10, channels=1),),
    ),
    Architecture(
        name="vgg_small",
        title="Small VGG-like CNN",
        year=2015,
        source="The classic Keras CIFAR-10 example, after Simonyan and Zisserman 2014, arXiv:1409.1556",
        summary="Two stacks of two 3x3 convolutions with pooling and dropout, then one wide dense layer.",
        parameters=VGGSmallParameters,
        smallest_px=12,
        natural_px=32,
        builder="cnnlab.architectures.vgg_small:build_features",
        has_one_size=True,
        authors="The Keras examples, after Karen Simonyan and Andrew Zisserman",
        paper="Very Deep Convolutional Networks for Large-Scale Image Recognition",
        key_idea="Two small kernels in a row see as far as a large one, with fewer weights.",
        published=(Published(1_250_858, "The summary of the Keras example", num_classes=10),),
    ),
    Architecture(
        name="resnet",
        title="ResNet for small images",
        year=2015,
        source="He et al. 2015, arXiv:1512.03385, section 4.2",
        summary="Three stacks of residual blocks; the depth is 6n+2 for n blocks per stack.",
        parameters=ResNetParameters,
        smallest_px=8,
        natural_px=32,
        builder="cnnlab.architectures.resnet:build_features",
        authors="Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun",
        paper="Deep Residual Learning for Image Recognition",
        key_idea="Each block learns what to add to its input, so depth no longer hinders training.",
        published=(Published(272_474, "ResNet-20 with projection shortcuts", num_classes=10),),
    ),
    Architecture(
        name="airbench",
        title="Network of the CIFAR-10 speed records",
        year=2024,
        source="Jordan 2024, arXiv:2404.00498, section 3",
        summary="Three blocks of two convolutions after a layer of 2x2 patches: made for the best accuracy per second.",
        parameters=AirbenchParameters,
        smallest_px=16,
        natural_px=32,
        builder="cnnlab.architectures.airbench:build_features",
        head="cnnlab.architectures.airbench:attach_head",
        authors="Keller Jordan",
        paper="94% on CIFAR-10 in 3.29 Seconds on a Single GPU",
        key_idea="Whitened patches, a start near the identity and fast offsets make ten epochs enough for 94 %.",
        published=(
            Published(1_971_640, "By hand: 312 + 50,688 + 147,456 + 3 x 589,824 + 1,152 + 2,560", num_classes=10),
        ),
    ),
)
