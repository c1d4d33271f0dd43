"""The steps of an import: list, arrange, look at a few headers, decode, describe.

The images are decoded straight to their rows of the final array, by a process per core. What is
guessed from a few headers (one common size, colour or grey) is checked on every image; where it is
wrong, every header is read and the images are decoded again.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cnnlab.datasets.archive import Listing
from cnnlab.datasets.arrange import Arrangement, arrange
from cnnlab.datasets.catalogue import DATASETS
from cnnlab.datasets.channels import ChannelStatistics
from cnnlab.datasets.columns import split_columns
from cnnlab.datasets.decoding import Target, list_files
from cnnlab.datasets.passes import DecodedRows, Passes
from cnnlab.datasets.pool import BYTES_WORTH_PROCESSES, Pool
from cnnlab.datasets.reading import Skipped
from cnnlab.datasets.shape_choice import ImportOptions, ShapeChoice, choose_shape
from cnnlab.datasets.splits import SPLITS, check_classes, stratified_split
from cnnlab.datasets.storage import DatasetInfo, Progress, check_name
from cnnlab.datasets.workplace import check_free_space, workplace
from cnnlab.datasets.writing import create_pixels, finish_dataset, sample_columns, synced_meanwhile
from cnnlab.errors import DatasetError, ImportRefusedError

# A process takes 0.1 s to start: as long as decoding this many small images.
FILES_WORTH_PROCESSES = 2000
PROBED_FILES = 48
# The disk takes in what is decoded all along, so that little is left to wait for at the end.
SYNC_PAUSE_S = 0.2
REMARKS = {
    "animated": "animated or of several pages; the first picture is used",
    "rotated": "turned upright, as their EXIF block says",
    "transparent": "transparent; they are laid on white",
}


def run_import(
    source: Path,
    store_root: Path,
    name: str,
    options: ImportOptions,
    progress: Progress,
    pool: Pool,
    listed: Callable[[], Any] | None = None,
) -> DatasetInfo:
    """Take all steps of an import; `cnnlab.datasets.importing.import_images` says the rest.

    Args:
        listed: Gives what `cnnlab.datasets.decoding.list_files` found, where that is under way.
    """
    check_import_name(name)
    progress("listing", 0, 1)
    listing = listed() if listed else list_files(source)
    if isinstance(listing, ImportRefusedError):
        raise listing
    files = arrange(source.name, listing.names)
    progress("listing", 1, 1)
    if len(files.rows) > FILES_WORTH_PROCESSES or listing.places[:, 2].sum() > BYTES_WORTH_PROCESSES:
        pool.start()
    return _Import(name, options, listing, files, Passes(listing, pool, progress), progress).run(store_root)


def check_import_name(name: str) -> None:
    """Refuse a name that no data set can have, or that the catalogue has; raises `DatasetError`."""
    check_name(name)
    if name.casefold() in DATASETS:
        raise DatasetError(
            f"{name!r} is the name of a data set of the catalogue. An import needs a name of its own. "
            f"Choose another one, for instance 'my-{name}'."
        )


class _Import:
    """The steps of one import; `row` is a row of the stored set, `file` a position in `files`."""

    def __init__(
        self,
        name: str,
        options: ImportOptions,
        listing: Listing,
        files: Arrangement,
        passes: Passes,
        progress: Callable[[str, int, int], None],
    ):
        self.name, self.options, self.progress = name, options, progress
        self.listing, self.files, self.passes = listing, files, passes
        self.columns = split_columns(files.class_names, options.split_names, options.outputs)

    def run(self, store_root: Path) -> DatasetInfo:
        num = len(self.files.rows)
        splits = self._splits(np.arange(num))
        order = _by_split(splits)  # row -> file
        choice = self._probe()
        with workplace(store_root, self.name, need_bytes=num * int(np.prod(choice.shape))) as folder:
            decoded = self._decode(folder, choice, order, splits)
            if decoded is None:  # an image is not as the few that were looked at
                choice = choose_shape(self.passes.measure(self.files.rows), self.options, is_sample=False)
                check_free_space(folder, num * int(np.prod(choice.shape)), self.name)
                decoded = self._decode(folder, choice, order, splits)
            if decoded is None:
                raise DatasetError(f"{self.listing.source.name!r} changed while it was read. Import it again.")
            self.progress("writing", 0, 1)
            rows, failed = np.arange(num), [(order[row], reason) for row, reason in decoded.failures]
            if failed:
                check_free_space(folder, num * int(np.prod(choice.shape)), self.name)
                order, splits, rows = self._leave_out(order, decoded)
                _move_rows(folder, rows, int(np.sum(splits == "train")), decoded.statistics)
            columns = sample_columns(
                [self.files.sample_ids[file] for file in order],
                splits[order],
                {output: numbers[self.files.labels[order]] for output, numbers in self.columns.numbers.items()},
            )
            columns["width"], columns["height"] = decoded.sizes[rows].T.copy()
            columns["sha256"] = [decoded.hashes[row] for row in rows]
            columns["source_name"] = [self.listing.names[row] for row in self.files.rows[order]]
            record = self._record(choice, decoded, columns, failed)
            info = finish_dataset(store_root, folder, record, columns, decoded.statistics)
        self.progress("writing", 1, 1)
        return info

    def _splits(self, taken: np.ndarray) -> np.ndarray:
        """Return the split of every file; those not `taken` have none, and count for nothing."""
        given, labels = self.files.splits[taken], self.files.labels[taken]
        splits = np.array([*SPLITS, ""])[given]
        pool = (splits == "train") | (splits == "")
        fractions = {"val": self.options.val_fraction, "test": self.options.test_fraction}
        wanted = {split: fraction for split, fraction in fractions.items() if split not in splits}
        splits[pool] = stratified_split(labels[pool], wanted, self.options.seed)
        for output, classes in self.columns.outputs.items():
            check_classes(splits, self.columns.numbers[output][labels], classes)
        everything = np.full(len(self.files.rows), "", dtype=splits.dtype)
        everything[taken] = splits
        return everything

    def _probe(self) -> ShapeChoice:
        num = len(self.files.rows)
        probed = np.unique(np.linspace(0, num - 1, PROBED_FILES).astype(np.int64))
        sizes = self.passes.measure(self.files.rows[probed])
        return choose_shape(sizes, self.options, is_sample=len(probed) < num)

    def _decode(self, folder: Path, choice: ShapeChoice, order: np.ndarray, splits: np.ndarray) -> DecodedRows | None:
        pixels = create_pixels(folder / "pixels.npy", (len(order), *choice.shape))
        offset = int(pixels.offset)
        del pixels  # the decoders write to the file
        target = Target(str(folder / "pixels.npy"), offset, choice.shape, choice.how, choice.is_grey_guessed)
        with synced_meanwhile(folder / "pixels.npy", SYNC_PAUSE_S):
            return self.passes.decode(self.files.rows[order], target, int(np.sum(splits == "train")))

    def _leave_out(self, order: np.ndarray, decoded: DecodedRows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Split again without the unreadable files; return the new order, splits, and the old row of each new one."""
        row_of = np.empty(len(order), np.int64)
        row_of[order] = np.arange(len(order))
        failed = order[[row for row, _ in decoded.failures]]
        good = np.setdiff1d(np.arange(len(order)), failed)
        if not len(good):
            row, reason = decoded.failures[0]
            raise DatasetError(
                f"None of the {len(order)} images of {self.listing.source.name!r} can be read: "
                f"{self.files.sample_ids[order[row]]!r} {reason}. Check the files, or make the zip again."
            )
        splits = self._splits(good)
        new_order = good[_by_split(splits[good])]
        return new_order, splits, row_of[new_order]

    def _record(
        self,
        choice: ShapeChoice,
        decoded: DecodedRows,
        columns: dict[str, Any],
        failed: list[tuple[int, str]],
    ) -> dict[str, Any]:
        height, width, _ = choice.shape
        is_resized = bool((columns["width"] != width).any() or (columns["height"] != height).any())
        skipped = [Skipped(self.listing.names[self.files.rows[file]], reason) for file, reason in failed]
        skipped += [*self.listing.skipped, *self.files.skipped]
        facts = {"ignored_files": self.listing.ignored, **_duplicates(columns["sha256"], columns["split"])}
        return {
            "name": self.name,
            "title": self.name,
            "source": self.listing.source.name,
            "image_shape": choice.shape,
            "outputs": dict(self.columns.outputs),
            "parameters": self.options.model_dump(),
            "resized_by": choice.how if is_resized else "",
            "skipped": [vars(item) for item in sorted(skipped, key=lambda item: item.file)],
            "facts": facts,
            "notes": [choice.note, *_notes(decoded, facts)],
        }


def _by_split(splits: np.ndarray) -> np.ndarray:
    """Return positions in the order train, val, test; what has no split is left out."""
    return np.concatenate([np.flatnonzero(splits == split) for split in SPLITS])


def _move_rows(folder: Path, rows: np.ndarray, num_train: int, statistics: ChannelStatistics) -> None:
    """Write `pixels.npy` anew with the given old rows, and count its train part again."""
    old = np.load(folder / "pixels.npy", mmap_mode="r")
    new = create_pixels(folder / "moved.npy", (len(rows), *old.shape[1:]))
    statistics.clear()
    for start in range(0, len(rows), 256):
        part = old[rows[start : start + 256]]
        new[start : start + len(part)] = part
        statistics.add(part[: max(0, num_train - start)])
    del old, new
    (folder / "moved.npy").replace(folder / "pixels.npy")


def _duplicates(hashes: list[str], splits: list[str]) -> dict[str, int]:
    """Count images whose file is, byte for byte, that of another one before, and of another split."""
    if len(set(hashes)) == len(hashes):
        return {"duplicates": 0, "duplicates_across_splits": 0}
    first: dict[str, str] = {}
    copies = across = 0
    for digest, split in zip(hashes, splits, strict=True):
        known = first.setdefault(digest, split)
        across += known != split
        copies += 1
    return {"duplicates": copies - len(first), "duplicates_across_splits": across}


def _notes(decoded: DecodedRows, facts: dict[str, int]) -> list[str]:
    notes = [f"{count:,} images were {REMARKS[remark]}." for remark, count in sorted(decoded.remarks.items())]
    if facts["duplicates"]:
        across = facts["duplicates_across_splits"]
        notes.append(
            f"{facts['duplicates']:,} images are exact copies of others, {across:,} of them across two splits"
            + (": results on val and test look better than they are." if across else ".")
        )
    return notes
