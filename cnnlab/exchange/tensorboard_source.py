"""Runs out of a folder of TensorBoard's event files.

Which folders make a run is said by `tensorboard_folders`. Files that a training that went on left beside each other are
joined here: from where a later file begins, its numbers hold.
"""

import hashlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cnnlab.exchange.event_files import Reading, read_records
from cnnlab.exchange.events import Decoder, Parameter, Session
from cnnlab.exchange.found import FoundRun, ImportRunsError, Series, Tell, counted
from cnnlab.exchange.tensorboard_folders import folders_of, joined
from cnnlab.exchange.tensorboard_own import OWN_END, SCALARS, TEXTS, own_of
from cnnlab.exchange.wire import WireError

_STATES = {"SUCCESS": "completed", "FAILURE": "failed", "RUNNING": "lost", "UNKNOWN": "lost"}


@dataclass
class _Points:
    steps: "array[int]" = field(default_factory=lambda: array("q"))
    times: "array[float]" = field(default_factory=lambda: array("d"))
    values: "array[float]" = field(default_factory=lambda: array("d"))


@dataclass
class _Read:
    """What was read of the files of one run.

    Attributes:
        beginnings: Of each file with something in it when it was begun, its name (which holds time, host and process)
            and a digest of its records up to the first number. A file that grows or is copied keeps them, so the
            earliest says which run it is, wherever one began to look.
    """

    points: dict[str, _Points] = field(default_factory=dict)
    sessions: list[Session] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    first_s: list[float] = field(default_factory=list)
    beginnings: list[tuple[float, str, str]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)


class TensorBoardSource:
    """The runs below a folder, or of a single event file."""

    tool = "tensorboard"

    def __init__(self, path: Path):
        self._root = path if path.is_dir() else path.parent
        self._runs = joined(self._root, folders_of(path))
        self.notes: Sequence[str] = ()

    def run_keys(self) -> list[str]:
        """Return the folders of the runs, relative to the one that was given."""
        return sorted(self._runs)

    def read(self, key: str, tell: Tell) -> FoundRun:
        """Return one run; raises `ImportRunsError` where none of its files can be read."""
        files = self._runs[key]
        found = _Read()
        total = sum(path.stat().st_size for _, path in files) or 1
        done = 0
        for prefix, path in files:
            size = path.stat().st_size
            _read_file(path, prefix, found, _part_of(tell, done / total, size / total))
            done += size
        if not found.points and found.troubles:
            raise ImportRunsError(f"{key!r} cannot be read: {'; '.join(found.troubles)}. Copy the files again.")
        return self._run(key, found)

    def _run(self, key: str, found: _Read) -> FoundRun:
        is_ours = all(path.name.endswith(OWN_END) for _, path in self._runs[key])
        own = own_of(found.texts) if is_ours else None
        if is_ours:
            found.points = {name: points for name, points in found.points.items() if name not in SCALARS}
        begun = [session.start_s for session in found.sessions if session.start_s]
        firsts = [min(points.times) for points in found.points.values() if points.times and min(points.times) > 0]
        started = min(begun or found.first_s + firsts, default=None)
        parameters: dict[str, Parameter] = {}
        for session in found.sessions:
            parameters |= session.parameters or {}
        said = next((session.status for session in reversed(found.sessions) if session.status), "")
        ended = next((session.end_s for session in reversed(found.sessions) if session.end_s), None)
        last = max((max(points.times) for points in found.points.values() if points.times), default=None)
        return FoundRun(
            key=key,
            name=self._root.resolve().name if key == "." else key,
            identity="/".join(map(str, min(found.beginnings, default=(key, started)))),
            series=[_series(name, points, started) for name, points in found.points.items()],
            parameters=parameters,
            state=own.state if own else _STATES.get(said, "completed"),
            said_status=said,
            experiment="" if key == "." else self._root.resolve().name,
            started_s=started,
            ended_s=ended or last,
            is_named_by_place=True,
            has_own_names=is_ours,
            notes="TensorBoard's files keep numbers rounded to 32 bits." if own else "",
            failure=own.failure if own else "",
            own_config=own.config if own else None,
            own_run=own.said if own else None,
            own_content={name: text.encode() for name, text in own.texts.items()} if own else {},
            troubles=found.troubles,
        )


# === Reading ===


def _part_of(tell: Tell, before: float, share: float) -> Tell:
    return lambda done: tell(before + share * done)


def _read_file(path: Path, prefix: str, found: _Read, tell: Tell) -> None:
    size = path.stat().st_size or 1
    fresh: dict[str, _Points] = {}

    def take(tag: str, step: int, time_s: float, value: float) -> None:
        points = fresh.get(tag)
        if points is None:
            points = fresh[tag] = _Points()
        points.steps.append(step)
        points.times.append(time_s)
        points.values.append(value)

    reading, decoder, misread = Reading(), Decoder(TEXTS if path.name.endswith(OWN_END) else ()), 0
    beginning = hashlib.sha256()
    for count, record in enumerate(read_records(path, reading)):
        if not (fresh or decoder.sessions):
            beginning.update(record)
        try:
            decoder.read(record, take)
        except WireError:
            misread += 1
        if count % 20_000 == 0:
            tell(min(1.0, reading.done_bytes / size))
    if not reading.records and (reading.is_cut or reading.damaged or path.stat().st_size > 0):
        found.troubles.append(f"{path.name} is no event file, or damaged from its beginning")
    elif reading.trouble or misread:
        unread = f"{counted(misread, 'record')} without an event left out" if misread else ""
        found.troubles.append(f"{path.name}: {', '.join(filter(None, (reading.trouble, unread)))}")
    found.sessions += decoder.sessions
    found.texts |= decoder.texts
    found.first_s += [decoder.first_s] if decoder.first_s else []
    if fresh or decoder.sessions:
        found.beginnings.append((decoder.first_s or 0.0, path.name, beginning.hexdigest()))
    for tag, points in fresh.items():
        _add(found.points, f"{prefix}{tag}", points)


def _add(known: dict[str, _Points], name: str, fresh: _Points) -> None:
    """Put the points of a later file behind those of earlier ones, which end where it begins."""
    old = known.get(name)
    if old is None:
        known[name] = fresh
        return
    first = min(fresh.steps)
    kept = [place for place, step in enumerate(old.steps) if step < first]
    for column in ("steps", "times", "values"):
        before, after = getattr(old, column), getattr(fresh, column)
        setattr(old, column, array(before.typecode, [before[place] for place in kept]) + after)


def _series(name: str, points: _Points, started: float | None) -> Series:
    """Return the points by step; of a step that was written twice the later."""
    steps = np.frombuffer(points.steps, np.int64)
    _, last = np.unique(steps[::-1], return_index=True)
    rows = steps.size - 1 - last
    times = np.frombuffer(points.times, np.float64)[rows]
    elapsed = times - started if started else np.full(rows.size, np.nan)
    base = name.rpartition("/")[2]
    return Series(
        name,
        steps[rows],
        np.maximum(elapsed, 0.0),
        np.frombuffer(points.values, np.float64)[rows],
        by_epoch=base.startswith("epoch_"),
    )
