"""Every architecture of the catalogue, without a test of its own, keeps these promises."""

import keras
import numpy as np
import pytest

from cnnlab.analysis.costs import costs
from cnnlab.architectures.catalogue import ARCHITECTURES
from cnnlab.config import config_from_dict
from cnnlab.datasets.storage import DatasetInfo
from cnnlab.training.models import build_network

NAMES = sorted(ARCHITECTURES)


def info(channels=3, outputs=None, size=32, tmp=None) -> DatasetInfo:
    """A data set's description, without images."""
    return DatasetInfo(
        name="made", version="0" * 12, title="Made", source="", image_shape=(size, size, channels),
        outputs=outputs or {"label": tuple("0123456789")}, counts={"train": 8, "val": 2, "test": 2},
        channel_mean=(120.0,) * channels, channel_std=(60.0,) * channels, created_at="", skipped=(), parameters={},
        path=tmp,
    )  # fmt: skip


def network(name, size=None, parameters=None, **of_info) -> keras.Model:
    """The network of an architecture's defaults."""
    config = config_from_dict(
        {
            "architecture": {"name": name, "parameters": parameters or {}},
            "data": {"dataset": "made", "image_size": size},
        }
    )
    return build_network(config, info(**of_info))


@pytest.mark.parametrize("name", NAMES)
def test_it_takes_pixels_and_returns_logits(name):
    answer = network(name)(np.full((2, 32, 32, 3), 255, "float32"))
    assert answer.shape == (2, 10)
    assert np.isfinite(np.asarray(answer)).all()


@pytest.mark.parametrize("name", NAMES)
def test_it_works_at_its_smallest_size_grey_and_with_two_outputs(name):
    outputs = {"shape": ("a", "b", "c"), "colour": ("d", "e")}
    model = network(name, size=ARCHITECTURES[name].smallest_px, channels=1, outputs=outputs)
    answer = model(np.zeros((1, *model.input_shape[1:]), "float32"))
    assert {output: tuple(logits.shape) for output, logits in answer.items()} == {"shape": (1, 3), "colour": (1, 2)}


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_model_answers_the_same(name, tmp_path):
    model = network(name)
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(np.asarray(loaded(images)), np.asarray(model(images)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_costs_agree_with_keras_and_add_up(name):
    model = network(name)
    counted = costs(model)
    assert counted.num_params == model.count_params()
    assert counted.trainable_params == sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert counted.not_counted == ()
    assert counted.macs == sum(row.macs for row in counted.rows)


@pytest.mark.parametrize("name", NAMES)
def test_its_entry_is_complete(name):
    entry = ARCHITECTURES[name]
    assert entry.title
    assert entry.summary
    assert any(sign in entry.source for sign in ("arXiv:", "doi:"))
    assert 8 <= entry.smallest_px <= entry.natural_px


def test_published_counts():
    lenet = costs(network("lenet5", channels=1))
    assert lenet.num_params == 61_706
    # By hand: 28*28*6*25 + 10*10*16*25*6 + 400*120 + 120*84 + 84*10.
    assert lenet.macs == 117_600 + 240_000 + 48_000 + 10_080 + 840
    assert costs(network("resnet")).trainable_params == 272_474
    assert costs(network("vgg_small")).num_params == 1_250_858


@pytest.mark.parametrize(("blocks", "layers"), [(3, 20), (5, 32), (9, 56)])
def test_resnet_depth_is_6n_plus_2(blocks, layers):
    model = network("resnet", parameters={"blocks_per_stack": blocks})
    weighted = [one for one in model.layers if isinstance(one, keras.layers.Conv2D | keras.layers.Dense)]
    assert len([one for one in weighted if "shortcut" not in one.name]) == layers
