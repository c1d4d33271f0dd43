"""Entries of the networks from before shortcuts: AlexNet to Inception."""

from typing import Literal

from pydantic import Field

from cnnlab.architectures.entry import Architecture, Published
from cnnlab.parameters import NoParameters, Parameters


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


class AlexNetParameters(Parameters):
    columns: Literal["two_columns", "one_column"] = Field(
        "one_column",
        title="Columns",
        description="Two, on two GPUs with response normalisation, in 2012; one, as in torchvision, from 2014 on.",
    )
    dropout: float = Field(0.5, ge=0, le=0.9, title="Dropout", description="After each hidden dense layer.")


class GoogLeNetParameters(Parameters):
    batch_norm: bool = Field(
        True,
        title="Batch normalisation",
        description="After each convolution, with 3x3 kernels for the 5x5, as in torchvision; off is the 2014 paper.",
    )
    dropout: float = Field(0.2, ge=0, le=0.9, title="Dropout", description="Before the output; the 2014 paper has 0.4.")


class InceptionV3Parameters(Parameters):
    dropout: float = Field(0.5, ge=0, le=0.9, title="Dropout", description="Before the output.")


ENTRIES = (
    Architecture(
        name="lenet5_1998",
        title="LeNet-5 as of 1998",
        year=1998,
        source="LeCun et al. 1998, doi:10.1109/5.726791, section II.B",
        summary="The original: tanh, averages with learnt coefficients, and a second convolution of partial sight.",
        parameters=NoParameters,
        smallest_px=16,
        natural_px=32,
        builder="cnnlab.architectures.lenet_1998:build_features",
        has_one_size=True,
        authors="Yann LeCun, Léon Bottou, Yoshua Bengio, Patrick Haffner",
        paper="Gradient-Based Learning Applied to Document Recognition",
        key_idea="Local kernels shared over the image, and pooling, learnt from pixels by one gradient.",
        published=(
            Published(
                60_850, "The paper's 60,000 up to layer F6, and 85 for each of 10 classes", num_classes=10, channels=1
            ),
        ),
    ),
    Architecture(
        name="alexnet",
        title="AlexNet",
        year=2012,
        source="Krizhevsky et al. 2012, doi:10.1145/3065386; one column: arXiv:1404.5997",
        summary="Five convolutions, the first 11x11, then two dense layers with dropout: the start of the boom.",
        parameters=AlexNetParameters,
        smallest_px=16,
        natural_px=224,
        builder="cnnlab.architectures.alexnet:build_features",
        has_one_size=True,
        authors="Alex Krizhevsky, Ilya Sutskever, Geoffrey Hinton",
        paper="ImageNet Classification with Deep Convolutional Neural Networks",
        key_idea="A large network of rectifiers, kept from overfitting by dropout, trained on GPUs.",
        small_images=(
            "Up to 64 px the first kernel is 7x7 with stride 2 or, for 32 px, 5x5 with stride 1, and the dense "
            "layers have 512 units for 4096."
        ),
        published=(
            Published(61_100_840, "torchvision", table_row="AlexNet"),
            Published(60_965_224, "Caffe's bvlc_alexnet, with the groups of 2012", {"columns": "two_columns"}),
        ),
    ),
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
        has_one_size=True,
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
    Architecture(
        name="googlenet",
        title="GoogLeNet (Inception v1)",
        year=2014,
        source="Szegedy et al. 2014, arXiv:1409.4842, table 1",
        summary="Nine modules of parallel 1x1, 3x3 and 5x5 kernels; two auxiliary heads help while it trains.",
        parameters=GoogLeNetParameters,
        smallest_px=8,
        natural_px=224,
        builder="cnnlab.architectures.googlenet:build_features",
        has_one_size=True,
        authors="Christian Szegedy, Wei Liu, Yangqing Jia, and six others",
        paper="Going Deeper with Convolutions",
        key_idea="Kernels of several sizes side by side, each made cheap by a 1x1 convolution before it.",
        small_images="64 px lose the stride of the stem, 32 px the first pooling too; the 7x7 kernel becomes 3x3.",
        published=(
            Published(6_624_904, "torchvision", table_row="GoogLeNet"),
            Published(6_998_552, "Caffe's bvlc_googlenet", {"batch_norm": False}),
        ),
    ),
    Architecture(
        name="inception_v3",
        title="Inception v3",
        year=2015,
        source="Szegedy et al. 2015, arXiv:1512.00567, table 1",
        summary="Modules of small and one-sided kernels in three stages; an auxiliary head helps while it trains.",
        parameters=InceptionV3Parameters,
        smallest_px=8,
        natural_px=299,
        builder="cnnlab.architectures.inception_v3:build_features",
        has_one_size=True,
        authors="Christian Szegedy, Vincent Vanhoucke, Sergey Ioffe, Jonathon Shlens, Zbigniew Wojna",
        paper="Rethinking the Inception Architecture for Computer Vision",
        key_idea="A 7x7 kernel cut into a row and a column costs two sevenths and sees as much.",
        small_images=(
            "Below 128 px all convolutions are padded; 64 px lose the stride of the stem, 32 px the first pooling too."
        ),
        published=(Published(23_834_568, "torchvision, without its auxiliary head of 3,326,696"),),
    ),
)
