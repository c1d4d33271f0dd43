"""A variable with a multiplier moves as if it had a learning rate of its own."""

import keras
import numpy as np
import pytest

from cnnlab.training.rate_multipliers import combined, multipliers_of, multiply_rates

FIRST = np.array([1.0, -2.0, 3.0])
GRADIENTS = [np.array([0.3, -0.1, 0.2]), np.array([-0.2, 0.4, 0.1]), np.array([0.5, 0.5, -0.3])]
RATE, DECAY, FACTOR = 0.1, 0.04, 0.25


def taken(optimizer, factor):
    """Values of two variables, one of them with a multiplier, after steps with the same gradients."""
    slow, usual = (keras.Variable(FIRST.astype("float32"), name=name) for name in ("slow", "usual"))
    optimizer.build([slow, usual])
    multiply_rates(optimizer, {id(slow): factor})
    for gradient in GRADIENTS:
        tensor = keras.ops.convert_to_tensor(gradient.astype("float32"))
        optimizer.apply([tensor, tensor], [slow, usual])
    return keras.ops.convert_to_numpy(slow), keras.ops.convert_to_numpy(usual)


def by_hand_sgd(rate, momentum=0.9):
    value, velocity = FIRST.copy(), np.zeros(3)
    for gradient in GRADIENTS:
        value = value * (1 - DECAY * rate)
        velocity = momentum * velocity - rate * gradient
        value = value + velocity
    return value


def by_hand_adam(rate, beta1=0.9, beta2=0.999, epsilon=1e-7):
    value, mean, square = FIRST.copy(), np.zeros(3), np.zeros(3)
    for step, gradient in enumerate(GRADIENTS, start=1):
        value = value * (1 - DECAY * rate)
        mean = beta1 * mean + (1 - beta1) * gradient
        square = beta2 * square + (1 - beta2) * gradient**2
        corrected = rate * np.sqrt(1 - beta2**step) / (1 - beta1**step)
        value = value - corrected * mean / (np.sqrt(square) + epsilon)
    return value


@pytest.mark.parametrize(
    ("build", "by_hand"),
    [
        (lambda: keras.optimizers.SGD(RATE, momentum=0.9, weight_decay=DECAY), by_hand_sgd),
        (lambda: keras.optimizers.Adam(RATE, weight_decay=DECAY), by_hand_adam),
    ],
    ids=["sgd", "adam"],
)
def test_it_is_a_learning_rate_of_its_own(build, by_hand):
    slow, usual = taken(build(), FACTOR)
    np.testing.assert_allclose(slow, by_hand(FACTOR * RATE), rtol=5e-6)
    np.testing.assert_allclose(usual, by_hand(RATE), rtol=5e-6)


def test_zero_leaves_a_variable_exactly_as_it_is():
    slow, _ = taken(keras.optimizers.Adam(RATE, weight_decay=DECAY), 0.0)
    np.testing.assert_array_equal(slow, FIRST.astype("float32"))


def test_where_all_are_one_the_optimizer_is_not_touched():
    optimizer = keras.optimizers.Adam(RATE)
    before = dict(vars(optimizer))
    multiply_rates(optimizer, {1: 1.0, 2: 1})
    assert vars(optimizer) == before


def test_a_moving_average_sees_the_step_as_it_was_taken():
    optimizer = keras.optimizers.SGD(RATE, use_ema=True, ema_momentum=0.5)
    taken(optimizer, 0.0)
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(optimizer._model_variables_moving_average[0]), FIRST.astype("float32")
    )


def test_gradients_that_are_gathered_take_one_step():
    optimizer = keras.optimizers.SGD(RATE, gradient_accumulation_steps=3)
    slow, usual = taken(optimizer, FACTOR)
    mean = np.mean(GRADIENTS, axis=0)
    np.testing.assert_allclose(slow, FIRST - FACTOR * RATE * mean, rtol=1e-6)
    np.testing.assert_allclose(usual, FIRST - RATE * mean, rtol=1e-6)


def test_scaled_losses_keep_their_multipliers():
    slow, _ = taken(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(RATE), initial_scale=1.0), FACTOR)
    np.testing.assert_allclose(slow, FIRST - FACTOR * RATE * np.sum(GRADIENTS, axis=0), rtol=1e-6)


def test_multipliers_are_given_by_layer_and_multiplied():
    images = keras.Input((4,))
    network = keras.Model(images, keras.layers.Dense(2, name="head")(keras.layers.Dense(3, name="body")(images)))
    body = network.get_layer("body").trainable_variables
    given = multipliers_of({"body": 0.5, "head": 1.0}, network)
    assert given == {id(variable): 0.5 for variable in body}
    assert combined([given, {id(body[0]): 0.1}]) == {id(body[0]): 0.05, id(body[1]): 0.5}


def taken_when_compiled():
    """What `taken` returns with Adam, by a step that JAX has compiled."""
    import jax

    slow, usual = (keras.Variable(FIRST.astype("float32")) for _ in range(2))
    optimizer = keras.optimizers.Adam(RATE, weight_decay=DECAY)
    optimizer.build([slow, usual])
    multiply_rates(optimizer, {id(slow): FACTOR})
    step = jax.jit(lambda state, gradient: optimizer.stateless_apply(state[1], [gradient, gradient], state[0]))
    state = ([slow.value, usual.value], [variable.value for variable in optimizer.variables])
    for gradient in GRADIENTS:
        state = step(state, gradient.astype("float32"))
    return np.asarray(state[0]).tolist()


@pytest.mark.processes
def test_jax_takes_the_same_share_inside_of_a_compiled_step(on_backend):
    slow, usual = on_backend("jax").ask(__file__, "taken_when_compiled")
    np.testing.assert_allclose(slow, by_hand_adam(FACTOR * RATE), rtol=1e-5)
    np.testing.assert_allclose(usual, by_hand_adam(RATE), rtol=1e-5)
