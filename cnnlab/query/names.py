"""What queries, columns and sorting may name: short words, columns of the summary, settings, numbers of results."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cnnlab.architectures.catalogue import ARCHITECTURES
from cnnlab.config import NOT_IN_FINGERPRINT, RunConfig
from cnnlab.datasets.catalogue import DATASETS
from cnnlab.errors import QueryError, suggestion
from cnnlab.runs.fields import RESULT
from cnnlab.runs.schema import SUMMARY

# What people say and what it is called in the summary, the commonest first.
SHORT: Mapping[str, str] = {
    "accuracy": "test_accuracy",
    "val": "val_accuracy",
    "loss": "test_loss",
    "params": "num_params",
    "data": "dataset",
    "arch": "architecture",
    "lr": "learning_rate",
    "batch": "batch_size",
    "time": "train_s",
    "speed": "images_per_s",
    "size": "disk_bytes",
    "created": "created_at",
    "started": "started_at",
    "ended": "ended_at",
    "status": "state",
    "tag": "tags",
    "note": "notes",
    "starred": "is_starred",
    "archived": "is_archived",
    "findings": "serious_findings",
    "id": "run_id",
    "run": "run_id",
    "group": "group_id",
    "study": "study_id",
    "trial": "trial_id",
    "output": "main_output",
    "acc": "test_accuracy",
    "top1": "test_accuracy",
    "duration": "train_s",
    "parameters": "num_params",
}
# Seconds since it was made: no column, since it grows by itself.
AGE = "age"
# Not of one's own fields: the same as in the summary, where they are up to date for live runs too.
_SUMMED = frozenset(SUMMARY.names)
_NOTES = {column.name: column.note for column in SUMMARY.columns}


@dataclass(frozen=True)
class Field:
    """One thing that can be asked for.

    Attributes:
        column: Of the summary, or of `cnnlab.runs.fields`.
        is_summed: It is a column of the summary.
    """

    column: str
    is_summed: bool


def resolve(name: str, columns: Iterable[str] = ()) -> Field:
    """Return what a name means: a short word, a column, or the end of one, such as `momentum`.

    Args:
        columns: Of `fields`, those that the runs of the store have.

    Raises:
        QueryError: nothing is called so, or several things are.
    """
    asked = name.strip().lower().replace("-", "_")
    if asked == AGE:
        return Field(AGE, True)
    asked = SHORT.get(asked, asked)
    if asked in _SUMMED:
        return Field(asked, True)
    known = {column.lower(): column for column in (*static_fields(), *columns)}
    if asked in known:
        return Field(known[asked], False)
    ends = [column for lower, column in known.items() if lower.endswith(f".{asked}")]
    if len(ends) == 1:
        return Field(ends[0], False)
    if ends:
        raise QueryError(f"{name!r} may mean {' or '.join(sorted(ends))}. Expected one of them. Write it whole.")
    raise QueryError(f"Unknown field {name!r}. {_near(asked, known.values())}")


def _near(asked: str, columns: Iterable[str]) -> str:
    names = {AGE, *SHORT, *_SUMMED, *columns, *(column.rpartition(".")[2] for column in columns)}
    told = suggestion(asked, names)
    if told.startswith("Did you mean"):
        return f"{told} To look for a word, quote it."
    return "Expected a field such as accuracy, architecture, depth or training.batch_size. The help lists them all."


@functools.cache
def static_fields() -> dict[str, str]:
    """Return the settings that a config may have, also where no run has them yet, and their titles."""
    found = {
        name: title
        for name, title in _titles(RunConfig).items()
        if name.partition(".")[0] not in NOT_IN_FINGERPRINT and not name.endswith(".parameters")
    }
    for part, entries in (("architecture", ARCHITECTURES), ("data", DATASETS)):
        for entry in entries.values():
            for name, field in entry.parameters.model_fields.items():
                found.setdefault(f"{part}.parameters.{name}", field.title or name)
    return found


def _titles(model: Any, prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, field in model.model_fields.items():
        if hasattr(field.annotation, "model_fields"):
            found |= _titles(field.annotation, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = field.title or name
    return found


def note_of(column: str) -> str:
    """Return what a column is: the note of the summary, or the title of a setting."""
    return _NOTES.get(column) or static_fields().get(column) or ("Of the result." if column.startswith(RESULT) else "")


def described(columns: Iterable[str]) -> list[dict[str, str]]:
    """Return what can be asked for, for a list beside the box: `field`, `short` words for it, `note`."""
    words: dict[str, list[str]] = {}
    for short, column in SHORT.items():
        words.setdefault(column, []).append(short)
    rows = [
        {"field": column, "short": ", ".join(words.get(column, ())), "note": note} for column, note in _NOTES.items()
    ]
    rows.append({"field": AGE, "short": "", "note": "Time since it was made, such as age<7d."})
    settings = dict.fromkeys((*static_fields(), *(one for one in columns if one != "run_id")))
    for column in settings:
        short = column.rpartition(".")[2]
        try:
            is_short = resolve(short, columns).column == column
        except QueryError:
            is_short = False
        rows.append({"field": column, "short": short if is_short else "", "note": note_of(column) or "Of the config."})
    return rows
