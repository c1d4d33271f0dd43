"""The line of Keras that makes the layer of the lab."""

from cnnlab.convolution.settings import Settings

CLASSES = {
    "standard": "Conv2D",
    "depthwise": "DepthwiseConv2D",
    "separable": "SeparableConv2D",
    "transposed": "Conv2DTranspose",
    "max_pooling": "MaxPooling2D",
    "average_pooling": "AveragePooling2D",
}


def keras_code(settings: Settings) -> str:
    """Return Python that makes the layer; what is at Keras's default is left out.

    >>> keras_code(Settings(size=3, stride=2, padding="same", filters=8))
    'keras.layers.Conv2D(8, 3, strides=2, padding="same")'
    >>> keras_code(Settings(operation="max_pooling", size=2, stride=2))
    'keras.layers.MaxPooling2D(2, strides=2)'
    """
    arguments = [str(settings.size)]
    if settings.operation in ("standard", "separable", "transposed"):
        arguments.insert(0, str(settings.filters))
    # A pooling layer without strides moves by its size.
    if settings.stride > 1 or settings.is_pooling:
        arguments.append(f"strides={settings.stride}")
    if settings.padding == "same":
        arguments.append('padding="same"')
    if settings.dilation > 1:
        arguments.append(f"dilation_rate={settings.dilation}")
    if settings.groups > 1:
        arguments.append(f"groups={settings.groups}")
    line = f"keras.layers.{CLASSES[settings.operation]}({', '.join(arguments)})"
    if settings.padding != "full":
        return line
    if settings.reach == 1:
        return line
    return f"keras.Sequential([keras.layers.ZeroPadding2D({settings.reach - 1}), {line}])"


def remarks(settings: Settings) -> list[str]:
    """Return what one has to know beside the line."""
    said = []
    if settings.padding == "full":
        said.append("Keras has no padding 'full': a layer before it adds the zeros.")
    if settings.mode == "convolution" and not settings.is_pooling:
        said.append(
            "Keras's layers correlate. For the convolution of mathematics give them the kernel turned by 180°: "
            "`kernel[::-1, ::-1]`. A network learns its kernels, so it makes no difference there."
        )
    return said
