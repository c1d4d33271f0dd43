"""One layer of the lab: settings and weights, applied to an image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnlab.convolution import ops
from cnnlab.convolution.geometry import output_shape
from cnnlab.convolution.settings import Settings
from cnnlab.errors import ConfigError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Layer:
    """What computes: the settings and the weights in Keras's layout, biases zero.

    Attributes:
        kernel: `(F, F, channels / groups, filters)`; depthwise and separable `(F, F, channels, 1)`;
            transposed `(F, F, filters, channels)`; pooling none. As it was given, not turned.
        pointwise: Of a separable convolution, `(1, 1, channels, filters)`.
    """

    settings: Settings
    channels: int
    kernel: Array | None = None
    pointwise: Array | None = None

    @property
    def used_kernel(self) -> Array | None:
        """The kernel as it lies on the input: turned by 180° for a convolution."""
        if self.kernel is None or self.settings.mode == "correlation":
            return self.kernel
        return ops.turned(self.kernel)

    def weights(self) -> list[Array]:
        """Return what `keras.layers.Layer.set_weights` takes, the biases left out."""
        return [weights for weights in (self.used_kernel, self.pointwise) if weights is not None]


def make_layer(settings: Settings, channels: int, kernels: Sequence[NDArray[Any]]) -> Layer:
    """Put kernels into the weights of a layer.

    The f-th filter is the f-th kernel, the same on every channel it sees, or as given where a kernel
    has `(F, F, channels)`. Depthwise and separable layers put the first kernel on every channel; the
    pointwise part of a separable one takes the mean of the channels, then each channel alone.

    Args:
        kernels: `(F, F)` or `(F, F, channels)` each; fewer than the filters are repeated.
    """
    if settings.is_pooling:
        return Layer(settings, channels)
    if not kernels:
        raise ConfigError("There is no kernel. Expected at least one. Choose one from the catalogue.")
    if kernels[0].shape[:2] != (settings.size, settings.size):
        raise ConfigError(
            f"The kernel has {kernels[0].shape[0]}×{kernels[0].shape[1]} cells. Expected {settings.size}×"
            f"{settings.size}. Set the kernel size to that of the kernel."
        )
    seen = channels // settings.groups
    chosen = [_on_channels(kernels[place % len(kernels)], seen) for place in range(settings.filters)]
    if settings.operation == "standard":
        return Layer(settings, channels, np.stack(chosen, axis=3))
    if settings.operation == "transposed":
        return Layer(settings, channels, np.stack(chosen, axis=2))
    kernel = _on_channels(kernels[0], channels)[..., None]
    if settings.operation == "depthwise":
        return Layer(settings, channels, kernel)
    mixes = np.eye(channels)
    pointwise = [mixes[(place - 1) % channels] if place else np.full(channels, 1 / channels)
                 for place in range(settings.filters)]  # fmt: skip
    return Layer(settings, channels, kernel, np.stack(pointwise, axis=1)[None, None])


def apply(layer: Layer, image: NDArray[Any]) -> Array:
    """Return the output for an image `(height, width, channels)`.

    Raises:
        ConfigError: the window does not fit into the image, or the groups do not divide its channels.
    """
    settings = layer.settings
    output_shape(settings, image.shape)
    window: dict[str, Any] = {"stride": settings.stride, "padding": settings.padding}
    if settings.operation == "max_pooling":
        return ops.max_pool(image, settings.size, **window)
    if settings.operation == "average_pooling":
        return ops.average_pool(image, settings.size, **window)
    kernel = layer.used_kernel
    assert kernel is not None
    if settings.operation == "standard":
        return ops.correlate(image, kernel, dilation=settings.dilation, groups=settings.groups, **window)
    if settings.operation == "depthwise":
        return ops.depthwise(image, kernel, dilation=settings.dilation, **window)
    if settings.operation == "transposed":
        return ops.transposed(image, kernel, dilation=settings.dilation, **window)
    assert layer.pointwise is not None
    return ops.separable(image, kernel, layer.pointwise, dilation=settings.dilation, **window)


def _on_channels(kernel: NDArray[Any], channels: int) -> Array:
    if kernel.ndim == 3 and kernel.shape[2] == channels:
        return kernel.astype(float)
    flat = kernel if kernel.ndim == 2 else kernel.mean(axis=2)
    return np.repeat(flat.astype(float)[:, :, None], channels, axis=2)
