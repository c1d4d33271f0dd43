"""Layer lists to start from, each of which fits images from 16 px on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnnlab.architectures.layer_list import DEFAULT_LAYERS


@dataclass(frozen=True)
class Preset:
    """A named list of layers, as a person would write it."""

    name: str
    title: str
    layers: tuple[Any, ...]


def _conv(filters: int, **settings: Any) -> Mapping[str, Any]:
    return {"kind": "conv", "filters": filters, **settings}


def _residual_block(filters: int, stride: int = 1) -> tuple[Any, ...]:
    bare = {"bias": False, "activation": "none"}
    return (
        _conv(filters, stride=stride, **bare),
        "batch_norm",
        "activation",
        _conv(filters, **bare),
        "batch_norm",
        {"kind": "skip", "layers": 5},
    )


def _separable_block(filters: int, stride: int = 1) -> tuple[Any, ...]:
    bare = {"bias": False, "activation": "none"}
    return (
        {"kind": "depthwise_conv", "stride": stride, **bare},
        "batch_norm",
        "activation",
        _conv(filters, kernel=1, **bare),
        "batch_norm",
        "activation",
    )


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset("small", "Small CNN", DEFAULT_LAYERS),
        Preset(
            "lenet",
            "Like LeNet-5",
            (
                _conv(6, kernel=5, padding="valid"),
                "max_pool",
                _conv(16, kernel=5, padding="valid"),
                "max_pool",
                "flatten",
                {"kind": "dense", "units": 120},
                {"kind": "dense", "units": 84},
            ),
        ),
        Preset(
            "vgg",
            "Like VGG",
            (
                "conv",
                "conv",
                "max_pool",
                _conv(64),
                _conv(64),
                "max_pool",
                _conv(128),
                _conv(128),
                "max_pool",
                "flatten",
                {"kind": "dense", "units": 256},
                {"kind": "dropout", "rate": 0.5},
            ),
        ),
        Preset(
            "residual",
            "Residual",
            (
                _conv(16, bias=False, activation="none"),
                "batch_norm",
                "activation",
                *_residual_block(16),
                *_residual_block(32, stride=2),
                *_residual_block(64, stride=2),
                "global_average_pool",
            ),
        ),
        Preset(
            "separable",
            "Like MobileNet",
            (
                _conv(16, bias=False, activation="none"),
                "batch_norm",
                "activation",
                *_separable_block(32),
                *_separable_block(64, stride=2),
                *_separable_block(128, stride=2),
                "global_average_pool",
            ),
        ),
        Preset("empty", "Empty list", ()),
    )
}
