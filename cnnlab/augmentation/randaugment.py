"""RandAugment, drawn for each image.

Source: Cubuk et al. 2019, arXiv:1909.13719; strengths as in torchvision's 31 levels.
Differs from the paper: no Equalize, which needs a histogram per image and channel.
`keras.layers.RandAugment` (3.15) draws one operation for the whole batch, computes all eleven
each time, and equalises over the batch. Here the geometric operations share one resampling and
the colour operations one blend with what they lead to.
"""

import math
from typing import Any

import keras
from keras import ops

NAMES = (
    "identity", "auto_contrast", "solarize", "posterize", "brightness", "contrast", "colour", "sharpness",
    "rotate", "shear_x", "shear_y", "shift_x", "shift_y",
)  # fmt: skip
LEVELS = 30.0
_LUMA = (0.299, 0.587, 0.114)


def rand_augment(
    images: Any, image_shape: tuple[int, int, int], num_ops: int, magnitude: float, seeds: keras.random.SeedGenerator
) -> Any:
    """Return `images` (float32 in 0 to 255) after `num_ops` operations drawn for each of them."""
    level = magnitude / LEVELS
    for _ in range(num_ops):
        batch = ops.shape(images)[0]
        drawn = keras.random.randint((batch, 1), 0, len(NAMES), dtype="int32", seed=seeds)
        is_up = keras.random.uniform((batch, 1), 0.0, 1.0, seed=seeds) < 0.5
        sign = ops.where(is_up, 1.0, -1.0)
        chosen = {name: ops.equal(drawn, index) for index, name in enumerate(NAMES)}
        images = _move(images, image_shape, chosen, sign * level)
        images = _recolour(images, image_shape, chosen, sign * level)
        images = _tone(images, chosen, level)
    return images


def _move(images: Any, image_shape: tuple[int, int, int], chosen: dict[str, Any], strength: Any) -> Any:
    """Rotate, shear or shift, with a black border; the others get the identity matrix."""
    height, width, _ = image_shape

    def amount(name: str, most: float) -> Any:
        return ops.where(chosen[name], strength * most, ops.zeros_like(strength))

    angle = amount("rotate", math.radians(30.0))
    cosine, sine = ops.cos(angle), ops.sin(angle)
    x_of_y, y_of_x = amount("shear_x", 0.3) - sine, amount("shear_y", 0.3) + sine
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    # The paper shifts by up to 150 of ImageNet's 331 pixels.
    shift_x = amount("shift_x", 150 / 331 * width) + centre_x - cosine * centre_x - x_of_y * centre_y
    shift_y = amount("shift_y", 150 / 331 * height) + centre_y - y_of_x * centre_x - cosine * centre_y
    nothing = ops.zeros_like(angle)
    matrix = ops.concatenate([cosine, x_of_y, shift_x, y_of_x, cosine, shift_y, nothing, nothing], axis=1)
    return ops.image.affine_transform(
        images, matrix, interpolation="bilinear", fill_mode="constant", fill_value=0.0, data_format="channels_last"
    )


def _recolour(images: Any, image_shape: tuple[int, int, int], chosen: dict[str, Any], strength: Any) -> Any:
    """Blend each image with black, its mean grey, its greys or its smoothed self, or away from it."""
    grey = _grey(images, image_shape[2])
    towards = {
        "brightness": ops.zeros_like(images),
        "contrast": ops.zeros_like(images) + ops.mean(grey, axis=(1, 2), keepdims=True),
        "colour": ops.zeros_like(images) + grey,
        "sharpness": _smoothed(images, image_shape),
    }
    end = images
    for name, image in towards.items():
        end = ops.where(_per_image(chosen[name]), image, end)
    factor = _per_image(1.0 + 0.9 * strength)
    return ops.clip(end + factor * (images - end), 0.0, 255.0)


def _tone(images: Any, chosen: dict[str, Any], level: float) -> Any:
    """Invert what is bright, keep fewer bits, or stretch each channel to full scale."""
    solarized = ops.where(images > 255.0 * (1.0 - level), 255.0 - images, images)
    step = 2.0 ** round(4 * level)
    posterized = ops.floor(images / step) * step
    low = ops.min(images, axis=(1, 2), keepdims=True)
    spread = ops.max(images, axis=(1, 2), keepdims=True) - low
    stretched = (images - low) * ops.where(spread > 0, 255.0 / ops.maximum(spread, 1e-3), 1.0)
    stretched = ops.clip(ops.where(spread > 0, stretched, images), 0.0, 255.0)
    for name, changed in (("solarize", solarized), ("posterize", posterized), ("auto_contrast", stretched)):
        images = ops.where(_per_image(chosen[name]), changed, images)
    return images


def _grey(images: Any, channels: int) -> Any:
    """Return the brightness, shape `(batch, height, width, 1)`."""
    if channels != len(_LUMA):
        return ops.mean(images, axis=-1, keepdims=True)
    return ops.sum(images * ops.convert_to_tensor(_LUMA, dtype="float32"), axis=-1, keepdims=True)


def _smoothed(images: Any, image_shape: tuple[int, int, int]) -> Any:
    """Return PIL's SMOOTH of each image: 3x3, the centre counted five times, the border kept."""
    height, width, _ = image_shape
    if min(height, width) < 3:
        return images
    rows = images[:, :-2] + images[:, 1:-1] + images[:, 2:]
    total = rows[:, :, :-2] + rows[:, :, 1:-1] + rows[:, :, 2:]
    inner = (total + 4.0 * images[:, 1:-1, 1:-1]) / 13.0
    middle = ops.concatenate([images[:, 1:-1, :1], inner, images[:, 1:-1, -1:]], axis=2)
    return ops.concatenate([images[:, :1], middle, images[:, -1:]], axis=1)


def _per_image(values: Any) -> Any:
    """Turn `(batch, 1)` into `(batch, 1, 1, 1)`."""
    return values[:, :, None, None]
