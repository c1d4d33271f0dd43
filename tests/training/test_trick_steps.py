"""What each trick does to a step, against a few lines of NumPy, on TensorFlow, JAX and PyTorch."""

import keras
import numpy as np
import pytest
import trick_steps
from trick_steps import CASES, CLASSES, DECAY, ELSEWHERE, PRECISIONS, RATE, SIDE_PX, STEPS, TEACHER, run, start

from cnnlab.datasets.resizing import images_at
from cnnlab.datasets.storage import open_dataset

pytestmark = pytest.mark.training

KEYS = ("kernel", "bias")


def log_softmax(logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def loss_of(case, weights, x, labels, data):
    """The loss of a batch, written down once more."""
    smoothing = case.get("smoothing", 0.0)
    targets = (1 - smoothing) * np.eye(CLASSES)[labels] + smoothing / CLASSES
    logits = x @ weights["kernel"] + weights["bias"]
    log_p = log_softmax(logits)
    each = -targets * log_p * (1 - np.exp(log_p)) ** case.get("focal_gamma", 0.0)
    if case.get("class_weights") == "balanced":
        counts = np.bincount(data["labels"].ravel())
        each = each * (counts.sum() / (CLASSES * counts))
    loss = each.sum(axis=1).mean()
    if "distill_from" in case:
        t, share = TEACHER["distill_temperature"], TEACHER["distill_weight"]
        expected = log_softmax((x @ data["teacher_kernel"] + data["teacher_bias"]) / t)
        divergence = (np.exp(expected) * (expected - log_softmax(logits / t))).sum(axis=1).mean()
        loss = (1 - share) * loss + share * t**2 * divergence
    return loss


def gradient(function, weights, step=1e-5):
    """The gradient by differences."""
    found = {name: np.zeros_like(value) for name, value in weights.items()}
    for name, value in weights.items():
        for place in np.ndindex(value.shape):
            up, down = ({key: array.copy() for key, array in weights.items()} for _ in range(2))
            up[name][place] += step
            down[name][place] -= step
            found[name][place] = (function(up) - function(down)) / (2 * step)
    return found


def length(vectors):
    return np.sqrt(sum((vector**2).sum() for vector in vectors.values()))


def expected(case):
    """The same steps of plain gradient descent in NumPy."""
    data = start()
    weights = {name: data[name].astype(np.float64) for name in KEYS}
    means, losses, speed = None, [], dict.fromkeys(KEYS, 0.0)
    momentum = case.get("momentum", 0.0)
    for t in range(STEPS):
        x, labels = data["images"][t].reshape(len(data["labels"][t]), -1) / 255, data["labels"][t]

        def function(at, x=x, labels=labels):
            return loss_of(case, at, x, labels, data)

        losses.append(function(weights))
        slope = gradient(function, weights)
        if rho := case.get("sam_rho"):
            slope = gradient(function, {name: weights[name] + rho * slope[name] / length(slope) for name in KEYS})
        if limit := case.get("clip_norm"):
            slope = {name: value * min(1, limit / length(slope)) for name, value in slope.items()}
        for name in KEYS:
            decay = DECAY if case.get("decay") and (name == "kernel" or case.get("decay_all")) else 0.0
            speed[name] = momentum * speed[name] - RATE * slope[name]
            step = momentum * speed[name] - RATE * slope[name] if case.get("nesterov") else speed[name]
            weights[name] = (1 - RATE * decay) * weights[name] + step
        d = min(case.get("ema_decay", 0), t / (9 + t))
        means = {name: d * means[name] + (1 - d) * weights[name] if t else weights[name] for name in KEYS}
    found = {"loss": losses, **weights}
    return found | ({f"mean_{name}": means[name] for name in KEYS} if "ema_decay" in case else {})


def check(found, case):
    wanted = expected(case)
    assert set(found) == set(wanted)
    for name, values in wanted.items():
        np.testing.assert_allclose(found[name], values, rtol=2e-4, atol=2e-5, err_msg=name)


@pytest.fixture(scope="module", params=["jax", "torch"])
def other_backend(request, on_backend, tmp_path_factory):
    """What another backend finds for all cases."""
    process, folder = on_backend(request.param), tmp_path_factory.mktemp(request.param)
    return process.ask(trick_steps.__file__, "answers", folder) | {"folder": folder}


@pytest.mark.parametrize("name", CASES)
def test_a_step_is_what_numpy_says(name):
    check(run(CASES[name]), CASES[name])


@pytest.mark.parametrize("name", ELSEWHERE)
def test_other_backends_take_the_same_steps(name, other_backend):
    check(other_backend[name], CASES[name])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_other_backends_train_in_16_bits_and_their_networks_answer_alike_here(precision, other_backend):
    assert other_backend[precision]["accuracy"] > 0.6
    assert other_backend[precision]["resumed_off"] == 0
    folder = other_backend["folder"]
    images = images_at(open_dataset(folder, "digits"), "test", SIDE_PX)
    logits = keras.models.load_model(folder / f"{precision}.keras")(images)
    found = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
    np.testing.assert_allclose(found, np.load(folder / f"{precision}.npy"), atol=0.03)


def test_each_trick_changes_the_steps():
    plain = expected({})
    for name, case in CASES.items():
        found = expected(case)
        is_other = any(not np.allclose(found[key], plain.get(key, 0), rtol=1e-3) for key in found)
        assert is_other or name == "plain", name
