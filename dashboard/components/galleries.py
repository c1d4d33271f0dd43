"""Images of a data set as small pictures, straight from the memory map."""

import io

import numpy as np
from PIL import Image

from cnnlab.datasets.storage import Dataset

SHOWN_PX = 96


def class_positions(dataset: Dataset, split: str, output: str, label: int, count: int, page: int = 0) -> list[int]:
    """Return positions in `split` of `count` images with `label`, the page-th handful of them."""
    found = np.flatnonzero(dataset.labels(split)[output] == label)
    return [int(position) for position in found[page * count : (page + 1) * count]]


def pictures(dataset: Dataset, split: str, positions: list[int]) -> list[bytes]:
    """Return PNG bytes of the images at `positions`; small ones are enlarged without smoothing."""
    images = dataset.images(split)
    return [png(np.asarray(images[position])) for position in positions]


def png(pixels: np.ndarray) -> bytes:
    """Return `(height, width, channels)` uint8 as PNG, at least `SHOWN_PX` wide where whole factors allow."""
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    factor = max(1, -(-SHOWN_PX // max(image.size)))
    if factor > 1:
        image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    kept = io.BytesIO()
    image.save(kept, format="PNG")
    return kept.getvalue()


def num_images(dataset: Dataset, split: str, output: str, label: int) -> int:
    """Return how many images of `split` have that label."""
    return int(np.count_nonzero(dataset.labels(split)[output] == label))


def names(dataset: Dataset, split: str, positions: list[int]) -> list[str]:
    """Return the sample ids at `positions`, without the folders that say only split and class."""
    ids = dataset.sample_ids(split)
    return [ids[position].rpartition("/")[2] for position in positions]


def side_by_side(images: list[bytes], gap_px: int = 6) -> bytes:
    """Return one PNG of all images in a row: one picture for the browser to fetch instead of many."""
    opened = [Image.open(io.BytesIO(image)) for image in images]
    width = sum(image.width for image in opened) + gap_px * (len(opened) - 1)
    row = Image.new("RGBA", (max(1, width), max((image.height for image in opened), default=1)))
    left = 0
    for image in opened:
        row.paste(image.convert("RGBA"), (left, 0))
        left += image.width + gap_px
    kept = io.BytesIO()
    row.save(kept, format="PNG")
    return kept.getvalue()
