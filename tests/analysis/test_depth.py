"""Networks are as deep as their names say."""

import keras
import pytest

from cnnlab.analysis.costs import costs
from cnnlab.config import config_from_dict
from cnnlab.datasets.storage import DatasetInfo
from cnnlab.training.models import build_network

INFO = DatasetInfo(
    name="made", version="0" * 12, title="", source="", image_shape=(32, 32, 3), outputs={"label": tuple("0123456789")},
    counts={}, channel_mean=(120.0,) * 3, channel_std=(60.0,) * 3, created_at="", skipped=(), parameters={}, path=None,
)  # fmt: skip


@pytest.mark.parametrize(
    ("architecture", "parameters", "depth"),
    [
        ("lenet5", {}, 5),
        ("resnet", {"blocks_per_stack": 3}, 20),
        ("resnet", {"blocks_per_stack": 9}, 56),
        ("vgg", {"depth": 16}, 16),
        ("resnet_imagenet", {"depth": 18}, 18),
        ("resnet_imagenet", {"depth": 50}, 50),
        ("densenet", {"depth": 121}, 121),
        ("airbench", {}, 8),
    ],
)
def test_networks_are_as_deep_as_their_names_say(architecture, parameters, depth):
    config = config_from_dict(
        {
            "architecture": {"name": architecture, "parameters": parameters},
            "data": {"dataset": "made", "image_size": 32},
        }
    )
    try:
        with keras.StatelessScope(initialize_variables=False):
            assert costs(build_network(config, INFO)).depth == depth
    finally:
        keras.backend.clear_session(free_memory=False)


def test_what_stands_beside_the_way_does_not_count():
    images = keras.Input((8, 8, 3))
    way = keras.layers.Conv2D(4, 3, padding="same")(keras.layers.Conv2D(4, 3, padding="same")(images))
    beside = keras.layers.Conv2D(4, 1)(images)
    x = keras.layers.BatchNormalization()(keras.layers.Add()([way, beside]))
    assert costs(keras.Model(images, keras.layers.GlobalAveragePooling2D()(x))).depth == 2
