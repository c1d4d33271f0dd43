"""ConvNeXt: a residual network with the habits of a vision transformer.

Source: Liu et al. 2022, arXiv:2201.03545, section 2 and appendix A. For small images the
patches of the stem shrink (4 px to 2 px for 64 px, to single pixels for 32 px, which a 3x3
convolution reads).
"""

from typing import Any

from keras import initializers, layers

from cnnlab.architectures.blocks import drop_path, kept_strides
from cnnlab.architectures.layers import LayerScale

# Blocks per stage and filters of the first.
PLANS = {
    "tiny": ((3, 3, 9, 3), 96),
    "small": ((3, 3, 27, 3), 96),
    "base": ((3, 3, 27, 3), 128),
}
EXPANSION = 4
EPSILON = 1e-6


def build_features(images: Any, *, size: str, stochastic_depth: float) -> Any:
    """Return eight times the first stage's filters per image: 768 (tiny) or 1024 (base)."""
    counts, width = PLANS[size]
    patch, *strides = kept_strides(images, (4, 2, 2, 2))
    x = _norm(_conv(images, width, max(patch, 1 if patch > 1 else 3), patch, "stem"), "stem_norm")
    done = 0
    for stage, count in enumerate(counts):
        if stage > 0:
            stride = strides[stage - 1]
            x = _conv(_norm(x, f"stage{stage + 1}_norm"), width * 2**stage, stride, stride, f"stage{stage + 1}_down")
        for block in range(count):
            rate = stochastic_depth * done / (sum(counts) - 1)
            x = _block(x, rate, f"stage{stage + 1}_block{block + 1}")
            done += 1
    return _norm(layers.GlobalAveragePooling2D(name="pool")(x), "head_norm")


def _block(x: Any, drop_rate: float, name: str) -> Any:
    channels = x.shape[-1]
    new = layers.DepthwiseConv2D(7, padding="same", depthwise_initializer=_initial(), name=f"{name}_dwconv")(x)
    new = _norm(new, f"{name}_norm")
    new = layers.Dense(EXPANSION * channels, activation="gelu", kernel_initializer=_initial(), name=f"{name}_1")(new)
    new = layers.Dense(channels, kernel_initializer=_initial(), name=f"{name}_2")(new)
    new = drop_path(LayerScale(name=f"{name}_scale")(new), drop_rate, name=f"{name}_drop")
    return layers.Add(name=f"{name}_add")([x, new])


def _norm(x: Any, name: str) -> Any:
    return layers.LayerNormalization(epsilon=EPSILON, name=name)(x)


def _conv(x: Any, filters: int, kernel: int, strides: int, name: str) -> Any:
    return layers.Conv2D(
        filters, kernel, strides=strides, padding="same", kernel_initializer=_initial(), name=f"{name}_conv"
    )(x)


def _initial() -> initializers.Initializer:
    return initializers.TruncatedNormal(stddev=0.02)
