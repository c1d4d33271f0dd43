"""Weights of a trained network as the beginning of another's training, and who learns when.

Source: Yosinski et al. 2014, arXiv:1411.1792 (layers are taken, kept or trained on); Howard and Ruder
2018, arXiv:1801.06146, section 3.2 (the classifier first, lower rates for earlier layers).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cnnlab.analysis.saved_network import open_saved
from cnnlab.config import RunConfig
from cnnlab.errors import ConfigError, TrainingError
from cnnlab.files import read_json, write_json
from cnnlab.runs.sources import TRANSFER_REPORT, checked_source, digest, source_title
from cnnlab.runs.store import Store
from cnnlab.settings.transfer import IMAGENET, TransferConfig
from cnnlab.training.rate_multipliers import multiply_rates
from cnnlab.training.transfer_matching import ORIGINS, LayerShapes, Matched, check_share, match, share
from cnnlab.training.transfer_plan import Plan, plan


class Transfer:
    """Who learns at which rate, in stages.

    Args:
        network: Its first weights are those of the source already.
    """

    def __init__(self, network: keras.Model, plan: Plan) -> None:
        self.plan = plan
        self._layers = {layer.name: layer for layer in leaves(network)}
        self._stage = -1

    def summary(self) -> dict[str, int]:
        """Return how many layers and parameters were taken, for the journal of the run."""
        origins = [one.origin for one in self.plan.matched]
        params = sum(one.layer.num_params for one in self.plan.matched if one.origin != "new")
        return {**{f"layers_{name}": origins.count(name) for name in ORIGINS}, "params_taken": params}

    def changes_at(self, epoch: int) -> bool:
        """Return whether another stage begins with a 0-based epoch."""
        return self.plan.stage_at(epoch) != self._stage

    def enter(self, epoch: int) -> None:
        """Freeze and free layers as in the stage of a 0-based epoch; optimizers are built after that.

        Batch normalisation that is frozen keeps its statistics too: Keras runs it as in inference.
        """
        self._stage = self.plan.stage_at(epoch)
        for name, factor in self._factors.items():
            self._layers[name].trainable = factor > 0

    def multipliers(self) -> dict[int, float]:
        """Return the rate multipliers of this stage, by variable."""
        return {
            id(variable): factor
            for name, factor in self._factors.items()
            if factor not in (0, 1)
            for variable in self._layers[name].trainable_variables
        }

    def slow(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Give the optimizer of this stage its rate multipliers."""
        multiply_rates(optimizer, self.multipliers())

    @property
    def _factors(self) -> Mapping[str, float]:
        return self.plan.stages[self._stage].factors


def begin_transfer(
    config: RunConfig,
    network: keras.Model,
    outputs: Sequence[str],
    store: Store,
    run_dir: Path | None = None,
    is_going_on: bool = False,
) -> Transfer | None:
    """Give `network` the weights of the config's source; None for a training from scratch.

    What was taken is written into `run_dir` as `transfer.json`.

    Args:
        is_going_on: The weights come from a checkpoint. Those of the source are not needed any more, and
            `transfer.json` says what was taken, so that a run goes on also where its source has gone.

    Raises:
        ConfigError: the source has gone, has other weights than the config means, or too few that fit.
    """
    transfer = config.transfer
    if not transfer.source:
        return None
    check_names(network)
    layers = described(network, outputs)
    report = read_json(run_dir / TRANSFER_REPORT) if run_dir and is_going_on else None
    matched = _of_report(layers, report)
    if matched is None:
        path = checked_source(store, transfer)
        matched = _all_taken(layers) if path is None else take(network, layers, path, source_title(transfer))
        made = plan(transfer, matched)
        if run_dir:
            write_json(run_dir / TRANSFER_REPORT, report_of(config, made, path))
    return Transfer(network, plan(transfer, matched))


def take(network: keras.Model, layers: Sequence[LayerShapes], path: Path, title: str) -> list[Matched]:
    """Copy the weights that fit from a saved network and return where each layer's come from.

    Raises:
        ConfigError: the file is no network, or too little of it fits.
    """
    source = open_saved(path, title)
    matched = match(layers, described(source))
    check_share(matched, title)
    own, given = ({layer.name: layer for layer in leaves(one)} for one in (network, source))
    for one in matched:
        if one.origin != "new":
            values = given[one.source].get_weights()
            if one.origin == "adapted":
                values[0] = recoloured(values[0], one.layer.shapes[0][2])
            own[one.layer.name].set_weights(values)
    return matched


def recoloured(kernel: Any, channels: int) -> Any:
    """Return a first kernel `(height, width, channels, filters)` for grey images or those of colour.

    A grey image shown in all channels is answered as before, and so is a grey image after the sum.
    """
    if channels == 1:
        return kernel.sum(axis=2, keepdims=True)
    return np.repeat(kernel, channels, axis=2) / channels


def described(network: keras.Model, outputs: Sequence[str] | None = None) -> list[LayerShapes]:
    """Return the layers with weights in the order of the network, those of networks inside of it too.

    Args:
        outputs: Whose heads are known by the names of their layers; where left out, of any output.
    """
    layers = [layer for layer in leaves(network) if layer.weights]
    heads = {layer.name for layer in layers if _is_head(layer.name, outputs)}
    if not heads and layers:  # a network of somebody else: its last layer answers
        heads = {layers[-1].name}
    return [
        LayerShapes(
            name=layer.name,
            kind=type(layer).__name__,
            shapes=tuple(tuple(int(side) for side in weight.shape) for weight in layer.weights),
            is_head=layer.name in heads,
            is_flat=isinstance(layer, keras.layers.Dense) and _rank(layer) == 2,
        )
        for layer in layers
    ]


def leaves(network: keras.Model) -> list[Any]:
    """Return the layers of a network; in place of a network inside of it, that one's layers."""
    found: list[Any] = []
    for layer in network.layers:
        found += leaves(layer) if isinstance(layer, keras.Model) else [layer]
    return found


def report_of(config: RunConfig, made: Plan, path: Path | None) -> dict[str, Any]:
    """Return what `transfer.json` keeps: the source, what was taken and what not, and who learns when."""
    names: dict[str, list[str]] = {"taken": [], "adapted": [], "new": []}
    for one in made.matched:
        names[one.origin].append(one.layer.name)
    count = sum(one.layer.num_params for one in made.matched if one.origin != "new")
    return {
        "source": config.transfer.source,
        "source_sha256": digest(path) if path else "",
        "mode": config.transfer.mode,
        "num_params": sum(one.layer.num_params for one in made.matched),
        "params_taken": count,
        "share": share(made.matched),
        **names,
        **made.document(config.training.epochs),
    }


def _of_report(layers: Sequence[LayerShapes], report: Any) -> list[Matched] | None:
    if not isinstance(report, dict):
        return None
    rows = {row["name"]: row for row in report["layers"]}
    if set(rows) != {layer.name for layer in layers}:
        raise TrainingError(
            "bad_data", f"{TRANSFER_REPORT} is of another network than the config. Train from the start."
        )
    return [Matched(layer, rows[layer.name]["origin"], reason=rows[layer.name]["reason"]) for layer in layers]


def _all_taken(layers: Sequence[LayerShapes]) -> list[Matched]:
    """Return the layers of a network that was built with its weights: all but the classifier."""
    return [
        Matched(layer, "new", reason="classifier") if layer.is_head else Matched(layer, "taken", layer.name)
        for layer in layers
    ]


def matched_without_weights(
    transfer: TransferConfig, layers: Sequence[LayerShapes], source: Sequence[LayerShapes] | None
) -> list[Matched]:
    """Return where each layer's weights will come from, without taking any: for a look ahead."""
    if transfer.source == IMAGENET or source is None:
        return _all_taken(layers)
    matched = match(layers, source)
    check_share(matched, source_title(transfer))
    return matched


def check_names(network: keras.Model) -> None:
    """Refuse a network in which two layers have one name: nobody could say which weights go where.

    Raises:
        ConfigError: so it is.
    """
    names = [layer.name for layer in leaves(network) if layer.weights]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(
            f"The network has several layers named {twice[0]!r}. Expected a name of its own for each layer that takes "
            "weights. Name them apart, or train from scratch."
        )


def _is_head(name: str, outputs: Sequence[str] | None) -> bool:
    if outputs is None:
        return name.endswith(("_logits", "_logits_conv")) or name == "logits"
    return any(name.startswith(f"{output}_logits") for output in outputs)


def _rank(layer: Any) -> int:
    try:
        return len(layer.input.shape)
    except (AttributeError, ValueError):  # called several times, or within another layer
        return 0
