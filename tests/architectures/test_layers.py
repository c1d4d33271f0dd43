"""Our own layers, against NumPy; and that another process can load what was saved with them."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from cnnlab.architectures.layers import ClassToken, LayerScale, LocalResponseNormalization, PositionEmbedding

ROOT = Path(__file__).resolve().parents[2]


def values(*shape: int) -> np.ndarray:
    """Random numbers, the same each time."""
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_responses_are_divided_by_those_of_five_neighbours():
    x = values(2, 3, 3, 7)
    expected = np.empty_like(x)
    for channel in range(7):
        near = x[..., max(0, channel - 2) : channel + 3]
        expected[..., channel] = x[..., channel] / (2 + 0.1 * (near**2).sum(-1)) ** 0.75
    found = LocalResponseNormalization(alpha=0.1)(x)
    np.testing.assert_allclose(convert_to_numpy(found), expected, rtol=1e-5)


def test_a_layer_scale_starts_near_zero():
    x = values(2, 3, 3, 4)
    layer = LayerScale()
    np.testing.assert_allclose(convert_to_numpy(layer(x)), 1e-6 * x, rtol=1e-5)
    assert [tuple(weight.shape) for weight in layer.trainable_weights] == [(4,)]


def test_weight_decay_spares_the_layer_scale():
    layer = LayerScale()
    layer.build((None, 4))
    optimizer = keras.optimizers.AdamW(weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    assert not optimizer._use_weight_decay(layer.gamma)


def test_the_class_token_comes_first_and_places_differ():
    tokens = values(2, 9, 4)
    with_class = ClassToken()(tokens)
    assert with_class.shape == (2, 10, 4)
    np.testing.assert_array_equal(convert_to_numpy(with_class)[:, 1:], tokens)
    np.testing.assert_array_equal(convert_to_numpy(with_class)[:, 0], 0)
    added = convert_to_numpy(PositionEmbedding()(np.zeros((2, 10, 4), "float32")))
    np.testing.assert_array_equal(added[0], added[1])
    assert len(np.unique(added[0], axis=0)) == 10


@pytest.mark.processes
@pytest.mark.parametrize("layer", [LocalResponseNormalization, LayerScale, PositionEmbedding])
def test_shapes_stay_and_are_known_before_a_weight_is_made(layer):
    assert layer().compute_output_shape((None, 4, 4, 8)) == (None, 4, 4, 8)


def test_another_process_loads_a_saved_network_once_it_knows_the_layers(tmp_path):
    tokens = keras.Input((9, 4))
    x = LayerScale(initial=0.5)(PositionEmbedding()(ClassToken()(tokens)))
    model = keras.Model(tokens, x)
    model.save(tmp_path / "model.keras")
    code = (
        "import sys, keras, cnnlab.architectures.layers\n"
        "model = keras.models.load_model(sys.argv[1])\n"
        "print(model.count_params(), model.get_layer(index=-1).initial)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "model.keras"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.stdout.split() == ["48", "0.5"], answer.stderr  # 4 + 10 * 4 + 4
