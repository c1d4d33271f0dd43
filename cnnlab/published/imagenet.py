"""What torchvision publishes of networks on ImageNet: numbers of others, shipped as data.

Source, date and columns: README.md beside this file.
"""

import io
from functools import cache
from importlib import resources
from typing import Literal

import polars as pl

FILE = "imagenet_torchvision.csv"
SOURCE = "torchvision, table of all available classification weights"
URL = "https://docs.pytorch.org/vision/stable/models.html"
COPIED_ON = "2026-11-22"
# Of the validation split, on which all of them were tested: every accuracy is a whole number of these.
N_IMAGES = 50_000

Weights = Literal["first", "best", "all"]
# First part of a model's name that says its family; longer ones first.
_FAMILIES = {
    "EfficientNet_V2": "EfficientNetV2",
    "ShuffleNet_V2": "ShuffleNetV2",
    "MobileNet_V2": "MobileNetV2",
    "MobileNet_V3": "MobileNetV3",
    "EfficientNet": "EfficientNet",
    "Wide_ResNet": "Wide ResNet",
    "SqueezeNet": "SqueezeNet",
    "Inception": "Inception",
    "ConvNeXt": "ConvNeXt",
    "DenseNet": "DenseNet",
    "RegNet_X": "RegNetX",
    "RegNet_Y": "RegNetY",
    "ResNeXt": "ResNeXt",
    "Swin_V2": "Swin V2",
    "MNASNet": "MNASNet",
    "MaxVit": "MaxViT",
    "ResNet": "ResNet",
    "Swin": "Swin",
    "VGG": "VGG",
    "ViT": "ViT",
}
_SCHEMA = {
    "model": pl.String(),
    "weights": pl.String(),
    "params": pl.Int64(),
    "top1": pl.Float64(),
    "top5": pl.Float64(),
    "gmacs": pl.Float64(),
}


@cache
def load_imagenet() -> pl.DataFrame:
    """Return one row per set of weights, in the order of the file; shared, so never change it in place.

    Columns: model, weights, family, num_params (null where the source has none), macs, top1 and top5
    in [0, 1], correct and n (images).
    """
    text = resources.files("cnnlab.published").joinpath(FILE).read_bytes()
    frame = pl.read_csv(io.BytesIO(text), schema=_SCHEMA)
    families = pl.Series("family", [family_of(model) for model in frame["model"]], dtype=pl.String)
    return frame.select(
        "model",
        "weights",
        families,
        pl.col("params").alias("num_params"),
        # Rounded: 0.057 thousand million is 57,000,000 and not a little less.
        (pl.col("gmacs") * 1e9).round().cast(pl.Int64).alias("macs"),
        (pl.col("top1") / 100).alias("top1"),
        (pl.col("top5") / 100).alias("top5"),
        (pl.col("top1") * N_IMAGES / 100).round().cast(pl.Int64).alias("correct"),
        pl.lit(N_IMAGES, pl.Int64).alias("n"),
    )


def choose_weights(frame: pl.DataFrame, weights: Weights) -> pl.DataFrame:
    """Return the rows of one choice of weights.

    Args:
        frame: From `load_imagenet`.
        weights: `first`: the first recipe of each model (V1). `best`: of each model the weights with the highest
            top-1 that saw ImageNet alone. `all`: every row, those that were pre-trained on other images too.
    """
    if weights == "all":
        return frame
    on_imagenet_alone = frame.filter(~pl.col("weights").str.contains("SWAG"))
    if weights == "first":
        return on_imagenet_alone.filter(pl.col("weights").str.ends_with("_V1"))
    best = on_imagenet_alone.sort("top1", descending=True, maintain_order=True)
    return best.unique("model", keep="first", maintain_order=True)


def family_of(model: str) -> str:
    """Return the family of a model, such as `RegNetY` for `RegNet_Y_400MF`; itself where it is the only one."""
    return next((family for start, family in _FAMILIES.items() if model.startswith(start)), model)
