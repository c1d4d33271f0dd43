"""What the inspector tells of networks: what they cost, and how their layers hang together."""

import contextlib
import gc
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnlab.architectures.catalogue import ARCHITECTURES
from cnnlab.architectures.own_files import refuse_own_file
from cnnlab.config import RunConfig, config_from_dict
from cnnlab.datasets.catalogue import DATASETS
from cnnlab.datasets.storage import DatasetInfo, find_dataset
from cnnlab.errors import UnknownNameError
from cnnlab.inspector.answers import Answer
from cnnlab.inspector.signatures import quick_signatures
from cnnlab.inspector.tracking import quick_tracking
from cnnlab.inspector.uploads import check_archive, uploaded_path

if TYPE_CHECKING:
    from cnnlab.analysis.costs import Costs


def costs(store_root: Path, *, config: Mapping[str, Any]) -> Answer:
    """Count what the network of a config would cost, without its data being there.

    Returns:
        What `cnnlab.analysis.document.document_of` tells: totals, `not_counted`, receptive field and
        `layers`; and `training_memory`, whose parts `cnnlab.analysis.training_memory` adds up for a
        batch size and optimizer.
    """
    run_config = config_from_dict(config)
    refuse_own_file(run_config)
    info = made_info(store_root, run_config)

    from cnnlab.analysis.costs import costs as count_costs
    from cnnlab.analysis.networks import BATCH_SIZE, without_weights
    from cnnlab.training.models import build_network

    with forgotten(), quick_signatures(), quick_tracking(), without_weights():
        value = _document(count_costs(build_network(run_config, info, BATCH_SIZE)))
    return Answer(value, keep=is_fixed(run_config.data.dataset, run_config.data.version))


def inspect(
    store_root: Path,  # noqa: ARG001 a network needs no store
    *,
    architecture: str,
    parameters: Mapping[str, Any],
    input_shape: Sequence[int],
    num_classes: int,
) -> Answer:
    """Tell all about a network of the catalogue: what `costs` tells, and how its layers hang together.

    Args:
        input_shape: Height, width, channels.

    Returns:
        As `costs`; each of `layers` has its `settings`, and `edges` are `[from, to]` by positions of layers.
    """
    if architecture not in ARCHITECTURES:  # pages look at no files of this machine
        raise UnknownNameError("architecture", architecture, ARCHITECTURES)
    height, width, channels = input_shape

    from cnnlab.analysis.costs import costs as count_costs
    from cnnlab.analysis.networks import load_network, without_weights
    from cnnlab.inspector.structure import edges_of

    with forgotten(), quick_signatures(), quick_tracking(), without_weights():
        sample = load_network(architecture, parameters, (height, width, channels), num_classes)
        counted = count_costs(sample.network)
        return Answer({**_with_settings(_document(counted), counted), "edges": edges_of(counted)})


def inspect_file(
    store_root: Path,
    *,
    file: str,
    title: str,
    sha256: str,  # noqa: ARG001 what the answer is kept under
    side_px: int,
) -> Answer:
    """Tell what the network of an uploaded `.keras` file costs.

    Args:
        file: Its name among the uploads of `cnnlab.inspector.uploads`.
        title: What sentences call it.
        side_px: Height and width of the images where the network leaves them open.

    Returns:
        As `costs`, each of `layers` with its `settings`; and `input_shape`.
    """
    path = uploaded_path(store_root, file)
    check_archive(path, title)

    from cnnlab.analysis.costs import costs as count_costs
    from cnnlab.analysis.saved_network import open_saved, shape_at

    with forgotten():
        network = open_saved(path, title)
        shape = shape_at(network, side_px)
        counted = count_costs(network, shape)
        return Answer({**_with_settings(_document(counted), counted), "input_shape": list(shape)})


@contextlib.contextmanager
def forgotten() -> Iterator[None]:
    """Let Keras forget at the end what was built; the process collects its garbage when it has time.

    Not in between: to look through the layers of a deep network again and again is a fifth of building it.
    """
    import keras

    was_collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        keras.backend.clear_session(free_memory=False)
        if was_collecting:
            gc.enable()


def _document(counted: "Costs") -> dict[str, Any]:
    from cnnlab.analysis.document import document_of
    from cnnlab.analysis.memory import training_memory

    return {**document_of(counted), "training_memory": training_memory(counted).as_document()}


def _with_settings(document: dict[str, Any], counted: "Costs") -> dict[str, Any]:
    from cnnlab.inspector.structure import settings_of

    layers = zip(document["layers"], settings_of(counted), strict=True)
    return {**document, "layers": [{**layer, "settings": settings} for layer, settings in layers]}


def is_fixed(dataset: str, version: str | None) -> bool:
    """Return whether a data set will always be the same one."""
    # "The newest" version of an imported set may be another one tomorrow.
    return dataset in DATASETS or version is not None


def made_info(store_root: Path, config: RunConfig) -> DatasetInfo:
    """Return what a network must know of its data; a set of the catalogue need not be built for that."""
    name = config.data.dataset
    if name not in DATASETS:
        return find_dataset(store_root, name, config.data.version)
    entry = DATASETS[name]
    channels = entry.image_shape[2]
    return DatasetInfo(
        name=name,
        version="",
        title=entry.title,
        source=entry.source,
        image_shape=entry.image_shape,
        outputs={output: tuple(classes) for output, classes in entry.outputs.items()},
        counts={},
        channel_mean=(0.0,) * channels,
        channel_std=(1.0,) * channels,
        created_at="",
        skipped=(),
        parameters=config.data.parameters,
        path=store_root,
    )
