"""Read the class and the split of each image from its path."""

from dataclasses import dataclass

import numpy as np

from cnnlab.datasets.folders import Run, folder_runs
from cnnlab.datasets.reading import Skipped
from cnnlab.datasets.splits import SPLITS
from cnnlab.errors import ImportRefusedError

SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
LAYOUT = "Expected one sub-folder per class, such as 'cat/1.jpg', with or without 'train', 'val' and 'test' above it."


@dataclass(frozen=True)
class Arrangement:
    """Which files take part, and as what; parallel to each other.

    Attributes:
        rows: Positions in the listing.
        sample_ids: Paths without a wrapping folder.
        splits: Indices into `SPLITS`; -1 where the source says nothing.
        labels: Indices into `class_names`.
    """

    rows: np.ndarray
    sample_ids: list[str]
    splits: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    skipped: tuple[Skipped, ...]


def arrange(source_name: str, names: list[str]) -> Arrangement:
    """Arrange the image files of a source.

    Raises:
        ImportRefusedError: there are no class folders, one class only, or no train split.
    """
    if not names:
        raise ImportRefusedError(f"{source_name!r} holds no images. {LAYOUT} Check that you chose the right file.")
    runs = folder_runs(names)
    folders = {run.folder for run in runs}
    start = _wrapper_length(names, folders)
    has_splits = _has_split_folders([folder[start:] for folder in folders])
    taken: list[Run] = []
    split_codes, classes, skipped = [], [], []
    for run in runs:
        folder = run.folder[start:]
        split, class_name = _split_and_class(folder.split("/") if folder else [], has_splits)
        if class_name:
            taken.append(run)
            split_codes.append(split)
            classes.append(class_name)
        else:
            reason = _no_class_reason(folder, has_splits)
            skipped += [Skipped(name, reason) for name in names[run.start : run.stop]]
    class_names = tuple(sorted(set(classes)))
    _check(source_name, class_names, set(split_codes))
    numbers = {name: number for number, name in enumerate(class_names)}
    lengths = [run.stop - run.start for run in taken]
    return Arrangement(
        rows=np.concatenate([np.arange(run.start, run.stop) for run in taken]),
        sample_ids=[name[start:] for run in taken for name in names[run.start : run.stop]],
        splits=np.repeat(np.array(split_codes, np.int64), lengths),
        labels=np.repeat(np.array([numbers[name] for name in classes], np.int32), lengths),
        class_names=class_names,
        skipped=tuple(skipped),
    )


def _wrapper_length(names: list[str], folders: set[str]) -> int:
    """Return how many leading characters are folders that only wrap: 'my_pictures/' of 'my_pictures/cat/1.jpg'."""
    # The names are sorted: what the first and the last share, all share.
    start = 0
    while True:
        top, slash, _ = names[0][start:].partition("/")
        shared = names[0][: start + len(top) + 1]
        if not slash or top.casefold() in SPLIT_NAMES or not names[-1].startswith(shared):
            return start
        if shared[:-1] in folders:  # a file lies in it
            return start
        start = len(shared)


def _has_split_folders(folders: list[str]) -> bool:
    """Return whether the folders on top are train, val, test: there are class folders below one of them."""
    tops: set[str] = set()
    is_deep = False
    for folder in folders:
        top, slash, _ = folder.partition("/")
        if folder:
            tops.add(top)
        is_deep = is_deep or (bool(slash) and top.casefold() in SPLIT_NAMES)
    known = {SPLIT_NAMES.get(top.casefold()) for top in tops}
    # A class may be called 'train', beside 'car' and 'ship'; two names of splits are no classes.
    return is_deep or (None not in known and bool(known))


def _split_and_class(parts: list[str], has_splits: bool) -> tuple[int, str]:
    if not has_splits:
        return -1, parts[0] if parts else ""
    split = SPLIT_NAMES.get(parts[0].casefold()) if parts else None
    if split is None or len(parts) < 2:
        return -1, ""
    return SPLITS.index(split), parts[1]


def _no_class_reason(folder: str, has_splits: bool) -> str:
    if has_splits and folder and folder.split("/")[0].casefold() not in SPLIT_NAMES:
        return "lies outside the train, val and test folders"
    return "lies in no class folder"


def _check(source_name: str, class_names: tuple[str, ...], splits: set[int]) -> None:
    if not class_names:
        raise ImportRefusedError(f"{source_name!r} has no class folders. {LAYOUT} Sort the images into folders.")
    if len(class_names) == 1:
        raise ImportRefusedError(
            f"{source_name!r} has one class only, {class_names[0]!r}. Expected two or more. "
            "Add a folder with images of another class."
        )
    if splits - {-1} and SPLITS.index("train") not in splits:
        raise ImportRefusedError(
            f"{source_name!r} has {' and '.join(repr(SPLITS[code]) for code in sorted(splits))} but no 'train' folder. "
            "Rename one of the folders to 'train', or leave these folders out and let the importer split."
        )
