"""Entries of the networks made to be small or fast."""

from typing import Literal

from pydantic import Field

from cnnlab.architectures.entry import Architecture, Published
from cnnlab.parameters import Parameters

SMALL_STRIDES = "The first strides are left out until the last map is 4x4: 64 px lose one, 32 px two."


class SqueezeNetParameters(Parameters):
    version: Literal["v1.1", "v1.0"] = Field(
        "v1.0", title="Version", description="v1.1 pools earlier: as accurate, with less than half of the work."
    )
    dropout: float = Field(0.5, ge=0, le=0.9, title="Dropout", description="Before the classifier.")


class MobileNetParameters(Parameters):
    width_factor: float = Field(
        1.0, ge=0.25, le=2.0, title="Width factor", description="Times the filters of each layer.",
        json_schema_extra={"step": 0.05},
    )  # fmt: skip
    dropout: float = Field(0.0, ge=0, le=0.9, title="Dropout", description="Before the output.")


class MobileNetV2Parameters(Parameters):
    width_factor: float = Field(
        1.0, ge=0.25, le=2.0, title="Width factor", description="Times the filters of each layer.",
        json_schema_extra={"step": 0.05},
    )  # fmt: skip
    dropout: float = Field(0.2, ge=0, le=0.9, title="Dropout", description="Before the output.")


class MobileNetV3Parameters(Parameters):
    size: Literal["small", "large"] = Field("large", title="Size", description="Two networks of the paper.")
    dropout: float = Field(0.2, ge=0, le=0.9, title="Dropout", description="Before the output.")


class ShuffleNetV2Parameters(Parameters):
    width: Literal["x0.5", "x1.0", "x1.5", "x2.0"] = Field(
        "x1.0", title="Width", description="Four widths of the paper, by their factor."
    )


class EfficientNetParameters(Parameters):
    variant: Literal["b0", "b1", "b2", "b3"] = Field(
        "b0", title="Variant", description="Deeper and wider with each step; image size is set on its own."
    )
    dropout: float = Field(0.2, ge=0, le=0.9, title="Dropout", description="Before the output.")
    stochastic_depth: float = Field(
        0.2,
        ge=0,
        le=0.8,
        title="Stochastic depth",
        description="Share of images that skip the last block; earlier ones less.",
    )


ENTRIES = (
    Architecture(
        name="squeezenet",
        title="SqueezeNet",
        year=2016,
        source="Iandola et al. 2016, arXiv:1602.07360, table 1",
        summary="Fire modules squeeze maps before they expand them; no dense layer, 1.2 million parameters.",
        parameters=SqueezeNetParameters,
        smallest_px=8,
        natural_px=224,
        builder="cnnlab.architectures.squeezenet:build_features",
        head="cnnlab.architectures.squeezenet:attach_head",
        authors="Forrest Iandola, Song Han, Matthew Moskewicz, and three others",
        paper="SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size",
        key_idea="Few 1x1 kernels in front of the 3x3 ones save most parameters.",
        small_images="64 px keep all; 32 px lose the stride of the stem, whose kernel becomes 3x3.",
        published=(
            Published(1_248_424, "torchvision", table_row="SqueezeNet1_0"),
            Published(1_235_496, "torchvision", {"version": "v1.1"}, table_row="SqueezeNet1_1"),
        ),
    ),
    Architecture(
        name="mobilenet",
        title="MobileNet",
        year=2017,
        source="Howard et al. 2017, arXiv:1704.04861, table 1",
        summary="Thirteen depthwise convolutions, each with a 1x1 convolution: an eighth of the usual work.",
        parameters=MobileNetParameters,
        smallest_px=8,
        natural_px=224,
        builder="cnnlab.architectures.mobilenet:build_features",
        authors="Andrew Howard, Menglong Zhu, Bo Chen, and five others",
        paper="MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
        key_idea="Looking around and mixing channels are done one after the other, which is far cheaper.",
        small_images=SMALL_STRIDES,
        published=(
            Published(4_231_976, "Keras's MobileNet, without moving statistics; the paper's table 8 says 4.2M"),
            Published(
                1_331_592,
                "Keras's MobileNet, without moving statistics; the paper's table 6 says 1.3M",
                {"width_factor": 0.5},
            ),
        ),
    ),
    Architecture(
        name="mobilenet_v2",
        title="MobileNetV2",
        year=2018,
        source="Sandler et al. 2018, arXiv:1801.04381, table 2",
        summary="Residual blocks that are thin outside and wide inside, where they look around channel by channel.",
        parameters=MobileNetV2Parameters,
        smallest_px=8,
        natural_px=224,
        builder="cnnlab.architectures.mobilenet_v2:build_features",
        authors="Mark Sandler, Andrew Howard, Menglong Zhu, Andrey Zhmoginov, Liang-Chieh Chen",
        paper="MobileNetV2: Inverted Residuals and Linear Bottlenecks",
        key_idea="Shortcuts join the thin ends, and no rectifier destroys what little they carry.",
        small_images=SMALL_STRIDES,
        published=(Published(3_504_872, "torchvision", table_row="MobileNet_V2"),),
    ),
    Architecture(
        name="mobilenet_v3",
        title="MobileNetV3",
        year=2019,
        source="Howard et al. 2019, arXiv:1905.02244, tables 1 and 2",
        summary="MobileNetV2 tuned by a search, with gates over channels and a cheap swish.",
        parameters=MobileNetV3Parameters,
        smallest_px=8,
        natural_px=224,
        builder="cnnlab.architectures.mobilenet_v3:build_features",
        authors="Andrew Howard, Mark Sandler, Grace Chu, and nine others",
        paper="Searching for MobileNetV3",
        key_idea="A search finds the blocks for a phone's real speed; people then trim the ends.",
        small_images=SMALL_STRIDES,
        published=(
            Published(5_483_032, "torchvision", table_row="MobileNet_V3_Large"),
            Published(2_542_856, "torchvision", {"size": "small"}, table_row="MobileNet_V3_Small"),
        ),
    ),
    Architecture(
        name="shufflenet_v2",
        title="ShuffleNetV2",
        year=2018,
        source="Ma et al. 2018, arXiv:1807.11164, table 5",
        summary="Half of the channels pass a block untouched; shuffling lets the halves meet.",
        parameters=ShuffleNetV2Parameters,
        smallest_px=8,
        natural_px=224,
        builder="cnnlab.architectures.shufflenet_v2:build_features",
        has_one_size=True,
        authors="Ningning Ma, Xiangyu Zhang, Hai-Tao Zheng, Jian Sun",
        paper="ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design",
        key_idea="Speed is measured, not counted: equal widths, few pieces and little element-wise work.",
        small_images=SMALL_STRIDES,
        published=(
            Published(2_278_604, "torchvision", table_row="ShuffleNet_V2_X1_0"),
            Published(1_366_792, "torchvision", {"width": "x0.5"}, table_row="ShuffleNet_V2_X0_5"),
            Published(3_503_624, "torchvision", {"width": "x1.5"}, table_row="ShuffleNet_V2_X1_5"),
            Published(7_393_996, "torchvision", {"width": "x2.0"}, table_row="ShuffleNet_V2_X2_0"),
        ),
    ),
    Architecture(
        name="efficientnet",
        title="EfficientNet-B0 to B3",
        year=2019,
        source="Tan and Le 2019, arXiv:1905.11946, table 1",
        summary="Inverted residual blocks with gates over channels, scaled in depth and width at once.",
        parameters=EfficientNetParameters,
        smallest_px=8,
        natural_px=224,
        builder="cnnlab.architectures.efficientnet:build_features",
        authors="Mingxing Tan, Quoc Le",
        paper="EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
        key_idea="Depth, width and image size should grow together, by fixed ratios.",
        small_images=SMALL_STRIDES,
        published=(
            Published(5_288_548, "torchvision", table_row="EfficientNet_B0"),
            Published(7_794_184, "torchvision", {"variant": "b1"}),
            Published(9_109_994, "torchvision", {"variant": "b2"}),
            Published(12_233_232, "torchvision", {"variant": "b3"}),
        ),
    ),
)
