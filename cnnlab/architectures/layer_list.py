"""A network as a list of layers: the kinds there are, their settings, and the check of a list.

A layer is a mapping of its kind and settings, `{"kind": "conv", "filters": 32}`; a bare kind
stands for one with all defaults. Imports no Keras: the config, the editor and the command
line read it. What a list amounts to is said in `layer_list_shapes`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, field_validator

from cnnlab.errors import ConfigError, suggestion
from cnnlab.parameters import Parameters, check

MOST_LAYERS = 200
Activation = Literal["none", "relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid"]
Padding = Literal["same", "valid"]
ACTIVATION_WORDS = {
    "relu": "ReLU", "leaky_relu": "leaky ReLU", "elu": "ELU", "gelu": "GELU", "silu": "SiLU", "tanh": "tanh",
    "sigmoid": "sigmoid",
}  # fmt: skip
SAME_OR_VALID = "'same' adds zeros so that a stride of one keeps height and width; 'valid' adds none."


class LayerSettings(Parameters):
    """Settings of one kind of layer."""

    def words(self) -> str:
        """Return the settings in a few words."""
        return ""


def _kernel(default: int = 3) -> Any:
    return Field(
        default, ge=1, le=15, title="Kernel", description="Height and width.", json_schema_extra={"unit": "px"}
    )


def _stride(default: int = 1) -> Any:
    return Field(
        default, ge=1, le=8, title="Stride", description="Step between outputs.", json_schema_extra={"unit": "px"}
    )


def _filters() -> Any:
    return Field(
        32, ge=1, le=4096, title="Filters", description="Channels of the output.", json_schema_extra={"log": True}
    )


def _padding(default: Padding = "same") -> Any:
    return Field(default, title="Padding", description=SAME_OR_VALID)


def _activation() -> Any:
    return Field("relu", title="Activation", description="What each output passes through.")


def _bias() -> Any:
    return Field(True, title="Bias", description="A learnt offset per channel; idle before batch normalisation.")


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _square(side: int) -> str:
    return f"{side}×{side}"


def _ending(stride: int, padding: str, activation: str, usual_stride: int = 1, usual_padding: str = "same") -> str:
    return _joined(
        f"stride {stride}" if stride != usual_stride else "",
        padding if padding != usual_padding else "",
        ACTIVATION_WORDS.get(activation, ""),
    )


class ConvSettings(LayerSettings):
    filters: int = _filters()
    kernel: int = _kernel()
    stride: int = _stride()
    padding: Padding = _padding()
    activation: Activation = _activation()
    bias: bool = _bias()

    def words(self) -> str:
        return _joined(
            f"{self.filters} filters {_square(self.kernel)}", _ending(self.stride, self.padding, self.activation)
        )


class SeparableConvSettings(ConvSettings):
    pass


class DilatedConvSettings(LayerSettings):
    filters: int = _filters()
    kernel: int = _kernel()
    dilation: int = Field(
        2, ge=1, le=16, title="Dilation", description="Distance between taps of the kernel.",
        json_schema_extra={"unit": "px"},
    )  # fmt: skip
    padding: Padding = _padding()
    activation: Activation = _activation()
    bias: bool = _bias()

    def words(self) -> str:
        kernel = f"{self.filters} filters {_square(self.kernel)}, dilation {self.dilation}"
        return _joined(kernel, _ending(1, self.padding, self.activation))


class DepthwiseConvSettings(LayerSettings):
    kernel: int = _kernel()
    stride: int = _stride()
    multiplier: int = Field(
        1, ge=1, le=8, title="Depth multiplier", description="Outputs per input channel, each with a kernel of its own."
    )
    padding: Padding = _padding()
    activation: Activation = _activation()
    bias: bool = _bias()

    def words(self) -> str:
        times = f"{self.multiplier} per channel" if self.multiplier > 1 else ""
        return _joined(_square(self.kernel), times, _ending(self.stride, self.padding, self.activation))


class TransposedConvSettings(LayerSettings):
    filters: int = _filters()
    kernel: int = _kernel()
    stride: int = Field(
        2, ge=1, le=8, title="Stride", description="Times that height and width grow.", json_schema_extra={"unit": "px"}
    )
    padding: Padding = _padding()
    activation: Activation = _activation()
    bias: bool = _bias()

    def words(self) -> str:
        kernel = f"{self.filters} filters {_square(self.kernel)}"
        return _joined(kernel, _ending(self.stride, self.padding, self.activation, usual_stride=0))


class PoolSettings(LayerSettings):
    window: int = Field(
        2, ge=1, le=15, title="Window", description="Height and width.", json_schema_extra={"unit": "px"}
    )
    stride: int = _stride(2)
    padding: Padding = _padding("valid")

    def words(self) -> str:
        return _joined(_square(self.window), _ending(self.stride, self.padding, "", self.window, "valid"))


class ActivationSettings(LayerSettings):
    function: Literal["relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid"] = Field(
        "relu", title="Function", description="What each value passes through."
    )

    def words(self) -> str:
        return ACTIVATION_WORDS[self.function]


class DropoutSettings(LayerSettings):
    rate: float = Field(
        0.25, ge=0, le=0.95, title="Rate", description="Share of the values left out in each training step."
    )

    def words(self) -> str:
        return f"{100 * self.rate:.3g} %"


class DenseSettings(LayerSettings):
    units: int = Field(
        128, ge=1, le=16384, title="Units", description="Features of the output.", json_schema_extra={"log": True}
    )
    activation: Activation = _activation()
    bias: bool = Field(True, title="Bias", description="A learnt offset per unit.")

    def words(self) -> str:
        return _joined(f"{self.units} units", ACTIVATION_WORDS.get(self.activation, ""))


class SkipSettings(LayerSettings):
    layers: int = Field(
        2, ge=1, le=50, title="Layers skipped",
        description="What came in before that many layers is added to what came out of the last; "
        "through a 1x1 convolution with batch normalisation where the shapes differ.",
    )  # fmt: skip
    activation: Activation = Field("relu", title="Activation", description="What the sum passes through.")

    def words(self) -> str:
        return _joined(f"over {self.layers}", ACTIVATION_WORDS.get(self.activation, ""))


@dataclass(frozen=True)
class LayerKind:
    """One kind of layer that a list can have."""

    name: str
    title: str
    summary: str
    settings: type[LayerSettings]


LAYER_KINDS: dict[str, LayerKind] = {
    kind.name: kind
    for kind in (
        LayerKind("conv", "Convolution", "Each filter looks for one small pattern everywhere.", ConvSettings),
        LayerKind(
            "depthwise_conv", "Depthwise convolution", "Each channel has a kernel of its own.", DepthwiseConvSettings
        ),
        LayerKind(
            "separable_conv",
            "Separable convolution",
            "First each channel on its own, then a 1x1 convolution over all: far fewer weights.",
            SeparableConvSettings,
        ),
        LayerKind(
            "dilated_conv", "Dilated convolution", "A kernel with gaps sees farther for nothing.", DilatedConvSettings
        ),
        LayerKind(
            "transposed_conv", "Transposed convolution", "Makes height and width larger.", TransposedConvSettings
        ),
        LayerKind("max_pool", "Max pooling", "Keeps the largest value of each window.", PoolSettings),
        LayerKind("average_pool", "Average pooling", "Keeps the mean of each window.", PoolSettings),
        LayerKind(
            "batch_norm",
            "Batch normalisation",
            "Gives each channel mean 0 and spread 1 over a batch, then a learnt scale and offset.",
            LayerSettings,
        ),
        LayerKind(
            "activation", "Activation", "Bends each value; without it layers in a row are one.", ActivationSettings
        ),
        LayerKind(
            "dropout", "Dropout", "Leaves values out at random while training, against overfitting.", DropoutSettings
        ),
        LayerKind(
            "skip", "Skip", "Adds what came in before the last layers: they learn what to add to it.", SkipSettings
        ),
        LayerKind("flatten", "Flatten", "Writes a map as one row of features.", LayerSettings),
        LayerKind("global_average_pool", "Global average pooling", "The mean of each channel.", LayerSettings),
        LayerKind("global_max_pool", "Global max pooling", "The largest value of each channel.", LayerSettings),
        LayerKind("dense", "Dense", "Every feature to every unit.", DenseSettings),
    )
}


def settings_of(layer: Mapping[str, Any]) -> Any:
    """Return the settings of a checked layer as its model."""
    kind = LAYER_KINDS[layer["kind"]]
    return kind.settings.model_construct(**{name: value for name, value in layer.items() if name != "kind"})


def check_layer(value: Any, number: int) -> dict[str, Any]:
    """Return a layer with all its settings.

    Raises:
        ConfigError: names the layer by its number, from 1.
    """
    written: Any = {"kind": value} if isinstance(value, str) else value
    if not isinstance(written, Mapping) or "kind" not in written:
        raise ConfigError(
            f"Layer {number}: {value!r} is no layer. Expected a kind and settings. Write it like "
            "{kind: conv, filters: 32}."
        )
    name = written["kind"]
    if not isinstance(name, str) or name not in LAYER_KINDS:
        raise ConfigError(f"Layer {number}: unknown kind of layer {str(name)!r}. {suggestion(str(name), LAYER_KINDS)}")
    kind = LAYER_KINDS[name]
    place = f"Layer {number} ({kind.title.lower()})"
    if not all(isinstance(key, str) for key in written):
        raise ConfigError(f"{place}: a setting has no name. Expected 'name: value' pairs. Write it like filters: 32.")
    try:
        checked = check(kind.settings, {key: item for key, item in written.items() if key != "kind"})
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from None
    return {"kind": name, **checked.model_dump()}


def check_layers(values: Any) -> list[dict[str, Any]]:
    """Return a list of layers with all their settings; raises `ConfigError` naming the first fault."""
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise ConfigError(
            f"layers={values!r} is no list. Expected a list of layers. Write it like "
            "[{kind: conv, filters: 32}, max_pool, global_average_pool]."
        )
    layers = [check_layer(value, number) for number, value in enumerate(values, start=1)]
    if len(layers) > MOST_LAYERS:
        raise ConfigError(f"The list has {len(layers)} layers. Expected at most {MOST_LAYERS}. Leave some out.")
    return layers


def brief(layers: Iterable[Mapping[str, Any]]) -> list[Any]:
    """Return checked layers as a person would write them: defaults left out, a bare kind where none remain."""
    written: list[Any] = []
    for layer in layers:
        usual = LAYER_KINDS[layer["kind"]].settings().model_dump()
        changed = {name: value for name, value in layer.items() if name != "kind" and value != usual[name]}
        written.append({"kind": layer["kind"], **changed} if changed else layer["kind"])
    return written


DEFAULT_LAYERS: tuple[Any, ...] = (
    {"kind": "conv", "filters": 16},
    "max_pool",
    "conv",
    "max_pool",
    {"kind": "conv", "filters": 64},
    "global_average_pool",
    "dropout",
)


class LayerListParameters(Parameters):
    """The parameters of a network that is a list of layers."""

    layers: list[dict[str, Any]] = Field(
        default_factory=lambda: check_layers(DEFAULT_LAYERS),
        title="Layers",
        description="From the images to the features; the output layer follows by itself.",
    )

    @field_validator("layers", mode="before")
    @classmethod
    def _check_layers(cls, values: Any) -> list[dict[str, Any]]:
        return check_layers(values)

    def brief(self) -> dict[str, Any]:
        return {"layers": brief(self.layers)}
