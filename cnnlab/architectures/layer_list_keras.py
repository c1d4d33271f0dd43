"""A list of layers as a Keras network; every layer is named after its number and kind."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keras import layers as keras_layers

from cnnlab.architectures.blocks import conv_bn
from cnnlab.architectures.layer_list import settings_of
from cnnlab.architectures.layer_list_shapes import LayerShape, check_shapes

RECTIFIERS = ("relu", "leaky_relu", "elu", "gelu", "silu")


def build_features(images: Any, *, layers: Sequence[Mapping[str, Any]]) -> Any:
    """Return the features that a checked list of layers makes of `(batch, height, width, channels)`.

    Raises:
        LayerListError: a layer does not fit behind the one before it.
    """
    rows = check_shapes(layers, tuple(images.shape[1:]))
    outputs = [images]
    for number, (layer, row) in enumerate(zip(layers, rows, strict=True), start=1):
        name, settings = f"layer{number}_{layer['kind']}", settings_of(layer)
        if layer["kind"] == "skip":
            outputs.append(_skip(settings, row, outputs, name))
        else:
            outputs.append(BUILDERS[layer["kind"]](settings, outputs[-1], name))
    return outputs[-1]


def _function(name: str) -> str | None:
    return None if name == "none" else name


def _first_weights(settings: Any) -> str:
    return "he_normal" if settings.activation in RECTIFIERS else "glorot_uniform"


def _common(settings: Any, name: str) -> dict[str, Any]:
    return {
        "padding": settings.padding,
        "activation": _function(settings.activation),
        "use_bias": settings.bias,
        "name": name,
    }


def _conv(settings: Any, x: Any, name: str) -> Any:
    return keras_layers.Conv2D(
        settings.filters,
        settings.kernel,
        strides=getattr(settings, "stride", 1),
        dilation_rate=getattr(settings, "dilation", 1),
        kernel_initializer=_first_weights(settings),
        **_common(settings, name),
    )(x)


def _depthwise(settings: Any, x: Any, name: str) -> Any:
    return keras_layers.DepthwiseConv2D(
        settings.kernel,
        strides=settings.stride,
        depth_multiplier=settings.multiplier,
        depthwise_initializer=_first_weights(settings),
        **_common(settings, name),
    )(x)


def _separable(settings: Any, x: Any, name: str) -> Any:
    return keras_layers.SeparableConv2D(
        settings.filters,
        settings.kernel,
        strides=settings.stride,
        pointwise_initializer=_first_weights(settings),
        **_common(settings, name),
    )(x)


def _transposed(settings: Any, x: Any, name: str) -> Any:
    return keras_layers.Conv2DTranspose(
        settings.filters,
        settings.kernel,
        strides=settings.stride,
        kernel_initializer=_first_weights(settings),
        **_common(settings, name),
    )(x)


def _max_pool(settings: Any, x: Any, name: str) -> Any:
    return keras_layers.MaxPooling2D(settings.window, settings.stride, settings.padding, name=name)(x)


def _average_pool(settings: Any, x: Any, name: str) -> Any:
    return keras_layers.AveragePooling2D(settings.window, settings.stride, settings.padding, name=name)(x)


def _batch_norm(_settings: Any, x: Any, name: str) -> Any:
    return keras_layers.BatchNormalization(momentum=0.9, name=name)(x)  # see `blocks.conv_bn`


def _activation(settings: Any, x: Any, name: str) -> Any:
    return keras_layers.Activation(settings.function, name=name)(x)


def _dropout(settings: Any, x: Any, name: str) -> Any:
    return keras_layers.Dropout(settings.rate, name=name)(x)


def _flatten(_settings: Any, x: Any, name: str) -> Any:
    return keras_layers.Flatten(name=name)(x)


def _global_average(_settings: Any, x: Any, name: str) -> Any:
    return keras_layers.GlobalAveragePooling2D(name=name)(x)


def _global_max(_settings: Any, x: Any, name: str) -> Any:
    return keras_layers.GlobalMaxPooling2D(name=name)(x)


def _dense(settings: Any, x: Any, name: str) -> Any:
    return keras_layers.Dense(
        settings.units,
        activation=_function(settings.activation),
        use_bias=settings.bias,
        kernel_initializer=_first_weights(settings),
        name=name,
    )(x)


def _skip(settings: Any, row: LayerShape, outputs: Sequence[Any], name: str) -> Any:
    shortcut = outputs[-1 - settings.layers]
    if row.strides == ():
        shortcut = keras_layers.Dense(row.output[0], use_bias=False, name=f"{name}_projection")(shortcut)
    elif row.strides:
        shortcut = conv_bn(shortcut, row.output[2], kernel=1, strides=row.strides, name=f"{name}_projection")
    x = keras_layers.Add(name=name)([outputs[-1], shortcut])
    function = _function(settings.activation)
    return keras_layers.Activation(function, name=f"{name}_{function}")(x) if function else x


BUILDERS: dict[str, Callable[[Any, Any, str], Any]] = {
    "conv": _conv,
    "dilated_conv": _conv,
    "depthwise_conv": _depthwise,
    "separable_conv": _separable,
    "transposed_conv": _transposed,
    "max_pool": _max_pool,
    "average_pool": _average_pool,
    "batch_norm": _batch_norm,
    "activation": _activation,
    "dropout": _dropout,
    "flatten": _flatten,
    "global_average_pool": _global_average,
    "global_max_pool": _global_max,
    "dense": _dense,
}
