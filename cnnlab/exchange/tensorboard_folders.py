"""Which of TensorBoard's folders make a run.

TensorBoard calls each folder with event files a run. What belongs together is joined here: the folders `train` and
`validation` that Keras makes, those of PyTorch's `add_scalars` (named after their tag) and `add_hparams` (named after
the time).
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from cnnlab.exchange.event_files import Reading, read_records
from cnnlab.exchange.events import Decoder
from cnnlab.exchange.found import ImportRunsError
from cnnlab.exchange.names import SPLITS
from cnnlab.exchange.wire import WireError

MARK = "tfevents"
# What `add_hparams` calls its folder: the time.
_OF_HPARAMS = re.compile(r"\d{9,11}\.\d+")
MOST_FOLDERS = 100_000


def has_events(folder: Path) -> bool:
    """Return whether a folder or one below it holds event files."""
    return any(True for _ in _event_folders(folder))


def folders_of(path: Path) -> dict[Path, list[Path]]:
    """Return the event files of each folder at a path and below; of a single file that one."""
    if path.is_file():
        return {path.parent: [path]}
    return dict(_event_folders(path))


def _event_folders(root: Path) -> Iterator[tuple[Path, list[Path]]]:
    for count, (folder, names, files) in enumerate(os.walk(root)):
        if count >= MOST_FOLDERS:
            raise ImportRunsError(
                f"{str(root)!r} has more than {MOST_FOLDERS:,} folders. Expected a folder of event files. "
                "Choose one further down."
            )
        names.sort()
        events = sorted(name for name in files if MARK in name)
        if events:
            yield Path(folder), [Path(folder) / name for name in events]


def joined(root: Path, folders: dict[Path, list[Path]]) -> dict[str, list[tuple[str, Path]]]:
    """Return the files of each run, each with what goes before its tags."""
    runs: dict[str, list[tuple[str, Path]]] = {}
    for folder, files in folders.items():
        owner, prefix = _owner(root, folder, folders)
        key = "." if owner == root else owner.relative_to(root).as_posix()
        runs.setdefault(key, []).extend((prefix, path) for path in files)
    return runs


def _owner(root: Path, folder: Path, folders: dict[Path, list[Path]]) -> tuple[Path, str]:
    """Return the folder whose run this one belongs to, and what goes before its tags: `train/`."""
    if folder == root:
        return folder, ""
    for above in (folder.parent, folder.parent.parent):
        if above in folders and (suffix := _suffix(folder.relative_to(above).as_posix(), folders[folder])):
            return above, f"{suffix}/"
    if folder.name.lower() in SPLITS:
        return folder.parent, f"{folder.name}/"
    if _OF_HPARAMS.fullmatch(folder.name):
        return folder.parent, ""
    return folder, ""


def _suffix(place: str, files: Sequence[Path]) -> str:
    """Return what a folder of `add_scalars` adds to its tag, '' for other folders.

    PyTorch calls it `{tag}_{suffix}`, tensorboardX `{tag}/{suffix}`; it holds that tag alone.
    """
    try:
        names = set(_first_tags(files[0]))
    except (OSError, WireError):
        return ""
    tag = names.pop() if len(names) == 1 else ""
    for start in (f"{tag.replace('/', '_')}_", f"{tag}/"):
        if tag and place.startswith(start):
            return place.removeprefix(start)
    return ""


def _first_tags(path: Path, most: int = 20) -> Iterator[str]:
    names: list[str] = []
    decoder = Decoder()
    for record in read_records(path, Reading()):
        decoder.read(record, lambda tag, _step, _time, _value: names.append(tag))
        if len(names) >= most:
            break
    yield from names
