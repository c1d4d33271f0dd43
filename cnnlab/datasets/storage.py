"""Data sets on disk: decoded once, memory-mapped for training, open to any parquet reader.

`<store>/datasets/<name>/<version>/` holds `dataset.json` (what it is), `samples.parquet` (one row
per image) and `pixels.npy` (uint8, rows in the order of `samples.parquet`: train, val, test, so
that each split is one slice). A version is a hash of the contents and of the splits.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnlab.datasets.catalogue import DATASETS
from cnnlab.datasets.reading import Skipped
from cnnlab.datasets.workplace import discard
from cnnlab.errors import DatasetError, UnknownNameError
from cnnlab.files import read_json

if TYPE_CHECKING:
    import polars
    import pyarrow

FORMAT = 1
Progress = Callable[[str, int, int], None]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_VERSION = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a stored data set without opening its images.

    Attributes:
        image_shape: Height, width, channels.
        outputs: Class names per output; the first output is the main one.
        counts: Images per split.
        channel_mean: Of the train split, on the scale 0 to 255; `channel_std` likewise.
        notes: What the importer chose or found, in sentences.
        path: The folder.
    """

    name: str
    version: str
    title: str
    source: str
    image_shape: tuple[int, int, int]
    outputs: dict[str, tuple[str, ...]]
    counts: dict[str, int]
    channel_mean: tuple[float, ...]
    channel_std: tuple[float, ...]
    created_at: str
    skipped: tuple[Skipped, ...]
    parameters: dict[str, Any]
    path: Path
    notes: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def num_images(self) -> int:
        return sum(self.counts.values())

    @property
    def main_output(self) -> str:
        return next(iter(self.outputs))


class Dataset:
    """A stored data set, opened: images stay on disk and are mapped into memory."""

    def __init__(self, info: DatasetInfo):
        self.info = info
        self._pixels: np.ndarray | None = None
        self._samples: polars.DataFrame | None = None
        self._table: pyarrow.Table | None = None

    def images(self, split: str) -> np.ndarray:
        """Return `(n, height, width, channels)` uint8, read-only and memory-mapped."""
        rows = self._rows(split)
        if self._pixels is None:
            self._pixels = _open_pixels(self.info)
        return self._pixels[rows]

    def labels(self, split: str) -> dict[str, np.ndarray]:
        """Return the int32 class numbers of each output."""
        rows = self._rows(split)
        table = self._columns()
        # By DLPack: pyarrow's own `to_numpy` brings pandas, 0.2 s.
        whole = {output: np.from_dlpack(table[output].combine_chunks()) for output in self.info.outputs}
        return {output: labels[rows].astype(np.int32) for output, labels in whole.items()}

    def sample_ids(self, split: str) -> list[str]:
        """Return the ids in the order of `images(split)`; they stay the same over versions."""
        rows = self._rows(split)
        ids: list[str] = self._columns()["sample_id"].slice(rows.start, rows.stop - rows.start).to_pylist()
        return ids

    def _columns(self) -> "pyarrow.Table":
        """Return the columns that a training needs, without polars (0.15 s) and `read_table`, which brings pandas."""
        if self._table is None:
            import pyarrow
            import pyarrow.parquet

            try:
                with pyarrow.parquet.ParquetFile(self.info.path / "samples.parquet") as file:
                    self._table = file.read(columns=["sample_id", *self.info.outputs])
            except (OSError, pyarrow.ArrowException):
                raise _damaged(self.info) from None
            if set(self._table.column_names) != {"sample_id", *self.info.outputs}:
                raise _damaged(self.info)
        return self._table

    def samples(self) -> "polars.DataFrame":
        """Return one row per image, as stored in `samples.parquet`."""
        if self._samples is None:
            import polars  # a page that only lists data sets does not pay for it

            try:
                self._samples = polars.read_parquet(self.info.path / "samples.parquet")
            except (OSError, polars.exceptions.PolarsError):
                raise _damaged(self.info) from None
        return self._samples

    def _rows(self, split: str) -> slice:
        if split not in self.info.counts:
            raise UnknownNameError("split", split, self.info.counts)
        start = 0
        for name, count in self.info.counts.items():
            if name == split:
                break
            start += count
        return slice(start, start + self.info.counts[split])


def check_name(name: str) -> None:
    """Refuse a name that is no plain folder name on every system; raises `DatasetError`."""
    if not _NAME.fullmatch(name):
        raise DatasetError(
            f"{name!r} cannot name a data set. Expected 1 to 64 letters (A to Z), digits, '-' and '_', "
            "beginning with a letter or digit. Choose such a name, for instance 'my-images'."
        )
    reserved = {"con", "prn", "aux", "nul", *(f"{port}{digit}" for port in ("com", "lpt") for digit in range(1, 10))}
    if name.casefold() in reserved:
        raise DatasetError(
            f"{name!r} is a name that Windows keeps for itself. Choose another one, for instance 'my-images'."
        )


def open_dataset(
    store_root: Path,
    name: str,
    *,
    version: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Open a data set, building one of the catalogue into the store the first time.

    Args:
        version: Of an imported set; the newest when left out.
        parameters: Of a generated set, such as `count` of `shapes`.

    Raises:
        UnknownNameError: neither in the catalogue nor imported.
        DownloadError: the network is needed and failed.
        DatasetError: the version is not there, or its files are damaged.
    """
    if name not in DATASETS:
        return Dataset(find_dataset(store_root, name, version))
    checked = DATASETS[name].check(parameters or {}).model_dump()
    for info in _versions(store_root, name):
        if version == info.version or (version is None and info.parameters == checked):
            return Dataset(info)
    from cnnlab.datasets.build import build_dataset  # the builders import this module

    info = build_dataset(store_root, name, checked, progress)
    if version not in (None, info.version):
        raise _no_version(store_root, name, str(version))
    return Dataset(info)


def find_dataset(store_root: Path, name: str, version: str | None = None) -> DatasetInfo:
    """Return what is known of a stored data set; raises as `open_dataset`, and builds nothing."""
    found = _versions(store_root, name)
    if not found:
        if name in DATASETS:
            raise DatasetError(f"Data set {name!r} is not built yet. Open it once, or train on it, and it will be.")
        raise UnknownNameError("data set", name, {*DATASETS, *(info.name for info in list_datasets(store_root))})
    if version is None:
        return found[0]
    for info in found:
        if info.version == version:
            return info
    raise _no_version(store_root, name, version)


def list_datasets(store_root: Path) -> list[DatasetInfo]:
    """Return every stored version, by name and then the newest first."""
    root = store_root / "datasets"
    names = sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    return [info for name in names for info in _versions(store_root, name)]


def delete_dataset(store_root: Path, name: str, version: str | None = None) -> list[DatasetInfo]:
    """Delete one version, or all of them; return what was deleted. It cannot be undone.

    Raises:
        UnknownNameError: there is no such set in the store.
        DatasetError: there is no such version.
    """
    found = [find_dataset(store_root, name, version)] if version else _versions(store_root, name)
    if not found:
        raise UnknownNameError("stored data set", name, {info.name for info in list_datasets(store_root)})
    for info in found:
        discard(store_root, info.path)
    return found


def read_info(folder: Path) -> DatasetInfo | None:
    """Return what `dataset.json` says, None where there is none of this format."""
    values = read_json(folder / "dataset.json")
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        return None
    known = {item.name for item in fields(DatasetInfo)}
    values = {name: value for name, value in values.items() if name in known}
    try:
        return DatasetInfo(**_typed(values), path=folder)
    except (KeyError, TypeError):
        return None


def _typed(values: dict[str, Any]) -> dict[str, Any]:
    return values | {
        "image_shape": tuple(values["image_shape"]),
        "outputs": {output: tuple(classes) for output, classes in values["outputs"].items()},
        "channel_mean": tuple(values["channel_mean"]),
        "channel_std": tuple(values["channel_std"]),
        "skipped": tuple(Skipped(**item) for item in values.get("skipped", ())),
        "notes": tuple(values.get("notes", ())),
    }


def _versions(store_root: Path, name: str) -> list[DatasetInfo]:
    # A name that cannot be a folder's is nobody's: '../x' never reaches the disk.
    folder = store_root / "datasets" / name
    if not _NAME.fullmatch(name) or not folder.is_dir():
        return []
    found = [read_info(path) for path in folder.iterdir() if _VERSION.fullmatch(path.name)]
    return sorted((info for info in found if info), key=lambda info: info.created_at, reverse=True)


def _open_pixels(info: DatasetInfo) -> np.ndarray:
    try:
        pixels = np.load(info.path / "pixels.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        raise _damaged(info) from None
    if pixels.shape != (info.num_images, *info.image_shape):
        raise _damaged(info)
    return pixels


def _damaged(info: DatasetInfo) -> DatasetError:
    return DatasetError(
        f"The files of data set {info.name!r}, version {info.version}, are damaged or gone. "
        "Delete that version, then import or open the set again."
    )


def _no_version(store_root: Path, name: str, version: str) -> DatasetError:
    known = ", ".join(info.version for info in _versions(store_root, name)) or "none"
    return DatasetError(
        f"Data set {name!r} has no version {version!r} here. Stored: {known}. "
        "Choose one of these, or leave the version out for the newest."
    )
