"""The table of runs beside a table of numbers, as our own export has it: names, times, settings and results.

Of our own export it says all that a list of runs shows. A config is taken for whole only where it has the fingerprint
that the table says: else the run can be looked at, not trained again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from cnnlab.config import config_from_dict, flatten
from cnnlab.errors import ConfigError
from cnnlab.exchange.csv_table import read_table
from cnnlab.exchange.found import ImportRunsError, Scalar
from cnnlab.exchange.limits import read_text, yaml_mapping
from cnnlab.exchange.settings import typed
from cnnlab.runs.adopting import as_yaml
from cnnlab.runs.annotations import FILE as PERSON
from cnnlab.runs.annotations import Change
from cnnlab.runs.lines import pack
from cnnlab.runs.origin import TOOLS, Origin
from cnnlab.runs.status import ENDED
from cnnlab.runs.store import is_run_id

CONFIG = "config."
CONFIGS = "configs"
# A table of runs that has all of these is ours.
_OURS = {"run_id", "name", "state", "created_at", "group_id", "architecture", "test_accuracy", "test_n"}
# Where none of these is known no result was written.
_RESULTS = ("num_params", "trainable_params", "macs", "depth", "images_per_s", "test_accuracy", "test_n", "test_loss")
_NUMBERS = (*_RESULTS[:5], "epochs_done", "best_epoch", "train_s")
_TEXTS = ("name", "notes")

Row = Mapping[str, str | None]


@dataclass(frozen=True)
class AboutRun:
    """What a table of runs says of one; the `own` parts are those of `cnnlab.exchange.found.FoundRun`."""

    name: str
    state: str = "completed"
    failure: str = ""
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    started_s: float | None = None
    ended_s: float | None = None
    own_config: str | None = None
    own_run: Mapping[str, object] | None = None
    own_content: Mapping[str, bytes] = field(default_factory=dict)


def about_runs(path: Path) -> dict[str, AboutRun]:
    """Return what `runs.csv` says of each run, by the id that `metrics.csv` names it with; nothing without one.

    Raises:
        ImportRunsError: as `read_table`.
    """
    frame = read_table(path)
    if "run_id" not in frame.columns:
        return {}
    is_ours = set(frame.columns) >= _OURS
    return {
        str(row["run_id"]): _of_ours(row, path.parent / CONFIGS) if is_ours else _about(row)
        for row in frame.iter_rows(named=True)
    }


def is_own_table(path: Path) -> bool:
    """Return whether a table of runs is of our own export; False where it cannot be read."""
    try:
        return set(read_table(path).columns) >= _OURS
    except ImportRunsError:
        return False


def _about(row: Row) -> AboutRun:
    state = str(row.get("state") or "completed")
    return AboutRun(
        name=str(row.get("name") or row["run_id"]),
        state=state if state in ENDED else "lost",
        parameters={name: value for name, value in _settings(row).items() if name not in _TEXTS},
        started_s=_seconds(row.get("started_at")),
        ended_s=_seconds(row.get("ended_at")),
    )


def _settings(row: Row) -> dict[str, Any]:
    """Return the settings by dotted place."""
    said = {name.removeprefix(CONFIG): text for name, text in row.items() if name.startswith(CONFIG) and text}
    return {name: text if name in _TEXTS else typed(text) for name, text in said.items()}


def _seconds(text: str | None) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp() if text else None
    except (ValueError, OverflowError):
        return None


# === Runs of our own ===


def _of_ours(row: Row, configs: Path) -> AboutRun:
    about, run_id = _about(row), str(row["run_id"])
    if not is_run_id(run_id):
        return about
    own_run: dict[str, object] = {name: row[name] for name in ("run_id", "name", "group_id") if row[name]}
    created = _seconds(row["created_at"])
    if created is not None:
        own_run["created_at"] = datetime.fromtimestamp(created, UTC).isoformat(timespec="microseconds")
    values, is_foreign = _values(row, configs / f"{run_id}.yaml"), row.get("is_foreign") == "true"
    if is_foreign:
        own_run["origin"] = _origin(row, run_id).to_dict()
    result = _result(row, is_foreign=is_foreign)
    content = {PERSON: _person(row, str(values.get("notes") or ""))}
    content |= {"result.json": json.dumps(pack(result)).encode()} if result else {}
    return AboutRun(
        name=about.name,
        state=about.state,
        failure=f"{row['failure']}: The table of runs says no more of it." if row.get("failure") else "",
        parameters={name: value for name, value in flatten(values).items() if name not in _TEXTS},
        started_s=about.started_s,
        ended_s=about.ended_s,
        own_config=as_yaml(values) if is_foreign else _whole_config(values, str(row["group_id"])),
        own_run=own_run,
        own_content={name: data for name, data in content.items() if data},
    )


def _values(row: Row, path: Path) -> dict[str, Any]:
    """Return the nested values of a config: as the file says that an export has beside its tables, else the columns."""
    try:
        return yaml_mapping(read_text(path, path.parent.parent), path.name)
    except ImportRunsError:
        return _nested(_settings(row))


def _nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested values from dotted places.

    >>> _nested({"name": "a", "training.epochs": 3, "data.outputs": "['label']"})
    {'name': 'a', 'training': {'epochs': 3}, 'data': {'outputs': ['label']}}
    """
    found: dict[str, Any] = {}
    for name, value in settings.items():
        *sections, last = name.split(".")
        place: Any = found
        for section in sections:
            place = place.setdefault(section, {})
            if not isinstance(place, dict):
                break
        if isinstance(place, dict):
            place[last] = _listed(value) if name not in _TEXTS else value
    return found


def _listed(value: Any) -> Any:
    """Return the list that a text says in brackets, as `text_of` writes it, else the value."""
    if not isinstance(value, str) or not value.startswith("["):
        return value
    try:
        return yaml.safe_load(value)
    except (yaml.YAMLError, ValueError, RecursionError):
        return value


def _whole_config(values: Mapping[str, Any], group_id: str) -> str | None:
    """Return the config as text, None where it is not the one that the run had."""
    try:
        config = config_from_dict(values)
    except ConfigError:
        return None
    return config.to_yaml() if config.fingerprint() == group_id else None


def _origin(row: Row, run_id: str) -> Origin:
    """Return where a run of another tool came from: the table has its title only."""
    title, _, experiment = str(row.get("origin") or "").partition(": ")
    tool = next((key for key, name in TOOLS.items() if name == title), "csv")
    return Origin(
        tool=tool,
        path="",
        key=run_id,
        imported_at=str(row["created_at"] or ""),
        experiment=experiment,
        has_epochs=bool(row.get("epochs_done")),
        notes=("It went through an export of tables, which says no more of where it came from.",),
    )


def _result(row: Row, *, is_foreign: bool) -> dict[str, Any] | None:
    """Return what `result.json` holds, None where there was none."""
    is_measured = is_foreign and row.get("epochs_done") != "0"
    if not (is_measured or any(row.get(name) for name in _RESULTS)):
        return None
    output = row.get("main_output") or ""
    found = {name: _number(row.get(name)) for name in _NUMBERS} | {"dataset_version": row.get("dataset_version")}
    test = {name: _number(row.get(f"test_{name}")) for name in ("accuracy", "loss", "correct", "n")}
    val = {"accuracy": _number(row.get("val_accuracy")), "loss": None}
    return {"main_output": output, "outputs": {}, **found, "val": {output: val}, "test": {output: test}}


def _number(text: str | None) -> int | float | None:
    """Return the number that a text says, NaN and infinities too; None where it says none."""
    for kind in (int, float):
        try:
            return kind(text or "")
        except ValueError:
            continue
    return None


def _person(row: Row, notes: str) -> bytes:
    """Return the line of what people said of a run, nothing where they said nothing."""
    said = Change(
        notes=(row.get("notes") or "") if (row.get("notes") or "") != notes.strip() else None,
        add_tags=tuple((row.get("tags") or "").split()),
        is_starred=row.get("is_starred") == "true" or None,
        is_archived=row.get("is_archived") == "true" or None,
    ).line()
    return (json.dumps({"time": row.get("created_at"), "by": None, **said}) + "\n").encode() if said else b""
