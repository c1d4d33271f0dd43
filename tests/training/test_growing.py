"""Images that grow over the epochs: which size when, the same weights at each, and who cannot."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from cnnlab.architectures.catalogue import ARCHITECTURES
from cnnlab.config import config_from_dict
from cnnlab.datasets.storage import DatasetInfo, open_dataset
from cnnlab.errors import ConfigError
from cnnlab.training.growing import Growing, at_size, sizes_by_epoch, stride_of
from cnnlab.training.models import build_network, build_networks
from cnnlab.training.trainer import train

INFO = DatasetInfo(
    name="made", version="0" * 12, title="Made", source="", image_shape=(32, 32, 3),
    outputs={"label": tuple("0123456789")}, counts={"train": 8, "val": 2, "test": 2}, channel_mean=(120.0,) * 3,
    channel_std=(60.0,) * 3, created_at="", skipped=(), parameters={}, path=Path(),
)  # fmt: skip
SMALL = {"name": "resnet", "parameters": {"blocks_per_stack": 1, "width": 4}}


def config(size: int = 32, architecture=None, **tricks):
    return config_from_dict(
        {
            "data": {"dataset": "made", "image_size": size},
            "architecture": architecture or SMALL,
            "tricks": {"start_size_share": 0.5, **tricks},
        }
    )


def test_sizes_grow_in_strides_and_the_last_epochs_are_whole():
    # By hand: 32 px from a half in four steps is 16, 20, 24, 28; 15 of 20 epochs.
    sizes = sizes_by_epoch(20, 0.5, 0.75, 32, 4)
    assert sizes == (16,) * 4 + (20,) * 4 + (24,) * 4 + (28,) * 3 + (32,) * 5
    assert sizes_by_epoch(4, 0.5, 0.9, 224, 32) == (128, 160, 192, 224)
    assert sizes_by_epoch(2, 0.25, 0.1, 64, 8) == (64, 64)


@pytest.mark.parametrize("full_px", [28, 33, 224])
@pytest.mark.parametrize("share", [0.25, 0.6, 0.95])
def test_sizes_never_shrink_nor_pass_the_full_one(full_px, share):
    sizes = sizes_by_epoch(30, share, 0.5, full_px, 8)
    assert len(sizes) == 30
    assert sorted(sizes) == list(sizes)
    assert sizes[-1] == full_px
    assert share * full_px - 1 <= sizes[0]
    assert all(size % 8 == 0 or size == full_px for size in sizes)


def test_the_networks_of_all_sizes_have_the_same_weights():
    network = build_network(config(), INFO)
    assert stride_of(network) == 4
    smaller = at_size(network, 16)
    assert smaller.trainable_variables[0] is network.trainable_variables[0]
    images = np.random.default_rng(0).uniform(0, 255, (2, 16, 16, 3)).astype("float32")
    before = convert_to_numpy(smaller(images))
    network.trainable_variables[-1].assign_add([1.0] * 10)
    np.testing.assert_allclose(convert_to_numpy(smaller(images)), before + 1.0, rtol=1e-4, atol=1e-5)


def test_smaller_images_are_means_of_pixels():
    growing = Growing(build_network(config(), INFO), (16, 32))
    images = np.kron(np.random.default_rng(0).uniform(0, 255, (1, 16, 16)), np.ones((2, 2)))[..., None] * np.ones(3)
    small = convert_to_numpy(growing.resized(images.astype("float32")))
    assert small.shape == (1, 16, 16, 3)
    assert small.mean() == pytest.approx(images.mean(), rel=1e-3)
    assert growing.network_for(small) is not None
    growing.begin_epoch(1)
    assert growing.resized(images) is images
    assert growing.network_for(images) is None


# To build the deepest takes longest, and they are made of layers that the others have.
@pytest.mark.parametrize(
    "name", sorted({*ARCHITECTURES} - {"densenet", "resnext", "keras_application", "layers", "own"})
)
def test_the_catalogue_says_who_takes_one_size_only(name):
    entry = ARCHITECTURES[name]
    size = max(64, entry.smallest_px)
    values = config_from_dict({"data": {"dataset": "made", "image_size": size}, "architecture": {"name": name}})
    try:
        with keras.StatelessScope(initialize_variables=False):
            network, with_auxiliary = build_networks(values, INFO)
            try:
                at_size(with_auxiliary or network, size // 2)
            except ConfigError:
                assert entry.has_one_size
            else:
                assert not entry.has_one_size
    finally:
        keras.backend.clear_session(free_memory=False)


def test_who_cannot_is_refused_with_the_way_out():
    sentence = (
        "start_size_share is given, but 'lenet5' takes images of one size only, here 32 px: its weights are made for "
        "them. Expected a network that averages its last map, such as 'resnet'. Choose another architecture, or leave "
        "start_size_share out."
    )
    with pytest.raises(ConfigError) as error:
        config(architecture={"name": "lenet5"})
    assert str(error.value) == sentence
    flat = [{"kind": "conv", "filters": 4}, "flatten", {"kind": "dense", "units": 8}]
    listed = build_network(config(architecture={"name": "layers", "parameters": {"layers": flat}}), INFO)
    with pytest.raises(ConfigError, match=r"^start_size_share is given, but 'layers' takes images of one size only"):
        at_size(listed, 16)


def test_too_small_a_start_and_too_few_epochs_are_refused():
    with pytest.raises(ConfigError, match=r"begins with 6 px, too small .* Raise start_size_share or image_size\.$"):
        config(size=12)
    with pytest.raises(ConfigError, match=r"has no epoch to grow in: growing_share=0\.75 of epochs=1 is none\."):
        config_from_dict({"architecture": SMALL, "training": {"epochs": 1}, "tricks": {"start_size_share": 0.5}})


@pytest.mark.training
def test_each_epoch_trains_at_its_size_and_the_answers_are_of_the_full_one(tmp_path, monkeypatch):
    seen: list[int] = []
    asked = Growing.network_for

    def network_for(self, images):
        seen.append(images.shape[1])
        return asked(self, images)

    monkeypatch.setattr(Growing, "network_for", network_for)
    values = {
        "data": {"image_size": 16},
        "architecture": SMALL,
        "augmentation": "crop(1)",
        "training": {"epochs": 3, "batch_size": 128, "learning_rate": 0.01},
        "tricks": {"start_size_share": 0.5, "growing_share": 0.7},
    }
    trained = train(config_from_dict(values), open_dataset(tmp_path, "digits"))
    assert {8, 12} <= set(seen)  # a graph is made once for each
    assert trained.network.input_shape == (None, 16, 16, 1)
    assert trained.result()["test"]["label"]["accuracy"] > 0.2
    trained.network.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    images = np.zeros((1, 16, 16, 1), "float32")
    np.testing.assert_allclose(
        convert_to_numpy(loaded(images)), convert_to_numpy(trained.network(images)), rtol=1e-4, atol=1e-4
    )
