"""The networks of keras.applications as backbones: which there are and what each asks of its images. Without Keras."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from cnnlab.architectures.entry import Architecture
from cnnlab.errors import ConfigError
from cnnlab.parameters import Parameters

# Of Keras 3.15; the small ones first. A test compares with what Keras has.
Application = Literal[
    "MobileNetV3Small", "MobileNetV3Large", "MobileNetV2", "MobileNet", "NASNetMobile",
    "EfficientNetB0", "EfficientNetB1", "EfficientNetB2", "EfficientNetB3", "EfficientNetB4", "EfficientNetB5",
    "EfficientNetB6", "EfficientNetB7",
    "EfficientNetV2B0", "EfficientNetV2B1", "EfficientNetV2B2", "EfficientNetV2B3", "EfficientNetV2S",
    "EfficientNetV2M", "EfficientNetV2L",
    "DenseNet121", "DenseNet169", "DenseNet201",
    "ResNet50", "ResNet101", "ResNet152", "ResNet50V2", "ResNet101V2", "ResNet152V2",
    "InceptionV3", "Xception", "InceptionResNetV2", "NASNetLarge",
    "VGG16", "VGG19",
    "ConvNeXtTiny", "ConvNeXtSmall", "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtXLarge",
]  # fmt: skip

# What Keras's `preprocess_input` does to pixels from 0 to 255: BGR less its mean; to -1..1; less mean by deviation.
Preprocessing = Literal["caffe", "tf", "torch", "inside"]


class KerasApplicationParameters(Parameters):
    network: Application = Field("MobileNetV2", title="Network", description="By its name in keras.applications.")
    weights: Literal["none", "imagenet"] = Field(
        "none", title="First weights", description="'imagenet' fetches those trained on ImageNet; 'none' draws anew."
    )
    freeze: bool = Field(False, title="Train the head only", description="The backbone keeps its first weights.")


def smallest_px(network: str) -> int:
    """Return the least side that Keras takes without the top."""
    if network.startswith("Inception"):
        return 75
    return 71 if network == "Xception" else 32


def preprocessing(network: str) -> Preprocessing:
    """Return what has to be done to pixels; some networks have it inside."""
    if network.startswith(("EfficientNet", "ConvNeXt", "MobileNetV3")):
        return "inside"
    if network.startswith("DenseNet"):
        return "torch"
    return "caffe" if network.startswith(("ResNet", "VGG")) and not network.endswith("V2") else "tf"


def _check_size(parameters: Mapping[str, Any], image_px: int) -> None:
    network = parameters["network"]
    if image_px < smallest_px(network):
        raise ConfigError(
            f"image_size={image_px} is too small for {network}. Expected at least {smallest_px(network)} px. "
            "Raise the image size or choose another network."
        )


ENTRIES = (
    Architecture(
        name="keras_application",
        title="Backbone of keras.applications",
        year=None,
        source="Keras 3, keras.io/api/applications",
        summary="Any of the 40 networks that come with Keras, without its top: features after global average pooling.",
        parameters=KerasApplicationParameters,
        smallest_px=32,
        natural_px=224,
        builder="cnnlab.architectures.backbones:build_features",
        takes_pixels=True,
        check_size=_check_size,
        key_idea="Features that were learnt on a million photos serve other images too.",
        small_images="The strides stay as they are: from 32 px on (71 for Xception, 75 for Inception) the last map is "
        "tiny, and 96 px or more serve better.",
    ),
)
