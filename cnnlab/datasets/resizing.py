"""Images at the size a network wants, resized once and kept beside the data set."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnlab.datasets.storage import Dataset


def images_at(dataset: Dataset, split: str, size: int) -> NDArray[np.uint8]:
    """Return the images of `split` as `(n, size, size, channels)`, memory-mapped.

    Of the size asked for, they are the data set's own pixels; else a copy is made once,
    beside them, and opened from then on.
    """
    images = dataset.images(split)
    if images.shape[1:3] == (size, size):
        return images
    path = dataset.info.path / "resized" / f"{size}px-{split}.npy"
    if not path.exists():
        _write_resized(images, size, path)
    return np.load(path, mmap_mode="r")


def resize(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Stretch one `(height, width, channels)` image to `(size, size, channels)`.

    Bilinear, with the support widened when shrinking so that nothing aliases.
    """
    channels = image.shape[2]
    picture = Image.fromarray(image[:, :, 0] if channels == 1 else image)
    resized = np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR))
    return resized.reshape(size, size, channels)


def _write_resized(images: NDArray[np.uint8], size: int, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        shape = (len(images), size, size, images.shape[3])
        target = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
        for index, image in enumerate(images):
            target[index] = resize(np.asarray(image), size)
        target.flush()
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
