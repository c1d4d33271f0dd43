"""Layers that compute by other TensorFlow operations than Keras chooses: the same numbers, faster or safer.

Batch normalisation by the fused kernel: Keras composes it of a dozen operations. Measured forward and backward at
128x32x32x16 on two cores: 6.3 ms, the kernel 1.9 ms.

Strided 1x1 convolutions on every n-th pixel: oneDNN in TensorFlow 2.21 writes past its memory in their gradient, for
fewer than 16 channels and odd batches (seen on a Xeon with AMX with 63, 75 and 81 images; the process dies later).

Max pooling over 2x2 with a gradient made of comparisons of pairs: TensorFlow's takes a third of a step of LeNet-5.
Measured on two cores beside other work: 4.4 and 4.6 ms at 128x28x28x6 in float32, 7.3 and 2.7 in bfloat16; at
128x32x32x32 27.3 and 7.5, 31.8 and 8.8. Where maxima are equal one of them has the gradient, perhaps another one.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """The same layer, variables and numbers; only its training step on `(batch, height, width, channels)` differs."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        is_usual = len(inputs.shape) == 4 and self.axis in (3, -1) and self.scale and self.center
        if not (training and self.trainable and is_usual) or self.renorm or mask is not None:
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.cast(self.gamma, tf.float32),
            offset=tf.cast(self.beta, tf.float32),
            mean=tf.zeros([0]),
            variance=tf.zeros([0]),
            epsilon=self.epsilon,
            is_training=True,
        )
        # The kernel gives the variance of a sample (n - 1); Keras keeps that of the batch (n).
        n = tf.cast(tf.reduce_prod(tf.shape(inputs)[:-1]), tf.float32)
        variance = variance * ((n - 1.0) / n)
        for kept, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            kept.assign(kept * self.momentum + new * (1.0 - self.momentum))
        return outputs


class SampledConvolution(keras.layers.Conv2D):
    """A 1x1 convolution with strides, which skips pixels before it in place of within it."""

    def call(self, inputs: Any) -> Any:
        rows, columns = self.strides
        is_usual = self.kernel_size == (1, 1) and self.data_format == "channels_last" and self.groups == 1
        if not is_usual or (rows, columns) == (1, 1):
            return super().call(inputs)
        outputs = tf.nn.conv2d(inputs[:, ::rows, ::columns], tf.convert_to_tensor(self.kernel), 1, "VALID")
        if self.use_bias:
            outputs = tf.nn.bias_add(outputs, tf.convert_to_tensor(self.bias))
        return outputs if self.activation is None else self.activation(outputs)


class PairedMaxPooling(keras.layers.MaxPooling2D):
    """Maxima of 2x2 windows that do not overlap."""

    def call(self, inputs: Any) -> Any:
        is_usual = self.pool_size == (2, 2) and self.strides == (2, 2) and self.data_format == "channels_last"
        # With even sides no window reaches over the edge, whatever the padding.
        if not is_usual or any(side is None or side % 2 for side in inputs.shape[1:3]):
            return super().call(inputs)
        return _max_of_2x2(inputs)


@tf.custom_gradient
def _max_of_2x2(images: Any) -> Any:
    """Return the maxima of `(batch, height, width, channels)` with even sides, and how gradients go back."""
    _, _, width, channels = images.shape

    def gradient(upstream: Any) -> Any:
        rows = tf.reshape(images, (-1, 2, width * channels))
        top, bottom = rows[:, 0], rows[:, 1]
        columns = tf.reshape(tf.maximum(top, bottom), (-1, 2, channels))
        of_rows = _share(columns[:, 0] >= columns[:, 1], tf.reshape(upstream, (-1, channels)))
        return tf.reshape(_share(top >= bottom, tf.reshape(of_rows, (-1, width * channels))), tf.shape(images))

    return tf.nn.max_pool2d(images, 2, 2, "VALID"), gradient


def _share(is_first: Any, upstream: Any) -> Any:
    """Return the gradient of each pair, `(n, 2, ...)`: the larger one has all of it."""
    first = tf.where(is_first, upstream, tf.zeros((), upstream.dtype))
    return tf.stack([first, upstream - first], axis=1)


OWN: dict[type, type] = {
    keras.layers.MaxPooling2D: PairedMaxPooling,
    keras.layers.BatchNormalization: FusedBatchNormalization,
    keras.layers.Conv2D: SampledConvolution,
}


@contextlib.contextmanager
def own_kernels(model: keras.Model) -> Iterator[None]:
    """Let the layers of `model` that have one use a kernel of `OWN` meanwhile.

    The layers change their class and change back, so that a saved network knows Keras's alone.
    """
    layers = [(layer, type(layer)) for layer in model._flatten_layers() if type(layer) in OWN]
    for layer, own in layers:
        layer.__class__ = OWN[own]
    try:
        yield
    finally:
        for layer, own in layers:
            layer.__class__ = own
