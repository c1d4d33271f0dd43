"""Who learns when, told before anything is trained and without Keras in the page."""

import keras
import pytest

from cnnlab.config import config_from_dict
from cnnlab.errors import ConfigError
from cnnlab.inspector.questions import get_kind
from cnnlab.runs.store import Store


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def source(store):
    """A run whose network is LeNet-5 for grey images of 32 px, untrained."""
    from made_info import info

    from cnnlab.training.models import build_network

    config = config_from_dict({})
    run_dir = store.create_run(config)
    build_network(config, info(channels=1)).save(run_dir / "model.keras")
    keras.backend.clear_session()
    return run_dir.name


def asked(store, **values):
    return get_kind("freeze_map")(store.root, config={"data": {"dataset": "shapes"}, **values})


def test_layer_by_layer_and_stage_by_stage(store, source):
    answer = asked(store, transfer={"source": f"run:{source}", "mode": "stages", "head_epochs": 3, "rate_decay": 0.5})
    assert not answer.keep
    assert answer.value["stages"] == [
        {"title": "Classifier", "first_epoch": 1, "last_epoch": 3},
        {"title": "All layers", "first_epoch": 4, "last_epoch": 20},
    ]
    told = {row["name"]: (row["origin"], row["num_params"], row["factors"]) for row in answer.value["layers"]}
    assert told == {
        "c1": ("adapted", 456, [0.0, 0.0125]),
        "c3": ("taken", 2416, [0.0, 0.025]),
        "c5": ("taken", 48120, [0.0, 0.05]),
        "f6": ("taken", 10164, [0.0, 0.1]),
        "shape_logits": ("new", 510, [1.0, 1.0]),
        "colour_logits": ("new", 425, [1.0, 1.0]),
    }


def test_imagenet_takes_all_but_the_classifier_and_fetches_nothing(store):
    architecture = {"name": "keras_application", "parameters": {"network": "MobileNetV3Small"}}
    answer = asked(
        store, architecture=architecture, transfer={"source": "imagenet", "mode": "last_blocks", "blocks": 2}
    )
    layers = answer.value["layers"]
    assert {row["name"] for row in layers if row["origin"] == "new"} == {"shape_logits", "colour_logits"}
    assert list(dict.fromkeys(row["block"] for row in layers if row["factors"] == [0.1])) == [
        "expanded_conv_10",
        "conv_1",
    ]


def test_what_cannot_be_is_said(store, source):
    with pytest.raises(ConfigError, match=r"^There is no source, so all layers learn\."):
        asked(store)
    with pytest.raises(ConfigError, match=r"has weights for 0 % of the parameters before the classifier"):
        asked(store, architecture={"name": "resnet"}, transfer={"source": f"run:{source}"})
    (store.run_dir(source) / "model.keras").write_bytes(b"no archive")
    with pytest.raises(
        ConfigError, match=r"cannot be read: File is not a zip file. Expected a file that Keras saved\."
    ):
        asked(store, transfer={"source": f"run:{source}"})
    with pytest.raises(ConfigError, match="Pages open no files of this machine"):
        asked(store, transfer={"source": "/somewhere/net.keras"})
