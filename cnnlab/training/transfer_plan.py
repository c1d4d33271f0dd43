"""Which layers learn in which epochs, and at what share of the learning rate. Imports no Keras."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cnnlab.settings.transfer import TransferConfig
from cnnlab.training.transfer_matching import Matched

# The head of a block's name, in the catalogue and in keras.applications; the first that fits.
_BLOCKS = tuple(
    re.compile(pattern)
    for pattern in (
        r"^(?:\w+?_)?(?:stack|stage)_?\d+_block_?\d+",
        r"^conv\d+_block\d+",
        r"^expanded_conv(?:_\d+)?(?=_)",
        r"^(?:block|fire|mixed|inception|stage|stack|transition|cell)_?\d+[a-z]?",
        r"^stem",
    )
)
_SUFFIX = re.compile(r"(?:^bn_)|(?:_(?:conv|dwconv|bn|BN|norm|depthwise|project|expand))+$")
_NORMALISATION = ("BatchNormalization", "LayerNormalization", "GroupNormalization")


@dataclass(frozen=True)
class Stage:
    """Epochs in which the same layers learn.

    Attributes:
        first_epoch: 0-based.
        factors: By layer: what the learning rate is multiplied by; 0 keeps its weights.
    """

    title: str
    first_epoch: int
    factors: dict[str, float]


@dataclass(frozen=True)
class Plan:
    """What was taken from a source and how it learns on."""

    matched: tuple[Matched, ...]
    blocks: tuple[str, ...]
    stages: tuple[Stage, ...]

    def stage_at(self, epoch: int) -> int:
        """Return the number of the stage that a 0-based epoch belongs to."""
        return max(place for place, stage in enumerate(self.stages) if stage.first_epoch <= epoch)

    def document(self, epochs: int) -> dict[str, Any]:
        """Return the plan as plain values: stages with their epochs (1-based), and layers with their factors."""
        firsts = [stage.first_epoch for stage in self.stages] + [epochs]
        return {
            "stages": [
                {"title": stage.title, "first_epoch": firsts[place] + 1, "last_epoch": firsts[place + 1]}
                for place, stage in enumerate(self.stages)
            ],
            "layers": [
                {
                    "name": one.layer.name,
                    "kind": one.layer.kind,
                    "block": block,
                    "num_params": one.layer.num_params,
                    "origin": one.origin,
                    "reason": one.reason,
                    "factors": [stage.factors[one.layer.name] for stage in self.stages],
                }
                for one, block in zip(self.matched, self.blocks, strict=True)
            ],
        }


def plan(transfer: TransferConfig, matched: Sequence[Matched]) -> Plan:
    """Return what learns when, by the mode of `transfer`.

    New layers learn at the whole rate in every stage. Taken ones stay, or learn at `body_rate`
    times `rate_decay` once for each block between them and the last one.
    """
    blocks = blocks_of(matched)
    order = list(dict.fromkeys(block for one, block in zip(matched, blocks, strict=True) if one.origin != "new"))
    distance = {block: len(order) - 1 - place for place, block in enumerate(order)}
    frozen = {one.layer.name: 1.0 if one.origin == "new" else 0.0 for one in matched}
    learning = {
        one.layer.name: 1.0 if one.origin == "new" else transfer.body_rate * transfer.rate_decay ** distance[block]
        for one, block in zip(matched, blocks, strict=True)
    }
    match transfer.mode:
        case "features":
            stages = [Stage("Classifier", 0, frozen)]
        case "last_blocks":
            late = {block for block in order if distance[block] < transfer.blocks}
            names = {one.layer.name for one, block in zip(matched, blocks, strict=True) if block in late}
            factors = {name: learning[name] if name in names else frozen[name] for name in frozen}
            stages = [Stage("Last blocks", 0, factors)]
        case "all":
            stages = [Stage("All layers", 0, learning)]
        case "stages":
            stages = [Stage("Classifier", 0, frozen), Stage("All layers", transfer.head_epochs, learning)]
    return Plan(tuple(matched), tuple(blocks), tuple(stages))


def blocks_of(matched: Sequence[Matched]) -> list[str]:
    """Return the block of each layer, read from its name; a layer outside of blocks is one with its normalisation."""
    found: list[str] = []
    for one in matched:
        name = one.layer.name
        block = next((fit[0] for pattern in _BLOCKS if (fit := pattern.match(name))), "")
        if not block and found and one.layer.kind in _NORMALISATION:
            block = found[-1]
        found.append(block or _SUFFIX.sub("", name) or name)
    return found
