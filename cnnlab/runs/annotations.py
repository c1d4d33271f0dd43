"""What people say of a run: name, notes, tags, a star, and whether it is put aside.

A run's folder has one writer, its trainer, who never touches `person.jsonl`; people append to it,
also while the run trains. Each line says only what changed, so two people at once lose nothing
of each other: tags are added and removed one by one, of every other field the last line holds,
and what it said before stays in the file.

The index learns of a change by a line in `index/annotated.jsonl` (see `noticed`), so nobody
looks at 10,000 files.
"""

import getpass
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cnnlab.config import RunConfig
from cnnlab.errors import ConfigError
from cnnlab.runs import noticed
from cnnlab.runs.lines import append_lines, now, read_lines
from cnnlab.runs.store import Store

FILE = "person.jsonl"
MOST_TAGS = 30
_TAG = re.compile(r"[^\W_][\w.+/-]{0,39}")
_LENGTHS = {
    name: next(one.max_length for one in RunConfig.model_fields[name].metadata if hasattr(one, "max_length"))
    for name in ("name", "notes")
}


@dataclass(frozen=True)
class Annotations:
    """What people said of a run so far.

    Attributes:
        name: None where it is called as it was made.
        notes: None where only its config has some.
    """

    name: str | None = None
    notes: str | None = None
    tags: tuple[str, ...] = ()
    is_starred: bool = False
    is_archived: bool = False


@dataclass(frozen=True)
class Change:
    """What somebody says now; None leaves a field as it is.

    Attributes:
        name: Empty for the name that the run was made with.
    """

    name: str | None = None
    notes: str | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    is_starred: bool | None = None
    is_archived: bool | None = None

    def line(self) -> dict[str, Any]:
        """Return what a line of the file says of it; nothing for no change."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()
                if value not in (None, ())}  # fmt: skip


def change(
    *,
    name: str | None = None,
    notes: str | None = None,
    add_tags: Iterable[str] = (),
    remove_tags: Iterable[str] = (),
    is_starred: bool | None = None,
    is_archived: bool | None = None,
) -> Change:
    """Return a checked change.

    Raises:
        ConfigError: a text is too long or a tag has characters that a query could not name.
    """
    for field, text in (("name", name), ("notes", notes)):
        if text is not None and len(text) > _LENGTHS[field]:
            raise ConfigError(
                f"{field} has {len(text):,} characters. Expected at most {_LENGTHS[field]:,}. Shorten it."
            )
    name = None if name is None else " ".join(name.split())
    return Change(name, notes, _checked(add_tags), _checked(remove_tags), is_starred, is_archived)


def _checked(tags: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(checked_tag(tag) for tag in tags))


def checked_tag(text: str) -> str:
    """Return a tag as it is kept, in small letters; raises `ConfigError`."""
    tag = text.strip().lower()
    if not _TAG.fullmatch(tag):
        raise ConfigError(
            f"The tag {text!r} cannot be used. Expected up to 40 letters, digits or . + / - _ that begin with a letter "
            "or digit. Write several tags one by one."
        )
    return tag


def annotate(store: Store, run_ids: Sequence[str], change: Change) -> None:
    """Say the same of some runs; whether they train makes no difference.

    Raises:
        RunNotFoundError: one of them is not in the store; nothing is written then.
        ConfigError: one of them would have too many tags, likewise.
        StoreError: the store cannot be written.
    """
    line = change.line()
    run_dirs = [store.run_dir(run_id) for run_id in dict.fromkeys(run_ids)]
    if not line or not run_dirs:
        return
    if change.add_tags:
        for run_dir in run_dirs:
            if len(applied(read_annotations(run_dir), line).tags) > MOST_TAGS:
                raise ConfigError(
                    f"The run {run_dir.name!r} would have more than {MOST_TAGS} tags. Expected fewer. "
                    "Take some away first."
                )
    line = {"time": now(), "by": _person(), **line}
    with store.writing():
        for run_dir in run_dirs:
            append_lines(run_dir / FILE, [line])
        noticed.notice(store.index_dir, [run_dir.name for run_dir in run_dirs])


def _person() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container whose user has no name
        return None


def read_annotations(run_dir: Path) -> Annotations:
    """Return what people said of the run in a folder; lines that are torn or of a later version are left out."""
    found = Annotations()
    for line in read_lines(run_dir / FILE):
        found = applied(found, line)
    return found


def applied(before: Annotations, line: dict[str, Any]) -> Annotations:
    """Return the annotations after one more line."""
    texts = {name: line[name] for name in ("name", "notes") if isinstance(line.get(name), str)}
    if texts.get("name") == "":
        texts["name"] = None  # type: ignore[assignment]
    marks = {name: line[name] for name in ("is_starred", "is_archived") if isinstance(line.get(name), bool)}
    gone = set(_texts(line.get("remove_tags")))
    tags = [tag for tag in (*before.tags, *_texts(line.get("add_tags"))) if tag not in gone]
    return replace(before, **texts, **marks, tags=tuple(dict.fromkeys(tags)))


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
