"""Vision transformer: patches as words, without any convolution beyond the first cut.

Source: Dosovitskiy et al. 2020, arXiv:2010.11929, section 3.1 and table 1 (base); the
smaller widths of Touvron et al. 2020, "DeiT", arXiv:2012.12877, table 1. For small images
patches are halved until there are at least 7x7 of them: 16 px become 8 px for 64 px and
4 px for 32 px.
"""

from typing import Any

from keras import initializers, layers

from cnnlab.architectures.blocks import drop_path
from cnnlab.architectures.blocks import dropout as drop
from cnnlab.architectures.layers import ClassToken, PositionEmbedding

# Width and heads; all have the same depth.
SIZES = {"tiny": (192, 3), "small": (384, 6), "base": (768, 12)}
BLOCKS = 12
EXPANSION = 4
LEAST_PATCHES = 7
EPSILON = 1e-6


def build_features(images: Any, *, size: str, patch_px: int, dropout: float, stochastic_depth: float) -> Any:
    """Return the class token: 192 (tiny), 384 (small) or 768 (base) features per image."""
    width, heads = SIZES[size]
    patch = kept_patch(images, patch_px)
    x = layers.Conv2D(width, patch, strides=patch, name="patches")(images)
    x = layers.Reshape((x.shape[1] * x.shape[2], width), name="tokens")(x)
    x = PositionEmbedding(name="positions")(ClassToken(name="class_token")(x))
    x = drop(x, dropout, name="dropout")
    for block in range(BLOCKS):
        x = _block(x, heads, dropout, stochastic_depth * block / (BLOCKS - 1), f"block{block + 1}")
    return _norm(x, "head_norm")[:, 0]


def kept_patch(images: Any, patch_px: int) -> int:
    """Return the side of a patch, halved until enough of them fit."""
    while patch_px > 1 and min(images.shape[1:3]) // patch_px < LEAST_PATCHES:
        patch_px //= 2
    return patch_px


def _block(x: Any, heads: int, dropout: float, drop_rate: float, name: str) -> Any:
    width = x.shape[-1]
    seen = _norm(x, f"{name}_norm1")
    seen = layers.MultiHeadAttention(heads, width // heads, name=f"{name}_attention")(seen, seen)
    seen = drop_path(drop(seen, dropout, name=f"{name}_dropout1"), drop_rate, name=f"{name}_drop1")
    x = layers.Add(name=f"{name}_add1")([x, seen])
    thought = _norm(x, f"{name}_norm2")
    thought = _dense(thought, EXPANSION * width, "gelu", f"{name}_mlp1")
    thought = _dense(drop(thought, dropout, name=f"{name}_dropout2"), width, None, f"{name}_mlp2")
    thought = drop_path(drop(thought, dropout, name=f"{name}_dropout3"), drop_rate, name=f"{name}_drop2")
    return layers.Add(name=f"{name}_add2")([x, thought])


def _norm(x: Any, name: str) -> Any:
    return layers.LayerNormalization(epsilon=EPSILON, name=name)(x)


def _dense(x: Any, units: int, activation: str | None, name: str) -> Any:
    return layers.Dense(
        units, activation=activation, bias_initializer=initializers.RandomNormal(stddev=1e-6), name=name
    )(x)
