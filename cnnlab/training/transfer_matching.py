"""Which weights of one network another one can take, by name and shape. Imports no Keras."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Literal

from cnnlab.errors import ConfigError

# Of the parameters before the classifier. With fewer, what was taken stands between layers that know nothing.
LEAST_SHARE = 0.5
MOST_NAMED = 3

Origin = Literal["taken", "adapted", "new"]
ORIGINS: tuple[Origin, ...] = ("taken", "adapted", "new")
Shape = tuple[int, ...]


@dataclass(frozen=True)
class LayerShapes:
    """A layer with weights.

    Attributes:
        shapes: Of its weights, in Keras's order.
        is_head: It makes the logits of an output.
        is_flat: A dense layer on features without height and width: its shape follows from the size of the images.
    """

    name: str
    kind: str
    shapes: tuple[Shape, ...]
    is_head: bool = False
    is_flat: bool = False

    @property
    def num_params(self) -> int:
        return sum(prod(shape) for shape in self.shapes)


@dataclass(frozen=True)
class Matched:
    """Where a layer's first weights come from.

    Attributes:
        source: Name of the source's layer; empty for a new one.
        reason: Why it is new, or how it was adapted; empty for a taken one.
    """

    layer: LayerShapes
    origin: Origin
    source: str = ""
    reason: str = ""


def match(network: Sequence[LayerShapes], source: Sequence[LayerShapes]) -> list[Matched]:
    """Return for each layer of `network`, in its order, whether `source` has weights for it.

    Heads are always new. The first convolution of grey images is adapted to those of colour and the other
    way round. A dense layer whose number of inputs follows from another image size is new, and so are the dense
    layers after it: what they had learnt was about other features.
    """
    known = {key: layer for key, layer in zip(keys(source), source, strict=True) if not layer.is_head}
    first_convolution = next((layer.name for layer in network if layer.kind == "Conv2D"), "")
    found: list[Matched] = []
    is_after_new_dense = False
    for key, layer in zip(keys(network), network, strict=True):
        there = known.get(key)
        if layer.is_head:
            found.append(Matched(layer, "new", reason="classifier"))
        elif layer.is_flat and is_after_new_dense:
            found.append(Matched(layer, "new", reason="follows a new dense layer"))
        elif there is None:
            found.append(Matched(layer, "new", reason="not in the source"))
        elif there.shapes == layer.shapes:
            found.append(Matched(layer, "taken", there.name))
        elif layer.name == first_convolution and _differs_in_colour(there.shapes, layer.shapes):
            channels = f"{there.shapes[0][2]} channel(s) in the source, {layer.shapes[0][2]} here"
            found.append(Matched(layer, "adapted", there.name, channels))
        else:
            found.append(Matched(layer, "new", reason=f"{_written(there.shapes)} in the source"))
        is_after_new_dense |= layer.is_flat and not layer.is_head and found[-1].origin == "new"
    return found


def keys(layers: Sequence[LayerShapes]) -> list[str]:
    """Return a name per layer that is the same in each building of a network.

    Names that Keras makes up (`conv2d_17`) count on over all networks of a process: here they count from 0.
    """
    numbers: dict[str, list[int]] = {}
    for layer in layers:
        if (number := _made_up(layer)) is not None:
            numbers.setdefault(layer.kind, []).append(number)
    ranks = {kind: {number: rank for rank, number in enumerate(sorted(own))} for kind, own in numbers.items()}
    return [
        layer.name if (number := _made_up(layer)) is None else f"{layer.kind}#{ranks[layer.kind][number]}"
        for layer in layers
    ]


def share(matched: Sequence[Matched]) -> float:
    """Return the share of the parameters before the classifier that the source has.

    Dense layers that are new because the image size is another belong to the classifier here.
    """
    body = [one for one in matched if not one.layer.is_head and not (one.layer.is_flat and one.origin == "new")]
    total = sum(one.layer.num_params for one in body)
    taken = sum(one.layer.num_params for one in body if one.origin != "new")
    return taken / total if total else 0.0


def check_share(matched: Sequence[Matched], title: str) -> None:
    """Refuse a source that has too little of the network.

    Raises:
        ConfigError: fewer than `LEAST_SHARE` of the parameters before the classifier match.
    """
    part = share(matched)
    if part >= LEAST_SHARE:
        return
    new = [one for one in matched if one.origin == "new" and not one.layer.is_head]
    named = ", ".join(f"{one.layer.name} ({one.reason})" for one in new[:MOST_NAMED])
    more = f" and {len(new) - MOST_NAMED} more" if len(new) > MOST_NAMED else ""
    raise ConfigError(
        f"{title} has weights for {100 * part:.0f} % of the parameters before the classifier; new would be "
        f"{named}{more}. Expected at least {100 * LEAST_SHARE:.0f} %. Choose the architecture and the parameters of "
        "the source, or train from scratch."
    )


def _made_up(layer: LayerShapes) -> int | None:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", layer.kind).lower()
    name = layer.name.lower()
    # Keras writes Conv2D as conv2d and BatchNormalization as batch_normalization.
    for stem in {snake, snake.replace("2_d", "2d").replace("1_d", "1d").replace("3_d", "3d")}:
        if re.fullmatch(rf"{stem}(_\d+)?", name):
            return int(name[len(stem) + 1 :] or 0)
    return None


def _differs_in_colour(one: tuple[Shape, ...], other: tuple[Shape, ...]) -> bool:
    if len(one) != len(other) or len(one[0]) != 4 or one[1:] != other[1:]:
        return False
    first, second = one[0], other[0]
    return first[:2] == second[:2] and first[3] == second[3] and {first[2], second[2]} == {1, 3}


def _written(shapes: Sequence[Shape]) -> str:
    return "×".join(map(str, shapes[0])) if shapes else "without weights"
