"""A whole pipe at work, inside the train step and on batches for previews."""

from typing import Any

import keras
import numpy as np
from keras import ops

from cnnlab.augmentation.language import Pipe, Step
from cnnlab.augmentation.steps import CLASSES, FULL_SCALE, Augmentation, Shape, Targets


class Augmenter(keras.layers.Layer):
    """A whole pipe as one layer; the identity unless it trains.

    Its seeds are among its variables, so a checkpoint that saves those resumes the same draws.
    """

    def __init__(self, pipe: Pipe, image_shape: Shape, seed: int):
        super().__init__(dtype="float32", autocast=False, name="augmentation")
        self.steps = [_build_step(step, image_shape, seed, index) for index, step in enumerate(pipe.steps)]
        self.built = True
        if keras.backend.backend() == "jax":
            # Keras denies it to rotation, zoom and shift for the sake of TensorFlow's XLA. JAX compiles
            # them, and without it every operation of the step is compiled alone: minutes for one epoch.
            for layer in self._flatten_layers():
                layer.supports_jit = True

    def call(self, images: Any, targets: Targets, training: bool = False) -> tuple[Any, Targets]:
        """Augment one batch.

        Args:
            images: `(batch, height, width, channels)` float32 in [0, 255].
            targets: `(batch, classes)` one-hot float32 per output.
            training: Whether to change anything at all.

        Returns:
            Same shapes and dtypes; rows of targets still sum to 1.
        """
        images = ops.cast(images, "float32")
        if training:
            for step in self.steps:
                images, targets = step.apply(images, targets)
        return images, targets


def build_augmenter(pipe: Pipe, image_shape: Shape, seed: int) -> Augmenter:
    """Build the layer of `pipe` for images of one shape.

    Raises:
        ConfigError: a step asks for more pixels than the images have.
    """
    pipe.check_image_size(min(image_shape[:2]))
    return Augmenter(pipe, image_shape, seed)


def augment_numpy(pipe: Pipe, images: np.ndarray, seed: int) -> np.ndarray:
    """Return a batch of uint8 images as training would see them, for previews."""
    augmenter = build_augmenter(pipe, images.shape[1:], seed)
    changed, _ = augmenter(ops.convert_to_tensor(images, dtype="float32"), {}, training=True)
    return np.clip(np.rint(ops.convert_to_numpy(changed)), 0, FULL_SCALE).astype(np.uint8)


def _build_step(step: Step, image_shape: Shape, seed: int, index: int) -> Augmentation:
    own_seed = int(np.random.SeedSequence([seed, index]).generate_state(1)[0] >> 1)
    return CLASSES[step.op](step.parameters, image_shape, own_seed)
