"""Searching within a network that is a list of layers: whether a layer is there, which one, and its settings.

Layers are counted from 1, as in the editor: `architecture.parameters.layers.7` is a choice of whole layers, where
none leaves it out, and `architecture.parameters.layers.7.units` a setting of it, searched where it has one. A layer
whose own condition does not hold is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from cnnlab.architectures.layer_list import LAYER_KINDS, LayerListParameters, check_layer, check_layers, settings_of
from cnnlab.errors import ConfigError, suggestion
from cnnlab.parameters import ParameterSpec, specs
from cnnlab.settings.ranges import AnyRange, ChoiceRange

ARCHITECTURE = "layers"
LIST = "architecture.parameters.layers"
Layer = Mapping[str, Any]
Space = Mapping[str, AnyRange]


class Place(NamedTuple):
    """A layer by its number, from 1, and one of its settings; empty for the layer itself."""

    number: int
    setting: str


def place_of(path: str) -> Place | None:
    """Return the place in the list that a dotted path names; None for other settings.

    >>> place_of("architecture.parameters.layers.7.units")
    Place(number=7, setting='units')
    """
    number, _, setting = path.removeprefix(f"{LIST}.").partition(".")
    return Place(int(number), setting) if path.startswith(f"{LIST}.") and number.isdecimal() else None


def value_at(layers: Sequence[Layer], place: Place) -> Any:
    """Return what the list has at a place; None where it has nothing there."""
    layer = layers[place.number - 1] if 1 <= place.number <= len(layers) else None
    return layer.get(place.setting) if layer is not None and place.setting else layer


def whole_layers(space: Space) -> dict[str, AnyRange]:
    """Return the space with each layer of its choices and conditions in full, as the list has them.

    Raises:
        ConfigError: one of them is no layer.
    """
    found = {}
    for path, searched in space.items():
        changes: dict[str, Any] = {"only_if": {p: _whole(p, values) for p, values in searched.only_if.items()}}
        if isinstance(searched, ChoiceRange):
            changes["values"] = _whole(path, searched.values)
        found[path] = searched.model_copy(update=changes)
    return found


def _whole(path: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
    place = place_of(path)
    if path == LIST:
        return tuple(check_layers(value) for value in values)
    if place is None or place.setting:
        return values
    return tuple(None if value in (None, "none") else check_layer(value, place.number) for value in values)


def searchable_layers(layers: Sequence[Layer], space: Space) -> dict[str, ParameterSpec]:
    """Return what can be searched of a list, by dotted path: each layer and each of its settings."""
    found: dict[str, ParameterSpec] = {}
    for number, layer in enumerate(layers, start=1):
        path, title = f"{LIST}.{number}", layer_title(layer)
        found[path] = replace(
            specs(LayerListParameters)[0], name=str(number), title=f"layer {number} ({title}), there or not",
            kind="choice", holds="one", choices=(dict(layer),), is_optional=True, default=dict(layer),
            help="Left out where it is none.",
        )  # fmt: skip
        for possible in _possible(layers, space, number):
            for spec in specs(LAYER_KINDS[possible["kind"]].settings):
                titled = replace(spec, title=f"layer {number} ({title}), {spec.title.lower()}")
                found.setdefault(f"{path}.{spec.name}", titled)
    return found


def layer_title(layer: Layer | None) -> str:
    """Return a layer in a few words: `dense, 128 units, ReLU`."""
    if layer is None:
        return "none"
    words = settings_of(layer).words()
    title = LAYER_KINDS[layer["kind"]].title.lower()
    return f"{title}, {words}" if words else title


def short_name(path: str) -> str:
    """Return what people call a searched setting: its last word, `layer 7` or `layer 7 units`."""
    place = place_of(path)
    if place is not None:
        return f"layer {place.number} {place.setting}".strip().replace("_", " ")
    return path.removesuffix(".name").rpartition(".")[2].replace("_", " ")


def value_text(value: Any) -> str:
    """Return a layer as words, any other value as it is; none for what is empty."""
    return layer_title(value) if isinstance(value, Mapping) and "kind" in value else str(value)


def specs_at(layers: Sequence[Layer], space: Space, path: str) -> list[tuple[ParameterSpec, type[Any]]]:
    """Return spec and model of a setting, of each kind of layer that can be at its place and has it.

    Raises:
        ConfigError: there is no such layer, or none with this setting.
    """
    place = place_of(path)
    if place is None or not 1 <= place.number <= len(layers):
        raise ConfigError(
            f"space.{path} names no layer of the run, which has {len(layers)}. Expected 1 to {len(layers)}. "
            "Add the layer to the run's list; a choice with 'none' leaves it out of some trials."
        )
    if LIST in space:
        raise ConfigError(
            f"space has {LIST} and {path}: the whole list, and a part of it. Expected one of them. Leave one out."
        )
    if not place.setting:
        return []
    kinds = {layer["kind"]: LAYER_KINDS[layer["kind"]].settings for layer in _possible(layers, space, place.number)}
    found = [(spec, model) for model in kinds.values() for spec in specs(model) if spec.name == place.setting]
    if not found:
        known = {spec.name for model in kinds.values() for spec in specs(model)}
        raise ConfigError(
            f"Layer {place.number} ({', '.join(kinds)}) has no setting {place.setting!r}. "
            f"{suggestion(place.setting, sorted(known))}"
        )
    return found


def implied(space: Space, path: str) -> dict[str, tuple[Any, ...]]:
    """Return beside which layers of a searched choice a setting means something."""
    place = place_of(path)
    searched = space.get(f"{LIST}.{place.number}") if place and place.setting else None
    if place is None or not isinstance(searched, ChoiceRange):
        return {}
    having = tuple(layer for layer in searched.values if layer is not None and place.setting in layer)
    return {f"{LIST}.{place.number}": having}


def with_chosen(layers: Sequence[Layer], space: Space, values: Mapping[str, Any]) -> list[Layer]:
    """Return the list of a trial.

    Args:
        layers: The run's.
        values: What is searched beside each other, by dotted path, layers before their settings.
    """
    found: list[Layer | None] = list(layers)
    for path in space:
        place = place_of(path)
        if place is None:
            continue
        if not place.setting:
            found[place.number - 1] = values.get(path)
        elif path in values and (layer := found[place.number - 1]) is not None:
            found[place.number - 1] = {**layer, place.setting: values[path]}
    return [layer for layer in found if layer is not None]


def _possible(layers: Sequence[Layer], space: Space, number: int) -> list[Layer]:
    searched = space.get(f"{LIST}.{number}")
    if isinstance(searched, ChoiceRange):
        return [layer for layer in searched.values if layer is not None]
    return [layers[number - 1]]
