"""ResNeXt: residual bottlenecks of many narrow paths, written as grouped convolutions.

Source: Xie et al. 2016, arXiv:1611.05431, table 1 (50, 32x4d) and its code. For small
images the strides of stem and pooling go first, as in `resnet_imagenet`.
"""

from typing import Any

from keras import layers

from cnnlab.architectures.resnet_imagenet import BLOCKS, Residual, bottleneck, stem


def build_features(
    images: Any,
    *,
    depth: int,
    cardinality: int,
    path_width: int,
    zero_init_last_norm: bool,
    stochastic_depth: float,
) -> Any:
    """Return 2048 features per image from `(batch, height, width, channels)`."""
    residual = Residual("b", zero_init_last_norm, stochastic_depth, sum(BLOCKS[depth]))
    x, strides = stem(images)
    position = 0
    for stage, count in enumerate(BLOCKS[depth]):
        inner = cardinality * path_width * 2**stage
        for index in range(count):
            position += 1
            x = bottleneck(
                x,
                64 * 2**stage,
                residual,
                position,
                strides=strides[stage] if index == 0 else 1,
                inner=inner,
                groups=cardinality,
                name=f"stage{stage + 1}_block{index + 1}",
            )
    return layers.GlobalAveragePooling2D(name="pool")(x)
