"""Put a finished data set into the store: its version, its samples, its place."""

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from cnnlab.datasets.channels import ChannelStatistics
from cnnlab.datasets.splits import SPLITS, check_classes
from cnnlab.datasets.storage import FORMAT, DatasetInfo, read_info
from cnnlab.datasets.workplace import publish, workplace
from cnnlab.errors import DatasetError
from cnnlab.files import write_json


@dataclass(frozen=True)
class Content:
    """What a builder makes: labels and ids of all images, and the images in batches.

    Rows come in the order train, val, test.

    Attributes:
        images: uint8 batches that add up to `len(sample_ids)` images.
        splits: The split's name of each row.
        labels: int32 class numbers per output.
    """

    image_shape: tuple[int, int, int]
    outputs: Mapping[str, tuple[str, ...]]
    images: Iterable[np.ndarray]
    splits: np.ndarray
    labels: Mapping[str, np.ndarray]
    sample_ids: list[str]
    notes: tuple[str, ...] = ()


def write_dataset(store_root: Path, name: str, content: Content, values: Mapping[str, Any]) -> DatasetInfo:
    """Write `content` as data set `name`; `values` are its title, source and parameters."""
    num, shape = len(content.sample_ids), content.image_shape
    for output, classes in content.outputs.items():
        check_classes(content.splits, content.labels[output], classes)
    with workplace(store_root, name, need_bytes=num * int(np.prod(shape))) as folder:
        statistics = ChannelStatistics(shape[-1])
        hashes: list[str] = []
        num_train = int(np.sum(content.splits == "train"))
        pixels = create_pixels(folder / "pixels.npy", (num, *shape))
        for batch in content.images:
            row = len(hashes)
            pixels[row : row + len(batch)] = batch
            statistics.add(batch[: max(0, num_train - row)])
            hashes += [hashlib.sha256(image.tobytes()).hexdigest() for image in batch]
        del pixels
        columns = sample_columns(content.sample_ids, content.splits, content.labels)
        columns["width"] = np.full(num, shape[1], np.int32)
        columns["height"] = np.full(num, shape[0], np.int32)
        columns["sha256"] = hashes
        columns["source_name"] = content.sample_ids
        record = {"name": name, "image_shape": shape, "outputs": content.outputs, "notes": content.notes, **values}
        return finish_dataset(store_root, folder, record, columns, statistics)


def create_pixels(path: Path, shape: tuple[int, ...]) -> np.memmap:
    """Create `pixels.npy` at its full size, mapped for writing."""
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)


def sample_columns(sample_ids: list[str], splits: np.ndarray, labels: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return the first columns of `samples.parquet`."""
    return {
        "sample_id": sample_ids,
        "split": splits.tolist(),
        **{output: values.astype(np.int32) for output, values in labels.items()},
    }


def finish_dataset(
    store_root: Path, folder: Path, record: Mapping[str, Any], columns: Mapping[str, Any], statistics: ChannelStatistics
) -> DatasetInfo:
    """Write what describes the pixels in `folder`, then move it to its place.

    The same contents again are the same version: the files that are there stay, and only
    `dataset.json` is renewed, so that it is the newest.
    """
    from cnnlab.datasets.samples import write_samples  # a large import has loaded it while others decoded

    def write() -> None:
        write_samples(folder / "samples.parquet", columns)
        sync(folder / "samples.parquet")

    with meanwhile(lambda: sync(folder / "pixels.npy")), meanwhile(write):
        version = _version(record, columns)
    splits = columns["split"]
    full = {
        "format": FORMAT,
        "version": version,
        "skipped": [],
        **record,
        "counts": {split: splits.count(split) for split in SPLITS},
        "channel_mean": statistics.mean(),
        "channel_std": statistics.std(),
        "created_at": datetime.now(UTC).isoformat(timespec="microseconds"),
    }
    write_json(folder / "dataset.json", full)
    target = store_root / "datasets" / str(record["name"]) / version
    if not publish(folder, target):
        write_json(target / "dataset.json", full)
    info = read_info(target)
    if info is None:
        raise DatasetError(f"Data set {record['name']!r} was deleted while it was written. Import or open it again.")
    return info


def _version(record: Mapping[str, Any], columns: Mapping[str, Any]) -> str:
    """Return 12 digits of the hash of classes, shape, and each image's id, split, labels and content."""
    digest = hashlib.sha256(f"{FORMAT} {tuple(record['image_shape'])} {record.get('resized_by', '')}".encode())
    for output, classes in record["outputs"].items():
        digest.update("\0".join(["", output, *classes]).encode())
        digest.update(columns[output].astype("<i4").tobytes())
    for name in ("sample_id", "split", "sha256"):
        digest.update("\0".join(["", name, *columns[name]]).encode())
    return digest.hexdigest()[:12]


@contextlib.contextmanager
def meanwhile(work: Callable[[], None]) -> Iterator[None]:
    """Do `work` in a thread while something else is done; what it raises is raised at the end."""
    errors: list[Exception] = []

    def run() -> None:
        try:
            work()
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    if errors:
        raise errors[0]


@contextlib.contextmanager
def synced_meanwhile(path: Path, pause_s: float) -> Iterator[None]:
    """Bring a file to the disk over and over while it is written, so that little is left to do at the end."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(pause_s):
            sync(path)

    with meanwhile(work):
        try:
            yield
        finally:
            ended.set()


def sync(path: Path) -> None:
    """Wait until a file is on the disk."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())
