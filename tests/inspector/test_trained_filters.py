"""The filters of a trained run: which convolutions there are, their weights, and what is refused."""

import keras
import numpy as np
import pytest
from keras import layers
from made_runs import make_run

from cnnlab.errors import CNNLabError
from cnnlab.inspector.questions import get_kind
from cnnlab.runs.store import Store


@pytest.fixture
def run_id() -> str:
    """A run whose model has a convolution, a block with one, and a depthwise one."""
    store = Store()
    made = make_run(store.root)
    block = keras.Sequential([layers.Conv2D(3, 1, name="inner")], name="block")
    network = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Conv2D(5, 3, name="first"), block, layers.DepthwiseConv2D(3, name="deep"),
         layers.Flatten(), layers.Dense(2)]
    )  # fmt: skip
    network.save(store.run_dir(made) / "model.keras")
    return made


def ask(run_id, **arguments):
    return get_kind("filters")(Store().root, run_id=run_id, **arguments).value


def test_the_convolutions_and_the_weights_of_the_first(run_id):
    answer = ask(run_id)
    assert answer["layers"] == [
        {"name": "first", "shape": [3, 3, 1, 5]},
        {"name": "inner", "shape": [1, 1, 5, 3]},
        {"name": "deep", "shape": [3, 3, 1, 3]},
    ]
    assert answer["layer"] == "first"
    network = keras.models.load_model(Store().run_dir(run_id) / "model.keras")
    np.testing.assert_allclose(answer["weights"], network.get_layer("first").get_weights()[0], atol=1e-6)
    deep = ask(run_id, layer="deep")["weights"]
    np.testing.assert_allclose(deep, network.get_layer("deep").get_weights()[0].reshape(3, 3, 1, 3), atol=1e-6)


def test_what_cannot_be_shown_is_said(run_id):
    with pytest.raises(CNNLabError, match=r"^Unknown layer 'frist'\. Did you mean 'first'\?$"):
        ask(run_id, layer="frist")
    path = Store().run_dir(run_id) / "model.keras"
    path.write_bytes(b"no zip")
    with pytest.raises(CNNLabError, match=r"^The model of run '.*' cannot be read: .* Train it again\.$"):
        ask(run_id)
    path.unlink()
    with pytest.raises(CNNLabError) as said:
        ask(run_id)
    assert str(said.value) == (
        f"Run {run_id!r} has no model file. Expected a completed run. Wait for its end, or choose another run."
    )
