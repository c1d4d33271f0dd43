"""What the inspector can be asked. Runs in its process; Keras is imported when first needed."""

import base64
import io
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cnnlab.augmentation.language import parse
from cnnlab.config import DataConfig
from cnnlab.datasets.catalogue import DATASETS
from cnnlab.datasets.storage import Dataset, find_dataset, open_dataset
from cnnlab.errors import ConfigError, DatasetError, UnknownNameError
from cnnlab.inspector.answers import Answer
from cnnlab.inspector.attribution_questions import attribution_maps
from cnnlab.inspector.network_questions import costs, inspect, inspect_file, is_fixed
from cnnlab.inspector.transfer_questions import freeze_map
from cnnlab.parameters import check

MOST_PREVIEWS = 64
# Small pictures are enlarged here, pixel by pixel: a browser would blur them.
PREVIEW_PX = 96


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
    # A small network, so that what Keras loads when first asked is there too.
    inspect(store_root, architecture="lenet5", parameters={}, input_shape=(32, 32, 1), num_classes=10)
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
    return Answer(value, keep=is_fixed(dataset, version))


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
    "inspect_file": inspect_file,
    "filters": filters,
    "attribution": attribution_maps,
    "freeze_map": freeze_map,
}


def _open(store_root: Path, data: DataConfig) -> Dataset:
    entry = DATASETS.get(data.dataset)
    if entry is not None and entry.needs_network:
        find_dataset(store_root, data.dataset, data.version)  # a preview does not start a download
    return open_dataset(store_root, data.dataset, version=data.version, parameters=data.parameters)


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
