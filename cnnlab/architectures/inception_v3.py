"""Inception v3: large kernels cut into small and one-sided ones.

Source: Szegedy et al. 2015, arXiv:1512.00567, table 1 and figures 5 to 10, with the
filters of its code (torchvision's too). In training an auxiliary head reads the last map of
the second stage. For images of less than 128 px all convolutions are padded and the first
strides are left out until the last map is 4x4 (64 px lose one, 32 px two).
"""

from collections.abc import Sequence
from typing import Any

from keras import layers

from cnnlab.architectures.blocks import conv_bn, kept_strides
from cnnlab.architectures.blocks import dropout as drop
from cnnlab.architectures.features import Features

PADDED_BELOW_PX = 128
AUXILIARY_KERNEL = 5
# Filters after the pooling of each module of the first stage; inner filters of the second's.
AFTER_POOL = {"5b": 32, "5c": 64, "5d": 64}
INNER = {"6b": 128, "6c": 160, "6d": 160, "6e": 192}

# A branch is a chain of convolutions: filters, kernel and, if not 1, a stride.
Step = tuple[int, int | tuple[int, int]]


def build_features(images: Any, *, dropout: float) -> Features:
    """Return 2048 features per image and those of the auxiliary head."""
    padding = "same" if min(images.shape[1:3]) < PADDED_BELOW_PX else "valid"
    *stem, stride6, stride7 = kept_strides(images, (2, 2, 2, 2, 2))
    x = _stem(images, stem, padding)
    for name, filters in AFTER_POOL.items():
        x = _module_a(x, filters, f"mixed{name}")
    x = _reduced(x, (((384, 3),), ((64, 1), (96, 3), (96, 3))), stride6, padding, "mixed6a")
    for name, inner in INNER.items():
        x = _module_c(x, inner, f"mixed{name}")
    auxiliary = _auxiliary(x)
    branches = (((192, 1), (320, 3)), ((192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3)))
    x = _reduced(x, branches, stride7, padding, "mixed7a")
    for name in ("7b", "7c"):
        x = _module_e(x, f"mixed{name}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return Features(drop(x, dropout, name="dropout"), (auxiliary,))


def _stem(images: Any, strides: Sequence[int], padding: str) -> Any:
    x = _conv(images, 32, 3, "stem1", strides=strides[0], padding=padding)
    x = _conv(x, 32, 3, "stem2", padding=padding)
    x = _pool(_conv(x, 64, 3, "stem3"), strides[1], padding, "stem_pool1")
    x = _conv(_conv(x, 80, 1, "stem4"), 192, 3, "stem5", padding=padding)
    return _pool(x, strides[2], padding, "stem_pool2")


def _module_a(x: Any, after_pool: int, name: str) -> Any:
    """Figure 5: two 3x3 convolutions in place of a 5x5."""
    branches = [
        _chain(x, ((64, 1),), f"{name}_1x1"),
        _chain(x, ((48, 1), (64, 5)), f"{name}_5x5"),
        _chain(x, ((64, 1), (96, 3), (96, 3)), f"{name}_3x3"),
        _averaged(x, after_pool, name),
    ]
    return layers.Concatenate(name=f"{name}_concat")(branches)


def _module_c(x: Any, inner: int, name: str) -> Any:
    """Figure 6: 7x7 cut into rows and columns."""
    row, column = (1, 7), (7, 1)
    twice = ((inner, 1), (inner, column), (inner, row), (inner, column), (192, row))
    branches = [
        _chain(x, ((192, 1),), f"{name}_1x1"),
        _chain(x, ((inner, 1), (inner, row), (192, column)), f"{name}_7x7"),
        _chain(x, twice, f"{name}_7x7_twice"),
        _averaged(x, 192, name),
    ]
    return layers.Concatenate(name=f"{name}_concat")(branches)


def _module_e(x: Any, name: str) -> Any:
    """Figure 7: rows and columns side by side, on the coarsest map."""
    three = _chain(x, ((384, 1),), f"{name}_3x3")
    twice = _chain(x, ((448, 1), (384, 3)), f"{name}_3x3_twice")
    branches = [
        _chain(x, ((320, 1),), f"{name}_1x1"),
        *(_conv(three, 384, kernel, f"{name}_3x3_{side}") for side, kernel in (("row", (1, 3)), ("column", (3, 1)))),
        *(
            _conv(twice, 384, kernel, f"{name}_3x3_twice_{side}")
            for side, kernel in (("row", (1, 3)), ("column", (3, 1)))
        ),
        _averaged(x, 192, name),
    ]
    return layers.Concatenate(name=f"{name}_concat")(branches)


def _reduced(x: Any, branches: Sequence[Sequence[Step]], strides: int, padding: str, name: str) -> Any:
    """Figure 10: convolutions with strides beside a pooling."""
    parts = []
    for index, steps in enumerate(branches, start=1):
        inside = _chain(x, steps[:-1], f"{name}_branch{index}")
        filters, kernel = steps[-1]
        parts.append(_conv(inside, filters, kernel, f"{name}_branch{index}_last", strides=strides, padding=padding))
    parts.append(layers.MaxPooling2D(3, strides, padding=padding if strides > 1 else "same", name=f"{name}_pool")(x))
    return layers.Concatenate(name=f"{name}_concat")(parts)


def _auxiliary(x: Any) -> Any:
    x = layers.AveragePooling2D(5, 3, name="auxiliary_pool")(x)
    # Of 299 px it leaves 5x5 places, which the kernel fills; of less it leaves fewer.
    padding = "valid" if min(x.shape[1:3]) >= AUXILIARY_KERNEL else "same"
    x = _conv(_conv(x, 128, 1, "auxiliary1"), 768, AUXILIARY_KERNEL, "auxiliary2", padding=padding)
    return layers.GlobalAveragePooling2D(name="auxiliary_mean")(x)


def _averaged(x: Any, filters: int, name: str) -> Any:
    x = layers.AveragePooling2D(3, 1, padding="same", name=f"{name}_pool")(x)
    return _conv(x, filters, 1, f"{name}_pool_1x1")


def _chain(x: Any, steps: Sequence[Step], name: str) -> Any:
    for index, (filters, kernel) in enumerate(steps, start=1):
        x = _conv(x, filters, kernel, f"{name}_{index}")
    return x


def _conv(
    x: Any, filters: int, kernel: int | tuple[int, int], name: str, *, strides: int = 1, padding: str = "same"
) -> Any:
    return conv_bn(x, filters, kernel=kernel, strides=strides, padding=padding, activation="relu", name=name)


def _pool(x: Any, strides: int, padding: str, name: str) -> Any:
    return layers.MaxPooling2D(3, strides, padding=padding, name=name)(x) if strides > 1 else x
