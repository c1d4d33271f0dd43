"""Every architecture computes and learns in 16-bit mixed precision."""

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy
from one_step import one_step
from test_architectures import NOT_DEEPEST, config, info, least, pixels, small_px

from cnnlab.architectures.layers import LocalResponseNormalization
from cnnlab.training.models import build_networks

# Those that take a second or less.
CHEAP = ("alexnet", "layers", "lenet5", "lenet5_1998", "mobilenet", "plain", "resnet", "resnet_preact", "squeezenet",
         "vgg", "vgg_small", "vit", "wide_resnet")  # fmt: skip


@pytest.fixture
def mixed(request):
    """Set the policy of the parameter, and the former one afterwards."""
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy(former)


def networks(name):
    keras.utils.set_random_seed(0)
    return build_networks(config(name, small_px(name), least(name)), info())


def check_logits(network, name, policy):
    logits = network(pixels(name))
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"
    assert np.isfinite(convert_to_numpy(logits)).all()
    assert policy.removeprefix("mixed_") in {layer.compute_dtype for layer in network.layers if layer.weights}


@pytest.mark.training
@pytest.mark.parametrize("mixed", ["mixed_bfloat16"], indirect=True)
@pytest.mark.parametrize("name", NOT_DEEPEST)
def test_it_computes_and_learns_in_bfloat16(name, mixed):
    network, with_auxiliary = networks(name)
    check_logits(network, name, mixed)
    one_step(network, with_auxiliary, keras.optimizers.SGD(0.01), pixels(name))
    weights = [(weight.path, weight.dtype, convert_to_numpy(weight)) for weight in network.weights]
    assert {dtype for path, dtype, _ in weights if "seed" not in path} == {"float32"}
    assert [path for path, _, values in weights if not np.isfinite(values).all()] == []


@pytest.mark.training
@pytest.mark.parametrize("mixed", ["mixed_float16"], indirect=True)
@pytest.mark.parametrize("name", CHEAP)
def test_it_computes_in_float16(name, mixed):
    check_logits(networks(name)[0], name, mixed)


def test_response_normalisation_keeps_large_activations_in_float16():
    # 1000 squared is more than float16 holds.
    activations = np.full((1, 1, 1, 8), 1000.0, "float16")
    answer = LocalResponseNormalization(dtype="mixed_float16")(activations)
    exact = LocalResponseNormalization(dtype="float32")(activations.astype("float32"))
    assert keras.backend.standardize_dtype(answer.dtype) == "float16"
    np.testing.assert_allclose(convert_to_numpy(answer), convert_to_numpy(exact), rtol=1e-3)
