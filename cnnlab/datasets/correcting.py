"""A corrected version of a data set: the marks of people applied, and nothing else changed.

Ids, splits, pixels and the order of the images stay, so that runs on both versions can be compared image by image.
An imported set gets a new version under its name. The name of a set of the catalogue stands for the published set:
its correction is an imported set of its own, such as `digits_corrected`.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnnlab.datasets.catalogue import DATASETS
from cnnlab.datasets.channels import ChannelStatistics
from cnnlab.datasets.marks import Mark, read_marks
from cnnlab.datasets.splits import check_classes
from cnnlab.datasets.storage import Dataset, DatasetInfo, find_dataset
from cnnlab.datasets.workplace import workplace
from cnnlab.datasets.writing import create_pixels, finish_dataset
from cnnlab.errors import DatasetError
from cnnlab.files import read_json

SUFFIX = "_corrected"
ROWS_AT_ONCE = 256


@dataclass(frozen=True)
class Correction:
    """What the marks change about one version.

    Attributes:
        target: Name of the data set that the corrected version belongs to.
        relabelled: Marks that give an image of this version another label.
        removed: Marks that take an image away.
        done: Marks that this version has already; `stale` those of images that are gone or have another label than
            the one that was marked.
        counts: Images per split afterwards.
    """

    info: DatasetInfo
    target: str
    relabelled: tuple[Mark, ...]
    removed: tuple[Mark, ...]
    done: tuple[Mark, ...]
    stale: tuple[Mark, ...]
    counts: Mapping[str, int]

    @property
    def num_changes(self) -> int:
        return len(self.relabelled) + len(self.removed)

    def sentences(self) -> list[str]:
        """Return what changes and what does not, for whoever is asked."""
        info, labels, images = self.info, len(self.relabelled), len(self.removed)
        changed = f"{_counted(labels, 'label')} {'changes' if labels == 1 else 'change'}"
        removed = f"{_counted(images, 'image')} {'goes' if images == 1 else 'go'}"
        splits = ", ".join(f"{split} {count:,}" for split, count in self.counts.items())
        told = [
            f"Of {info.name}, version {info.version}, {changed} and {removed}: {sum(self.counts.values()):,} of "
            f"{info.num_images:,} stay, with their ids and splits ({splits})."
        ]
        if self.target != info.name:
            told.append(f"The corrected set is called {self.target!r}; {info.name!r} stays as it is.")
        if self.done:
            told.append(f"In this version already: {_counted(len(self.done), 'mark')}.")
        if self.stale:
            others = _counted(len(self.stale), "mark")
            told.append(f"Of images or labels that are others in this version, so of no effect: {others}.")
        return told


def plan_correction(store_root: Path, name: str, version: str | None = None, target: str | None = None) -> Correction:
    """Return what the marks of a data set would change, and change nothing.

    Args:
        version: The newest when left out.
        target: Name of the corrected set; that of `corrected_name` when left out.

    Raises:
        DatasetError: there is no such version, or the target's name cannot be.
        UnknownNameError: there is no such data set.
    """
    info = find_dataset(store_root, name, version)
    target = target or corrected_name(name)
    if target != name:
        from cnnlab.datasets.import_steps import check_import_name  # what decodes images is of no use here

        check_import_name(target)
    rows = _rows(Dataset(info))
    removed_ids: set[str] = set()
    parts: dict[str, list[Mark]] = {"relabelled": [], "removed": [], "done": [], "stale": []}
    for mark in read_marks(store_root, name).values():
        if mark.verdict == "fine":
            continue
        kind = _kind(mark, rows, info)
        if kind == "removed" and mark.sample_id in removed_ids:
            kind = "done"  # marked under another output as well
        removed_ids |= {mark.sample_id} if kind == "removed" else set()
        parts[kind].append(mark)
    # A label of an image that goes need not be put right.
    parts["relabelled"] = [mark for mark in parts["relabelled"] if mark.sample_id not in removed_ids]
    counts = dict(info.counts)
    for sample_id in removed_ids:
        counts[rows[sample_id]["split"]] -= 1
    return Correction(info, target, **{kind: tuple(marks) for kind, marks in parts.items()}, counts=counts)


def corrected_name(name: str) -> str:
    """Return the name of the corrected set: its own, but for a set of the catalogue."""
    return f"{name}{SUFFIX}" if name in DATASETS else name


def correct_dataset(store_root: Path, name: str, version: str | None = None, target: str | None = None) -> DatasetInfo:
    """Write the version that `plan_correction` tells of, and return it.

    Raises:
        DatasetError: no mark changes this version, a class would have no image left in a split, or the disk is full.
    """
    plan = plan_correction(store_root, name, version, target)
    if not plan.num_changes:
        raise DatasetError(
            f"No mark changes data set {name!r}, version {plan.info.version}. Expected one that says a label is wrong "
            "or an image is to go. Mark images on the page of a run, under 'Mistakes', then try again."
        )
    return _write(store_root, plan)


def _kind(mark: Mark, rows: Mapping[str, Mapping[str, Any]], info: DatasetInfo) -> str:
    row = rows.get(mark.sample_id)
    classes = info.outputs.get(mark.output, ())
    if row is None:
        return "done" if mark.verdict == "remove" else "stale"
    if mark.verdict == "remove":
        return "removed"
    now = classes[row[mark.output]] if classes else ""
    if now and now == mark.label:
        return "done"
    return "relabelled" if now == mark.was and mark.label in classes else "stale"


def _rows(dataset: Dataset) -> dict[str, dict[str, Any]]:
    frame = dataset.samples().select("sample_id", "split", *dataset.info.outputs)
    return {row["sample_id"]: row for row in frame.iter_rows(named=True)}


def _write(store_root: Path, plan: Correction) -> DatasetInfo:
    info = plan.info
    columns, kept = _corrected_columns(plan)
    for output, classes in info.outputs.items():
        check_classes(np.array(columns["split"]), columns[output], classes)
    # Where all images stay, their file may be the same one.
    need = 0 if len(kept) == info.num_images else len(kept) * int(np.prod(info.image_shape))
    with workplace(store_root, plan.target, need_bytes=need) as folder:
        statistics = _put_pixels(info, folder, kept, columns["split"].count("train"))
        return finish_dataset(store_root, folder, _record(plan), columns, statistics)


def _corrected_columns(plan: Correction) -> tuple[dict[str, Any], np.ndarray]:
    """Return the columns of `samples.parquet` afterwards, and the rows of before that stay."""
    samples = Dataset(plan.info).samples()
    ids = samples["sample_id"].to_list()
    gone = {mark.sample_id for mark in plan.removed}
    kept = np.flatnonzero([sample_id not in gone for sample_id in ids])
    columns: dict[str, Any] = {}
    for column in samples.columns:
        is_number = samples[column].dtype.is_integer()
        columns[column] = samples[column].to_numpy().copy() if is_number else samples[column].to_list()
    row_of = {sample_id: row for row, sample_id in enumerate(ids)}
    for mark in plan.relabelled:
        columns[mark.output][row_of[mark.sample_id]] = plan.info.outputs[mark.output].index(mark.label)
    for column, values in columns.items():
        columns[column] = values[kept] if isinstance(values, np.ndarray) else [values[row] for row in kept]
    return columns, kept


def _put_pixels(info: DatasetInfo, folder: Path, kept: np.ndarray, num_train: int) -> ChannelStatistics:
    """Write `pixels.npy` with the kept rows, as a second name of the same file where nothing is left out."""
    old = np.load(info.path / "pixels.npy", mmap_mode="r", allow_pickle=False)
    target = folder / "pixels.npy"
    is_whole = len(kept) == len(old)
    if is_whole:
        try:
            os.link(info.path / "pixels.npy", target)
        except OSError:  # a file system without a second name for a file
            shutil.copyfile(info.path / "pixels.npy", target)
    new = None if is_whole else create_pixels(target, (len(kept), *info.image_shape))
    statistics = ChannelStatistics(info.image_shape[-1])
    for start in range(0, len(kept), ROWS_AT_ONCE):
        part = old[kept[start : start + ROWS_AT_ONCE]]
        if new is not None:
            new[start : start + len(part)] = part
        statistics.add(part[: max(0, num_train - start)])
    return statistics


def _record(plan: Correction) -> dict[str, Any]:
    """Return what the corrected version says of itself: what the old one said, and what was changed by whom."""
    info = plan.info
    old = read_json(info.path / "dataset.json") or {}
    changes = (*plan.relabelled, *plan.removed)
    people = ", ".join(sorted({mark.by for mark in changes}))
    last = max(mark.at for mark in changes)[:10]
    told = (
        f"Corrected from {info.name}, version {info.version}: {_counted(len(plan.relabelled), 'label')} changed and "
        f"{_counted(len(plan.removed), 'image')} removed of {info.num_images:,}, as {people} marked until {last}."
    )
    title = info.title if plan.target == info.name else f"{info.title}, corrected"
    return {
        **{key: value for key, value in old.items() if key in ("image_shape", "outputs", "parameters", "skipped")},
        **({"resized_by": old["resized_by"]} if old.get("resized_by") else {}),
        "name": plan.target,
        "title": title,
        "source": info.source,
        "notes": [*info.notes, told],
        "facts": {
            **info.facts,
            "corrected_from": {"name": info.name, "version": info.version, "marks": [asdict(mark) for mark in changes]},
        },
    }


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
