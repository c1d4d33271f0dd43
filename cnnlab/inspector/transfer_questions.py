"""What the inspector tells of a training that begins with the weights of another: who learns when."""

import importlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnlab.architectures.own_files import refuse_own_file
from cnnlab.config import config_from_dict
from cnnlab.errors import ConfigError
from cnnlab.inspector.answers import Answer
from cnnlab.inspector.network_questions import forgotten, made_info
from cnnlab.runs.sources import source_file, source_title
from cnnlab.runs.store import Store

if TYPE_CHECKING:
    from cnnlab.training.transfer_matching import LayerShapes


def freeze_map(store_root: Path, *, config: Mapping[str, Any]) -> Answer:
    """Tell layer by layer what learns in each stage, and at what share of the learning rate.

    No weight is made or read: names and shapes decide what will be taken.

    Returns:
        `stages` (`title`, `first_epoch`, `last_epoch`) and `layers` (`name`, `kind`, `block`,
        `num_params`, `origin` as `taken`, `adapted` or `new`, `reason`, `factors` by stage).
    """
    run_config = config_from_dict(config)
    refuse_own_file(run_config)
    transfer = run_config.transfer
    if not transfer.source:
        raise ConfigError("There is no source, so all layers learn. Expected transfer.source. Choose one first.")
    info = made_info(store_root, run_config)
    path = source_file(Store(store_root), transfer)

    from cnnlab.analysis.networks import BATCH_SIZE, without_weights
    from cnnlab.training.models import build_network
    from cnnlab.training.transfer import described, matched_without_weights
    from cnnlab.training.transfer_plan import plan

    with forgotten(), without_weights():
        network = build_network(run_config, info, BATCH_SIZE)
        layers = described(network, run_config.data.outputs or tuple(info.outputs))
        source = _saved_layers(path, source_title(transfer)) if path else None
        matched = matched_without_weights(transfer, layers, source)
        value = plan(transfer, matched).document(run_config.training.epochs)
    # A run that is retried has another network by then.
    return Answer(value, keep=False)


def _saved_layers(path: Path, title: str) -> "list[LayerShapes]":
    """Return the layers of a `.keras` file, read from its description alone."""
    import keras

    from cnnlab.analysis.saved_network import first_line
    from cnnlab.architectures.catalogue import ARCHITECTURES
    from cnnlab.training.transfer import described

    for entry in ARCHITECTURES.values():
        importlib.import_module(entry.builder.split(":")[0])  # our own layers are known by then
    try:
        with zipfile.ZipFile(path) as archive:
            description = json.loads(archive.read("config.json"))
        description.pop("compile_config", None)
        network = keras.saving.deserialize_keras_object(description, safe_mode=True)
    except Exception as error:  # a broken file fails in many ways
        raise ConfigError(
            f"{title} cannot be read: {first_line(error)} Expected a file that Keras saved. Train it again, or choose "
            "another source."
        ) from None
    return described(network)
