"""The views of an image whose probabilities are averaged at the end of a training.

Source: Krizhevsky et al. 2012, doi:10.1145/3065386, section 4.1. Differs from the paper: the views are the whole
image, mirrored and moved by a pixel or a few, where the paper cuts ten patches from a larger one.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cnnlab.settings.tricks import TricksConfig

# From `(batch, height, width, channels)` pixels to as many of the same shape.
View = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]

CENTRE = (0, 0)
MOVES = (CENTRE, (-1, 0), (1, 0), (0, -1), (0, 1))


def views_of(tricks: TricksConfig) -> tuple[View, ...]:
    """Return the views that a config asks for; the first is the image as it is."""
    flips = (False, True) if tricks.test_time in ("flip", "flip_and_shifts") else (False,)
    moves = MOVES if tricks.test_time in ("shifts", "flip_and_shifts") else (CENTRE,)
    shift = tricks.test_time_shift_px
    return tuple(_view(is_flipped, shift * down, shift * right) for is_flipped in flips for down, right in moves)


def shifted(images: NDArray[np.uint8], down: int, right: int) -> NDArray[np.uint8]:
    """Move images; what comes in at the border is what lies on its other side, mirrored.

    Args:
        images: `(batch, height, width, channels)`.
        down: In pixels; upwards where negative. Smaller than the height.
        right: Likewise.
    """
    if not (down or right):
        return images
    height, width = images.shape[1:3]
    far = max(abs(down), abs(right))
    padded = np.pad(images, ((0, 0), (far, far), (far, far), (0, 0)), mode="reflect")
    return padded[:, far - down : far - down + height, far - right : far - right + width]


def _view(is_flipped: bool, down: int, right: int) -> View:
    def view(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return shifted(images[:, :, ::-1] if is_flipped else images, down, right)

    return view
