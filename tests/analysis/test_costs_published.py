"""Multiply-accumulates and parameters of keras.applications against the published ones."""

import csv
from collections import Counter
from pathlib import Path

import keras
import pytest

import cnnlab
from cnnlab.analysis.costs import costs
from cnnlab.analysis.networks import load_network, without_weights

TABLE = Path(cnnlab.__file__).parent / "published" / "imagenet_torchvision.csv"

# Keras's name, the table's name, side: the same network in both.
SAME = [
    ("ConvNeXtTiny", "ConvNeXt_Tiny", 224),
    ("DenseNet121", "DenseNet121", 224),
    ("EfficientNetB0", "EfficientNet_B0", 224),
    ("EfficientNetV2S", "EfficientNet_V2_S", 384),
    ("InceptionV3", "Inception_V3", 299),
    ("MobileNetV2", "MobileNet_V2", 224),
    ("MobileNetV3Large", "MobileNet_V3_Large", 224),
    ("VGG16", "VGG16", 224),
]


def published(name: str) -> float:
    """Multiply-accumulates of the table."""
    with TABLE.open() as file:
        return next(float(row["gmacs"]) for row in csv.DictReader(file) if row["model"] == name) * 1e9


def counted(name: str, side: int):
    """The costs of a network of keras.applications, which hold its own parameters layer by layer."""
    with without_weights():
        network = getattr(keras.applications, name)(weights=None, input_shape=(side, side, 3))
        found = costs(network)
        assert found.num_params == network.count_params()
        by_layer: Counter[str] = Counter()
        for row in found.rows:
            by_layer[row.name.split("/")[0]] += row.num_params  # a nested model is one layer to Keras
        assert all(by_layer[layer.name] == layer.count_params() for layer in network.layers)
    return found


@pytest.mark.parametrize(("name", "published_name", "side"), SAME, ids=lambda value: str(value))
def test_macs_of_the_same_network_are_within_one_percent(name, published_name, side):
    found = counted(name, side)
    assert found.not_counted == ()
    # The table has three digits after the point: half a unit of the last is no difference.
    assert found.macs == pytest.approx(published(published_name), rel=0.01, abs=0.5e6)


def test_resnet50_differs_where_it_has_its_stride():
    """Keras has the stride of a stack in its first 1x1 convolution, torchvision in the 3x3 after it."""
    found = counted("ResNet50", 224)
    rows = {row.name: row for row in found.rows}
    moved = 0
    for stack in (3, 4, 5):
        first, second = (rows[f"conv{stack}_block1_{number}_conv"] for number in (1, 2))
        # The first convolution would see four times the positions; the second makes as many outputs as before.
        assert second.output_shape[:2] == first.output_shape[:2]
        moved += 3 * first.macs
    assert found.macs + moved == pytest.approx(published("ResNet50"), rel=0.001)


def test_the_differences_are_told_with_the_numbers():
    with without_weights():
        notes = load_network("keras.applications:ResNet50", {}, None, None).notes
    assert notes == (
        "Published counts of trained weights are those of trainable_params; moving statistics of batch normalisation "
        "come on top.",
        "Not the ResNet of torchvision (4.089 GMACs, 25.56 M): the stride of a stack is in its first 1x1 convolution, "
        "as in the paper, not in the 3x3 after it, and the convolutions have biases.",
    )
