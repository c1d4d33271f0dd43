"""The lab's convolution is that of `scipy.signal`, whatever the sizes and numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from hypothesis.extra.numpy import arrays
from scipy.signal import convolve2d, correlate2d

from cnnlab.convolution.ops import convolve, correlate

NUMBERS = some.floats(-100, 100, allow_nan=False, width=32)
SIDES = some.integers(1, 6)
ODD_SIDES = some.sampled_from([1, 3, 5])


@some.composite
def pairs(draw, sides=SIDES):
    """An image and a kernel that is not larger than it."""
    kernel = draw(arrays(float, (draw(sides), draw(sides)), elements=NUMBERS))
    shape = tuple(draw(some.integers(side, side + 6)) for side in kernel.shape)
    return draw(arrays(float, shape, elements=NUMBERS)), kernel


def ours(operation, image, kernel, padding):
    return operation(image[..., None], kernel[..., None, None], padding=padding)[..., 0]


@pytest.mark.parametrize("padding", ["full", "valid"])
@settings(max_examples=60, deadline=None)
@given(pair=pairs())
def test_full_and_valid(padding, pair):
    image, kernel = pair
    np.testing.assert_allclose(ours(convolve, image, kernel, padding), convolve2d(image, kernel, padding), atol=1e-8)
    np.testing.assert_allclose(ours(correlate, image, kernel, padding), correlate2d(image, kernel, padding), atol=1e-8)


@settings(max_examples=60, deadline=None)
@given(pair=pairs(sides=ODD_SIDES))
def test_same_with_odd_kernels(pair):
    image, kernel = pair
    np.testing.assert_allclose(ours(convolve, image, kernel, "same"), convolve2d(image, kernel, "same"), atol=1e-8)
    np.testing.assert_allclose(ours(correlate, image, kernel, "same"), correlate2d(image, kernel, "same"), atol=1e-8)


@settings(max_examples=30, deadline=None)
@given(pair=pairs(sides=some.sampled_from([2, 4])))
def test_same_with_even_kernels_has_the_odd_zero_after_as_keras_has_it(pair):
    image, kernel = pair
    first = [side // 2 for side in kernel.shape]  # scipy's own 'same' starts one earlier: its zero is before
    rows, columns = (slice(start, start + side) for start, side in zip(first, image.shape, strict=True))
    full = correlate2d(image, kernel, "full")[rows, columns]
    np.testing.assert_allclose(ours(correlate, image, kernel, "same"), full, atol=1e-8)


@settings(max_examples=30, deadline=None)
@given(pair=pairs(sides=some.integers(1, 3)), dilation=some.integers(2, 3))
def test_dilation_is_a_kernel_with_zeros_between(pair, dilation):
    image, kernel = pair
    wide = np.zeros([dilation * (side - 1) + 1 for side in kernel.shape])
    wide[::dilation, ::dilation] = kernel
    found = correlate(image[..., None], kernel[..., None, None], padding="full", dilation=dilation)[..., 0]
    np.testing.assert_allclose(found, correlate2d(image, wide, "full"), atol=1e-8)
