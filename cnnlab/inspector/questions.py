"""What the inspector can be asked. Runs in its process; Keras is imported when first needed."""

import base64
import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnnlab.architectures.catalogue import ARCHITECTURES
from cnnlab.architectures.own_files import refuse_own_file
from cnnlab.augmentation.language import parse
from cnnlab.config import DataConfig, RunConfig, config_from_dict
from cnnlab.datasets.catalogue import DATASETS
from cnnlab.datasets.storage import Dataset, DatasetInfo, find_dataset, open_dataset
from cnnlab.errors import ConfigError, DatasetError, UnknownNameError
from cnnlab.parameters import check

MOST_PREVIEWS = 64
# Small pictures are enlarged here, pixel by pixel: a browser would blur them.
PREVIEW_PX = 96


@dataclass(frozen=True)
class Answer:
    """A JSON value, and whether the same question will always have it."""

    value: Any
    keep: bool = True


def get_kind(kind: str) -> Callable[..., Answer]:
    """Return the function that answers questions of a kind."""
    if kind not in KINDS:
        raise UnknownNameError("question", kind, KINDS)
    return KINDS[kind]


def ping(store_root: Path) -> Answer:
    """Tell that somebody is there."""
    return Answer({"pid": os.getpid(), "store": str(store_root), "has_keras": "keras" in sys.modules}, keep=False)


def warm(store_root: Path) -> Answer:
    """Load what the other questions need."""
    import cnnlab.analysis.costs
    import cnnlab.augmentation.ops
    import cnnlab.training.models  # noqa: F401

    return ping(store_root)


def preview(
    store_root: Path,
    *,
    dataset: str,
    augmentation: str,
    version: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    image_size: int | None = None,
    count: int = 8,
    seed: int = 0,
) -> Answer:
    """Show training images before and after augmentation.

    Args:
        count: How many images; drawn by `seed`, as is what happens to them.
        image_size: Height and width that the network will see; the set's own when left out.

    Returns:
        A list of `{"label", "before_png_b64", "after_png_b64"}`.
    """
    if not 1 <= count <= MOST_PREVIEWS:
        raise ConfigError(f"count={count} is out of range. Expected an integer in [1, {MOST_PREVIEWS}].")
    pipe = parse(augmentation)
    asked = {"dataset": dataset, "version": version, "image_size": image_size, "parameters": parameters or {}}
    data = check(DataConfig, asked, "a preview")
    opened = _open(store_root, data)
    rows = _drawn_rows(opened, count, seed)
    before = _at_size(opened.images("train")[rows], image_size)
    pipe.check_image_size(min(before.shape[1:3]))
    after = before
    if pipe.steps:
        from cnnlab.augmentation.ops import augment_numpy

        after = augment_numpy(pipe, before, seed)
    value = [
        {"label": label, "before_png_b64": _png(old), "after_png_b64": _png(new)}
        for label, old, new in zip(_label_texts(opened, rows), before, after, strict=True)
    ]
    return Answer(value, keep=_is_fixed(dataset, version))


def costs(store_root: Path, *, config: Mapping[str, Any]) -> Answer:
    """Count what the network of a config would cost, without its data being there.

    Returns:
        What `cnnlab.analysis.document.document_of` tells: totals, `not_counted`, receptive field and
        `layers`; and `training_memory`, whose parts `cnnlab.analysis.training_memory` adds up for a
        batch size and optimizer.
    """
    run_config = config_from_dict(config)
    refuse_own_file(run_config)
    info = _info(store_root, run_config)

    import keras

    from cnnlab.analysis.costs import costs as count_costs
    from cnnlab.analysis.document import document_of
    from cnnlab.analysis.memory import training_memory
    from cnnlab.training.models import build_network

    try:
        # No weight is made: a network of any size is counted at once, and needs no memory.
        with keras.StatelessScope(initialize_variables=False):
            counted = count_costs(build_network(run_config, info))
            value = {**document_of(counted), "training_memory": training_memory(counted).as_document()}
    finally:
        keras.backend.clear_session()
    return Answer(value, keep=_is_fixed(run_config.data.dataset, run_config.data.version))


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

    import keras

    from cnnlab.analysis.costs import costs as count_costs
    from cnnlab.analysis.document import document_of
    from cnnlab.analysis.memory import training_memory
    from cnnlab.analysis.networks import load_network, without_weights
    from cnnlab.inspector.structure import edges_of, settings_of

    try:
        with without_weights():
            sample = load_network(architecture, parameters, (height, width, channels), num_classes)
            counted = count_costs(sample.network)
            document = document_of(counted)
            for layer, settings in zip(document["layers"], settings_of(counted), strict=True):
                layer["settings"] = settings
            memory = training_memory(counted).as_document()
            return Answer({**document, "training_memory": memory, "edges": edges_of(counted)})
    finally:
        keras.backend.clear_session()


def filters(store_root: Path, *, run_id: str, layer: str | None = None) -> Answer:
    """Return the convolutions of a trained run and the weights of one: see `trained_filters`."""
    from cnnlab.inspector.filters import trained_filters

    return Answer(trained_filters(store_root, run_id, layer))


KINDS: dict[str, Callable[..., Answer]] = {
    "ping": ping,
    "warm": warm,
    "preview": preview,
    "costs": costs,
    "inspect": inspect,
    "filters": filters,
}


def _is_fixed(dataset: str, version: str | None) -> bool:
    # "The newest" version of an imported set may be another one tomorrow.
    return dataset in DATASETS or version is not None


def _open(store_root: Path, data: DataConfig) -> Dataset:
    entry = DATASETS.get(data.dataset)
    if entry is not None and entry.needs_network:
        find_dataset(store_root, data.dataset, data.version)  # a preview does not start a download
    return open_dataset(store_root, data.dataset, version=data.version, parameters=data.parameters)


def _info(store_root: Path, config: RunConfig) -> DatasetInfo:
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


def _drawn_rows(opened: Dataset, count: int, seed: int) -> list[int]:
    """Draw rows of the train split, sorted: a memory map is read in order."""
    available = opened.info.counts["train"]
    if not available:
        raise DatasetError(
            f"Split 'train' of data set {opened.info.name!r} has no images. Import it again with some in it."
        )
    drawn = np.random.default_rng(seed).choice(available, size=min(count, available), replace=False)
    return sorted(int(row) for row in drawn)


def _at_size(images: np.ndarray, size: int | None) -> np.ndarray:
    if size is None or images.shape[1:3] == (size, size):
        return np.asarray(images)
    from cnnlab.datasets.resizing import resize

    return np.stack([resize(np.asarray(image), size) for image in images])


def _label_texts(opened: Dataset, rows: list[int]) -> list[str]:
    """Return the class of each image, of every output: 'circle, red'."""
    labels = opened.labels("train")
    outputs = opened.info.outputs
    return [", ".join(outputs[name][labels[name][row]] for name in outputs) for row in rows]


def _png(image: np.ndarray) -> str:
    from PIL import Image

    picture = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
    factor = max(1, -(-PREVIEW_PX // min(picture.size)))
    picture = picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    picture.save(buffer, "png")
    return base64.b64encode(buffer.getvalue()).decode()
