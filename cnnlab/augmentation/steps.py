"""What each augmentation does to a batch, in `keras.ops`.

Keras's own layers do it where they draw for each image and mean what the catalogue says:
flips, rotation, zoom, shift, brightness, contrast and MixUp. The others are written here in
`keras.ops`, each with the reason (read in Keras 3.15). Every class is one entry of the catalogue.
"""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from cnnlab.augmentation.randaugment import rand_augment

FULL_SCALE = 255.0
_KERAS_FILL = {"zero": "constant", "reflect": "reflect", "nearest": "nearest"}

Targets = Mapping[str, Any]
Shape = tuple[int, int, int]


class Augmentation(keras.layers.Layer):
    """One step of a pipe: draws anew for each image, from a seed that is part of its state."""

    def __init__(self, parameters: Any, image_shape: Shape, seed: int):
        # float32 even under a mixed policy: 0 to 255 does not fit bfloat16's 8 bits.
        super().__init__(dtype="float32", autocast=False)
        self.parameters = parameters
        self.height, self.width, self.channels = image_shape
        self.seeds = keras.random.SeedGenerator(seed)
        self.prepare(seed)
        self.built = True

    def prepare(self, seed: int) -> None:
        """Make what must exist before the first batch, such as layers with their own seeds."""

    def apply(self, images: Any, targets: Targets) -> tuple[Any, Targets]:
        """Return the augmented images, and the targets that fit them."""
        return self.change(images), targets

    def change(self, images: Any) -> Any:
        """Return the augmented images; for what leaves the targets alone."""
        raise NotImplementedError

    def uniform(self, images: Any, low: float, high: float, count: int = 1) -> Any:
        """Return `count` numbers per image, shape `(batch, count)`."""
        return keras.random.uniform((ops.shape(images)[0], count), low, high, seed=self.seeds)


class KerasAugmentation(Augmentation):
    """A step that one of Keras's layers does alone."""

    def prepare(self, seed: int) -> None:
        self.layer = self.make(seed=seed, dtype="float32", data_format="channels_last")

    def make(self, **common: Any) -> keras.layers.Layer:
        raise NotImplementedError

    def change(self, images: Any) -> Any:
        return self.layer(images, training=True)


class FlipLeftRight(KerasAugmentation):
    def make(self, **common: Any) -> keras.layers.Layer:
        return keras.layers.RandomFlip("horizontal", **common)


class FlipUpsideDown(KerasAugmentation):
    def make(self, **common: Any) -> keras.layers.Layer:
        return keras.layers.RandomFlip("vertical", **common)


class Rotate(KerasAugmentation):
    def make(self, **common: Any) -> keras.layers.Layer:
        fill = _KERAS_FILL[self.parameters.fill]
        return keras.layers.RandomRotation(self.parameters.degrees / 360, fill_mode=fill, **common)


class Zoom(KerasAugmentation):
    def make(self, **common: Any) -> keras.layers.Layer:
        fill = _KERAS_FILL[self.parameters.fill]
        return keras.layers.RandomZoom(self.parameters.share, fill_mode=fill, **common)


class Shift(KerasAugmentation):
    def make(self, **common: Any) -> keras.layers.Layer:
        share, fill = self.parameters.share, _KERAS_FILL[self.parameters.fill]
        return keras.layers.RandomTranslation(share, share, fill_mode=fill, **common)


class Brightness(KerasAugmentation):
    def make(self, **common: Any) -> keras.layers.Layer:
        return keras.layers.RandomBrightness(self.parameters.share, value_range=(0, FULL_SCALE), **common)


class Contrast(KerasAugmentation):
    def make(self, **common: Any) -> keras.layers.Layer:
        # A single factor would become (0, factor), which never lowers the contrast.
        share = self.parameters.share
        return keras.layers.RandomContrast((share, share), value_range=(0, FULL_SCALE), **common)


class Crop(Augmentation):
    """Crop with padding, as one gather.

    `keras.layers.RandomCrop` draws one window for the whole batch and would have to pad first.
    """

    def change(self, images: Any) -> Any:
        batch = ops.shape(images)[0]
        pad = self.parameters.pad
        offsets = keras.random.randint((batch, 2), -pad, pad + 1, dtype="int32", seed=self.seeds)
        rows = ops.arange(self.height, dtype="int32")[None, :] + offsets[:, :1]
        columns = ops.arange(self.width, dtype="int32")[None, :] + offsets[:, 1:]
        first = ops.arange(batch, dtype="int32")[:, None] * self.height
        index = (first + _mirror(rows, self.height))[:, :, None] * self.width
        index = index + _mirror(columns, self.width)[:, None, :]
        cropped = ops.take(ops.reshape(images, (-1, self.channels)), index, axis=0)
        if self.parameters.fill == "reflect":
            return cropped
        inside = _within(rows, self.height)[:, :, None] * _within(columns, self.width)[:, None, :]
        return cropped * inside[:, :, :, None]


class Blur(Augmentation):
    """Gaussian blur as two matrix products, one matrix per image and axis.

    `keras.layers.RandomGaussianBlur` draws one width for the whole batch, and none above 1 px.
    Rows of the matrices sum to 1, so borders are neither darkened nor padded.
    """

    def change(self, images: Any) -> Any:
        # Below 0.05 px a Gaussian is one pixel already, and its exponents would overflow.
        sigma = self.uniform(images, 0.05, max(0.05, self.parameters.sigma))[:, :, None]
        blurred = ops.einsum("bij,bjwc->biwc", _gaussian(self.height, sigma), images)
        return ops.einsum("bij,bhjc->bhic", _gaussian(self.width, sigma), blurred)


class Noise(Augmentation):
    """Gaussian noise that stays in 0 to 255; `keras.layers.GaussianNoise` does not."""

    def change(self, images: Any) -> Any:
        noise = keras.random.normal(
            ops.shape(images), stddev=self.parameters.std * FULL_SCALE, dtype="float32", seed=self.seeds
        )
        return ops.clip(images + noise, 0.0, FULL_SCALE)


class Cutout(Augmentation):
    """One square per image, which may hang over the edge as in the paper's code.

    `keras.layers.RandomErasing` draws the area and keeps it inside the image.
    """

    def change(self, images: Any) -> Any:
        side = self.parameters.side
        places = self.uniform(images, 0.0, 1.0, count=2)
        hole = [
            _span(ops.floor(places[:, axis : axis + 1] * length) - side // 2, side, length)
            for axis, length in enumerate((self.height, self.width))
        ]
        return images * (1.0 - hole[0][:, :, None] * hole[1][:, None, :])[:, :, :, None]


class MixUp(Augmentation):
    """`keras.layers.MixUp`, with one share and partner per image for every output."""

    def prepare(self, seed: int) -> None:
        self.layer = keras.layers.MixUp(self.parameters.alpha, seed=seed, dtype="float32")

    def apply(self, images: Any, targets: Targets) -> tuple[Any, Targets]:
        drawn = self.layer.get_random_transformation(images, training=True)
        mixed = {name: self.layer.transform_labels(target, drawn) for name, target in targets.items()}
        return self.layer.transform_images(images, drawn), mixed


class CutMix(Augmentation):
    """Pastes one rectangle per image; labels are shared by the pixels really pasted.

    `keras.layers.CutMix(alpha)` draws a new alpha between 0 and its factor for each batch, none
    above 1, and shares labels by an area that is not rounded to pixels as the pasted one is.
    """

    def apply(self, images: Any, targets: Targets) -> tuple[Any, Targets]:
        batch = ops.shape(images)[0]
        alpha = self.parameters.alpha
        kept = keras.random.beta((batch, 1), alpha, alpha, dtype="float32", seed=self.seeds)
        places = self.uniform(images, 0.0, 1.0, count=2)
        box = []
        for axis, length in enumerate((self.height, self.width)):
            side = ops.round(length * ops.sqrt(1.0 - kept))
            start = ops.floor(places[:, axis : axis + 1] * length) - ops.floor(side / 2)
            box.append(_span(start, side, length))
        pasted = box[0][:, :, None] * box[1][:, None, :]
        partner = keras.random.shuffle(ops.arange(batch, dtype="int32"), seed=self.seeds)
        share = ops.mean(pasted, axis=(1, 2))[:, None]
        mixed = {
            name: target * (1.0 - share) + ops.take(target, partner, axis=0) * share for name, target in targets.items()
        }
        pasted = pasted[:, :, :, None]
        return images * (1.0 - pasted) + ops.take(images, partner, axis=0) * pasted, mixed


class RandAugment(Augmentation):
    """See `cnnlab.augmentation.randaugment` for why it is not Keras's."""

    def change(self, images: Any) -> Any:
        shape = (self.height, self.width, self.channels)
        return rand_augment(images, shape, self.parameters.num_ops, self.parameters.magnitude, self.seeds)


CLASSES: dict[str, type[Augmentation]] = {
    "flip_lr": FlipLeftRight,
    "flip_ud": FlipUpsideDown,
    "crop": Crop,
    "rotate": Rotate,
    "zoom": Zoom,
    "shift": Shift,
    "brightness": Brightness,
    "contrast": Contrast,
    "blur": Blur,
    "noise": Noise,
    "cutout": Cutout,
    "mixup": MixUp,
    "cutmix": CutMix,
    "randaugment": RandAugment,
}


def _mirror(places: Any, length: int) -> Any:
    """Fold places outside of 0 to length - 1 back inside, at the edge pixel's centre."""
    return (length - 1) - ops.abs((length - 1) - ops.abs(places))


def _within(places: Any, length: int) -> Any:
    return ops.cast(ops.logical_and(places >= 0, places < length), "float32")


def _span(start: Any, side: Any, length: int) -> Any:
    """Return `(batch, length)` with ones from `start` (per image) over `side` pixels."""
    places = ops.arange(length, dtype="float32")[None, :]
    return ops.cast(ops.logical_and(places >= start, places < start + side), "float32")


def _gaussian(length: int, sigma: Any) -> Any:
    """Return `(batch, length, length)` matrices that blur along an axis; rows sum to 1."""
    places = ops.arange(length, dtype="float32")
    distance = (places[:, None] - places[None, :])[None]
    weights = ops.exp(-0.5 * ops.square(distance / sigma))
    return weights / ops.sum(weights, axis=-1, keepdims=True)
