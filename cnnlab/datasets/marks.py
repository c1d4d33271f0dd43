"""What people say of labels: `<store>/datasets/<name>/marks.json`, one journal per data set, written whole.

A mark names an image by its `sample_id` and classes by their names, so it holds for every version of the set. The
newest mark of an image and output is the one that counts; undoing takes the newest entry away.
"""

import getpass
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from cnnlab.datasets.storage import check_name
from cnnlab.datasets.workplace import alone
from cnnlab.errors import DatasetError
from cnnlab.files import read_json, write_json

FORMAT = 1
FILE = "marks.json"
Verdict = Literal["wrong", "remove", "fine", "none"]
VERDICTS: dict[Verdict, str] = {
    "wrong": "The label is wrong",
    "remove": "Remove the image",
    "fine": "The label is right",
    "none": "No mark",
}


@dataclass(frozen=True)
class Mark:
    """What somebody said of one label.

    Attributes:
        output: Whose label it is; a removed image is gone for all outputs.
        verdict: `none` takes earlier marks back.
        was: Name of the class that the image was labelled with.
        label: Name of the right class, where it was wrong; else empty.
        version: Of the data set that was looked at.
        by: Who said it, `at` when (ISO 8601, UTC).
    """

    sample_id: str
    output: str
    verdict: Verdict
    was: str
    label: str = ""
    version: str = ""
    by: str = ""
    at: str = ""


def read_journal(store_root: Path, name: str) -> list[Mark]:
    """Return every mark that was made and not undone, oldest first.

    Raises:
        DatasetError: the file is of a later version of this program, or damaged.
    """
    check_name(name)
    path = _path(store_root, name)
    value = read_json(path, {"format": FORMAT, "marks": []} if not path.exists() else None)
    try:
        if value["format"] != FORMAT:
            raise ValueError
        return [Mark(**entry) for entry in value["marks"]]
    except (TypeError, KeyError, ValueError):
        raise DatasetError(
            f"The marks of data set {name!r} in {path} cannot be read. Expected a file of format {FORMAT} that this "
            "program wrote. Update the program, or put the file aside and mark again."
        ) from None


def read_marks(store_root: Path, name: str) -> dict[tuple[str, str], Mark]:
    """Return the mark that counts of each image and output, `(sample_id, output)`; those taken back are left out."""
    newest = {(mark.sample_id, mark.output): mark for mark in read_journal(store_root, name)}
    return {key: mark for key, mark in newest.items() if mark.verdict != "none"}


def add_mark(store_root: Path, name: str, mark: Mark, classes: Mapping[str, tuple[str, ...]]) -> Mark:
    """Write a mark and return it with who and when, where it does not say so.

    Args:
        classes: Of each output of the data set, to check the names against.

    Raises:
        DatasetError: the right class is no class of that output, or the one that the image has already.
    """
    _check(name, mark, classes)
    complete = Mark(**{**asdict(mark), "by": mark.by or _user(), "at": mark.at or _now()})
    with alone(store_root, f"{name}.marks"):
        _write(store_root, name, [*read_journal(store_root, name), complete])
    return complete


def undo_mark(store_root: Path, name: str) -> Mark | None:
    """Take the newest entry away and return it; None where there is none."""
    with alone(store_root, f"{name}.marks"):
        journal = read_journal(store_root, name)
        if not journal:
            return None
        _write(store_root, name, journal[:-1])
    return journal[-1]


def _check(name: str, mark: Mark, classes: Mapping[str, tuple[str, ...]]) -> None:
    known = classes.get(mark.output, ())
    if mark.verdict == "wrong" and (mark.label not in known or mark.label == mark.was):
        named = ", ".join(known) or "none"
        raise DatasetError(
            f"{mark.label!r} cannot be the right class of {mark.sample_id!r}. Expected another class of the output "
            f"{mark.output!r} of data set {name!r} than {mark.was!r}. Choose one of: {named}."
        )


def _write(store_root: Path, name: str, journal: list[Mark]) -> None:
    path = _path(store_root, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    entries: list[dict[str, Any]] = [asdict(mark) for mark in journal]
    write_json(path, {"format": FORMAT, "dataset": name, "marks": entries})


def _path(store_root: Path, name: str) -> Path:
    return store_root / "datasets" / name / FILE


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container without an entry for this user
        return "somebody"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
