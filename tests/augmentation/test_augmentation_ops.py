"""Every augmentation of the catalogue keeps its promises; some are held to exact pixels."""

import keras
import numpy as np
import pytest

from cnnlab.augmentation.catalogue import OPS, SMALLEST_ALPHA
from cnnlab.augmentation.language import Pipe, parse
from cnnlab.augmentation.ops import augment_numpy, build_augmenter
from cnnlab.augmentation.steps import CLASSES
from cnnlab.errors import ConfigError

pytestmark = pytest.mark.training

BATCH = 16
SHAPES = [(32, 32, 3), (12, 20, 1)]


def random_images(shape=(32, 32, 3), batch=BATCH):
    return np.random.default_rng(0).integers(0, 256, (batch, *shape)).astype("float32")


def random_targets(batch=BATCH):
    rng = np.random.default_rng(1)
    return {name: np.eye(k, dtype="float32")[rng.integers(0, k, batch)] for name, k in (("shape", 5), ("colour", 3))}


def augmented(line, images, targets=None, seed=0, training=True):
    augmenter = build_augmenter(parse(line), images.shape[1:], seed)
    changed, mixed = augmenter(images, targets or {}, training=training)
    return keras.ops.convert_to_numpy(changed), {
        name: keras.ops.convert_to_numpy(target) for name, target in mixed.items()
    }


def test_the_catalogue_and_the_classes_have_the_same_names_in_the_same_order():
    assert list(CLASSES) == list(OPS)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", OPS)
def test_shape_dtype_range_and_targets_hold(name, shape):
    images, targets = random_images(shape), random_targets()
    changed, mixed = augmented(name, images, targets)
    assert changed.shape == images.shape
    assert changed.dtype == np.float32
    assert changed.min() >= 0
    assert changed.max() <= 255
    assert not np.array_equal(changed, images)
    for output, target in mixed.items():
        assert target.shape == targets[output].shape
        assert target.dtype == np.float32
        np.testing.assert_allclose(target.sum(axis=1), 1, atol=1e-5)
        assert np.array_equal(target, targets[output]) != OPS[name].mixes_labels


@pytest.mark.parametrize("name", OPS)
def test_a_seed_repeats_its_draws_and_another_does_not(name):
    images, targets = random_images(), random_targets()
    first, again, other = (augmented(name, images, targets, seed=seed)[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("name", OPS)
def test_without_training_nothing_changes(name):
    images, targets = random_images(), random_targets()
    kept, kept_targets = augmented(name, images, targets, training=False)
    np.testing.assert_array_equal(kept, images)
    for output in targets:
        np.testing.assert_array_equal(kept_targets[output], targets[output])


@pytest.mark.parametrize("name", [name for name, op in OPS.items() if not op.mixes_labels])
def test_each_image_gets_its_own_draw(name):
    images = np.repeat(random_images(batch=1), BATCH, axis=0)
    changed, _ = augmented(name, images)
    assert len({image.tobytes() for image in changed}) > 1


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.function is TensorFlow's")
@pytest.mark.parametrize("name", OPS)
def test_a_compiled_step_of_any_batch_size_draws_anew_each_time(name):
    import tensorflow as tf

    images, targets = random_images(), random_targets()
    augmenter = build_augmenter(parse(name), images.shape[1:], seed=3)
    signature = [
        tf.TensorSpec((None, *images.shape[1:])),
        {key: tf.TensorSpec((None, value.shape[1])) for key, value in targets.items()},
    ]

    @tf.function(input_signature=signature)
    def step(images, targets):
        return augmenter(images, targets, training=True)

    first, second = (step(images, targets)[0].numpy() for _ in range(2))
    eager, _ = augmented(name, images, targets, seed=3)
    np.testing.assert_allclose(first, eager, atol=0.1)  # graphs fuse and round otherwise
    assert not np.array_equal(first, second)
    assert step(images[:5], {key: value[:5] for key, value in targets.items()})[0].shape[0] == 5


@pytest.mark.parametrize("name", OPS)
def test_draws_resume_from_the_variables(name):
    images, targets = random_images(), random_targets()
    augmenter = build_augmenter(parse(name), images.shape[1:], seed=0)
    augmenter(images, targets, training=True)
    saved = [keras.ops.convert_to_numpy(variable.value) for variable in augmenter.variables]
    expected, _ = augmenter(images, targets, training=True)
    fresh = build_augmenter(parse(name), images.shape[1:], seed=99)
    for variable, value in zip(fresh.variables, saved, strict=True):
        variable.assign(value)
    resumed, _ = fresh(images, targets, training=True)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(resumed), keras.ops.convert_to_numpy(expected))


def test_a_mixed_policy_does_not_round_the_pixels():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        changed, mixed = augmented("flip_lr|rotate|mixup", random_images(), random_targets())
    finally:
        keras.config.set_dtype_policy("float32")
    assert changed.dtype == np.float32
    assert mixed["shape"].dtype == np.float32


@pytest.mark.parametrize(("fill", "mode"), [("zero", "constant"), ("reflect", "reflect")])
def test_a_crop_is_a_window_of_the_padded_image(fill, mode):
    pad, images = 2, random_images((8, 10, 3))
    changed, _ = augmented(f"crop({pad}, {fill})", images)
    padded = np.pad(images, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode=mode)
    offsets = set()
    for index, image in enumerate(changed):
        fits = [
            (y, x)
            for y in range(2 * pad + 1)
            for x in range(2 * pad + 1)
            if np.array_equal(padded[index, y : y + 8, x : x + 10], image)
        ]
        assert len(fits) == 1
        offsets.update(fits)
    assert len(offsets) > 1


def test_cutout_blackens_one_rectangle_that_may_hang_over_the_edge():
    images = np.full((200, 16, 16, 1), 255, "float32")
    changed, _ = augmented("cutout(5)", images)
    areas = set()
    for image in changed[..., 0]:
        rows, columns = np.flatnonzero((image == 0).any(axis=1)), np.flatnonzero((image == 0).any(axis=0))
        assert np.all(image[np.ix_(rows, columns)] == 0)
        assert np.ptp(rows) + 1 == len(rows) <= 5
        assert np.ptp(columns) + 1 == len(columns) <= 5
        areas.add(len(rows) * len(columns))
    assert max(areas) == 25
    assert min(areas) < 25


@pytest.mark.parametrize("name", ["mixup", "cutmix", "mixup|cutmix", "cutmix|mixup"])
def test_labels_are_shared_exactly_as_the_pixels_are(name):
    # One class and one grey level per image: the mean grey follows from the labels.
    greys = np.linspace(0, 255, BATCH).astype("float32")
    images = np.broadcast_to(greys[:, None, None, None], (BATCH, 16, 24, 3)).copy()
    own_class = np.eye(BATCH, dtype="float32")
    changed, mixed = augmented(name, images, {"one": own_class, "two": own_class[:, ::-1]})
    np.testing.assert_allclose(changed.mean(axis=(1, 2, 3)), mixed["one"] @ greys, atol=0.01)
    np.testing.assert_allclose(mixed["two"], mixed["one"][:, ::-1], atol=1e-6)


def test_the_smallest_alpha_still_draws_from_its_distribution():
    batch = 20_000
    targets = {"label": np.eye(2, dtype="float32")[np.arange(batch) % 2]}
    _, mixed = augmented(f"mixup({SMALLEST_ALPHA})", np.zeros((batch, 1, 1, 1), "float32"), targets)
    even = ((mixed["label"][:, 0] > 0.4) & (mixed["label"][:, 0] < 0.6)).mean()
    # Beta(0.05, 0.05) has 1.95 % there, and half of the partners are of the other class.
    assert even == pytest.approx(0.0195 / 2, abs=0.003)


def test_contrast_goes_both_ways():
    images = 64 + random_images((16, 16, 1), batch=64) / 2
    changed, _ = augmented("contrast(0.3)", images)
    ratio = changed.std(axis=(1, 2, 3)) / images.std(axis=(1, 2, 3))
    assert ratio.min() < 0.9
    assert ratio.max() > 1.1
    np.testing.assert_allclose(changed.mean(axis=(1, 2, 3)), images.mean(axis=(1, 2, 3)), rtol=0.02)


def test_blur_smooths_and_leaves_the_border_as_light():
    flat, _ = augmented("blur(5)", np.full((BATCH, 12, 20, 1), 200, "float32"))
    np.testing.assert_allclose(flat, 200, rtol=1e-4)
    images = random_images((12, 20, 1))
    changed, _ = augmented("blur(2)", images)
    assert np.all(changed.std(axis=(1, 2, 3)) <= images.std(axis=(1, 2, 3)) + 1e-3)


def test_noise_has_the_strength_asked_for():
    changed, _ = augmented("noise(0.05)", np.full((8, 64, 64, 3), 128, "float32"))
    assert (changed - 128).std() == pytest.approx(0.05 * 255, rel=0.02)


@pytest.mark.parametrize(("line", "black_share"), [("shift(0.5, zero)", 0.3), ("rotate(45, zero)", 0.02)])
def test_a_zero_border_is_black_and_other_borders_are_not(line, black_share):
    images = np.full((64, 16, 16, 1), 200, "float32")
    assert (augmented(line, images)[0] < 1).mean() > black_share
    for fill in ("reflect", "nearest"):
        np.testing.assert_allclose(augmented(line.replace("zero", fill), images)[0], 200, rtol=1e-4)


@pytest.mark.parametrize("magnitude", [0, 9, 30])
@pytest.mark.parametrize("shape", [(32, 32, 3), (2, 2, 1)], ids=str)
def test_randaugment_holds_its_range_at_every_magnitude(shape, magnitude):
    changed, _ = augmented(f"randaugment(6, {magnitude})", random_images(shape, batch=200))
    assert np.isfinite(changed).all()
    assert changed.min() >= 0
    assert changed.max() <= 255


def test_randaugment_leaves_some_images_as_they_are():
    images = random_images(batch=200)
    changed, _ = augmented("randaugment(1, 9)", images)
    same = np.isclose(changed, images, atol=0.01).all(axis=(1, 2, 3)).mean()
    assert 0.02 < same < 0.3  # identity and, on noise that spans it all, auto_contrast: 2 of 13


def test_pixels_that_an_image_does_not_have_are_refused():
    with pytest.raises(ConfigError, match=r"^cutout: side=9 is too large for images of 8 px\."):
        build_augmenter(parse("cutout(9)"), (8, 16, 1), seed=0)


def test_previews_are_uint8_and_repeat():
    images = random_images().astype(np.uint8)
    pipe = parse("flip_lr|crop(pad=4)|cutout(8)")
    first = augment_numpy(pipe, images, seed=5)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, augment_numpy(pipe, images, seed=5))
    np.testing.assert_array_equal(augment_numpy(Pipe(), images, seed=5), images)
