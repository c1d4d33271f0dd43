"""Network of the CIFAR-10 speed records.

Source: Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", arXiv:2404.00498, section 3 (airbench94:
width 64, later width 256, two convolutions per block; airbench95: 128, 384; airbench96: three convolutions,
a shortcut around the last two). With 32x32x3 images of 10 classes airbench94 has 1,971,640 parameters.
Differs from the paper: the first kernel starts random and learns, unless the run whitens it
(`tricks.whiten_first_conv`).
"""

from typing import Any

from keras import initializers, layers

from cnnlab.architectures.layers import SMALL_START, IdentityStart

# One filter and its negative for each value of a 2x2 patch.
PATCH_PX = 2
# The moving statistics follow fast: a run has few hundred steps.
MOMENTUM = 0.6
LOGIT_SCALE = 1 / 9


def build_features(
    images: Any, *, width: int, later_width: int, convs_per_block: int, activation: str, identity_start: bool
) -> Any:
    """Return `later_width` features per image from `(batch, height, width, channels)`."""
    filters = 2 * PATCH_PX**2 * images.shape[-1]
    x = layers.Conv2D(filters, PATCH_PX, kernel_initializer="he_uniform", name="patches_conv")(images)
    x = layers.Activation(activation, name=f"patches_{activation}")(x)
    for block, filters in enumerate((width, later_width, later_width), start=1):
        x = _block(x, filters, convs_per_block, activation, identity_start, f"block{block}")
    return layers.GlobalMaxPooling2D(name="pool")(x)


def attach_head(features: Any, num_classes: int, name: str) -> Any:
    """Return logits without bias, made smaller so that the first answers are nearly even."""
    start = initializers.VarianceScaling(SMALL_START, "fan_in", "uniform")
    x = layers.Dense(num_classes, use_bias=False, kernel_initializer=start, dtype="float32", name=f"{name}_dense")(
        features
    )
    return layers.Rescaling(LOGIT_SCALE, dtype="float32", name=name)(x)


def _block(x: Any, filters: int, convs: int, activation: str, identity_start: bool, name: str) -> Any:
    shortcut = None
    for index in range(1, convs + 1):
        x = _conv(x, filters, identity_start, f"{name}_{index}")
        if index == 1:
            x = layers.MaxPooling2D(2, name=f"{name}_pool")(x)
        x = layers.BatchNormalization(momentum=MOMENTUM, scale=False, name=f"{name}_{index}_bn")(x)
        if index == convs and convs > 2:
            x = layers.Add(name=f"{name}_add")([x, shortcut])
        x = layers.Activation(activation, name=f"{name}_{index}_{activation}")(x)
        shortcut = x if index == 1 else shortcut
    return x


def _conv(x: Any, filters: int, identity_start: bool, name: str) -> Any:
    start = IdentityStart() if identity_start else initializers.VarianceScaling(SMALL_START, "fan_in", "uniform")
    return layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer=start, name=f"{name}_conv")(x)
