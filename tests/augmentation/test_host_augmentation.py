"""Augmentation on the host means what the same line means in the step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.augmentation.catalogue import OPS
from cnnlab.augmentation.host import HOST_STEPS, cropped, mirrored, split_pipe
from cnnlab.augmentation.language import parse
from cnnlab.augmentation.ops import augment_numpy


def images(batch=6, shape=(9, 11, 3)):
    return np.random.default_rng(0).integers(1, 256, (batch, *shape), dtype=np.uint8)


def host(line, pixels, seed=0):
    pipe, rest = split_pipe(parse(line))
    assert pipe is not None
    assert not rest.steps
    return pipe(pixels, np.random.default_rng(seed))


@given(st.integers(0, 40), st.sampled_from([1, 3, 4]))
def test_chosen_images_are_mirrored_and_no_others(seed, channels):
    pixels = images(shape=(5, 7, channels))
    chosen = np.random.default_rng(seed).random(len(pixels)) < 0.5
    changed = mirrored(pixels, chosen)
    np.testing.assert_array_equal(changed[chosen], pixels[chosen][:, :, ::-1])
    np.testing.assert_array_equal(changed[~chosen], pixels[~chosen])


@given(st.integers(1, 4), st.sampled_from(["zero", "reflect"]), st.integers(0, 99))
def test_a_crop_is_a_window_of_the_padded_image(pad, fill, seed):
    pixels = images()
    offsets = np.random.default_rng(seed).integers(0, 2 * pad + 1, (len(pixels), 2))
    mode = {"zero": "constant", "reflect": "reflect"}[fill]
    whole = np.pad(pixels, ((0, 0), (pad, pad), (pad, pad), (0, 0)), mode=mode)
    for image, changed, (top, left) in zip(whole, cropped(pixels, offsets, pad, fill), offsets, strict=True):
        np.testing.assert_array_equal(changed, image[top : top + 9, left : left + 11])


@pytest.mark.parametrize("line", ["flip_lr", "flip_ud", "crop(3)", "crop(2, reflect)", "cutout(3)", "cutout(4)"])
def test_each_place_changes_as_often_as_in_the_step(line):
    # White images with a grey frame: the mean over many draws says how often each place shows what.
    pixels = np.full((3000, 9, 11, 1), 200, np.uint8)
    pixels[:, 0, :], pixels[:, :, 0] = 90, 40
    ours, step = (one.mean(0) for one in (host(line, pixels), augment_numpy(parse(line), pixels, seed=1)))
    # Values reach 200: the mean of 3,000 draws scatters by 1.8 at most; five such.
    np.testing.assert_allclose(ours, step, atol=9.2)
    assert not np.array_equal(ours, pixels[0])


@pytest.mark.parametrize("name", HOST_STEPS)
def test_the_images_given_stay_and_a_seed_repeats_its_draws(name):
    pixels = images(batch=40)
    before = pixels.copy()
    first, again, other = (host(name, pixels, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(pixels, before)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.dtype == np.uint8


def test_order_is_kept_where_only_the_first_steps_are_done_here():
    pipe, rest = split_pipe(parse("flip_lr|crop(4)|rotate(10)|cutout(8)"))
    assert pipe is not None
    assert [step.op for step in pipe.steps] == ["flip_lr", "crop"]
    assert rest.line() == parse("rotate(10)|cutout(8)").line()
    assert split_pipe(parse("mixup|flip_lr"))[0] is None
    assert set(HOST_STEPS) < set(OPS)
