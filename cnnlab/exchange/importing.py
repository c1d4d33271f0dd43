"""Runs of other tools into the store: a look first, then all of them or none."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cnnlab.errors import CNNLabError, ConfigError, suggestion
from cnnlab.exchange.converting import ImportOptions, adopted, chosen_targets, is_epoch, is_percent
from cnnlab.exchange.csv_source import CsvSource
from cnnlab.exchange.found import EmptyRunError, FoundRun, ImportRunsError, Series, Source, counted
from cnnlab.exchange.names import Target
from cnnlab.exchange.present import Present
from cnnlab.exchange.report import Report, Skipped
from cnnlab.exchange.sources import opened
from cnnlab.runs.adopting import AdoptedRun, Adoption
from cnnlab.runs.origin import is_foreign
from cnnlab.runs.store import Store

# Stage, how many are done, of how many.
Progress = Callable[[str, int, int], None]
# A look takes so many runs and so long at most; the import then reads all.
LOOK_RUNS, LOOK_S = 50, 3.0
# Of so many runs it says what of them cannot be read.
LOOK_TROUBLES = 5
_PARTS = 1000


@dataclass(frozen=True)
class NameSeen:
    """A name of numbers in a source: in how many of the runs looked at, how many numbers, their range, its place."""

    name: str
    runs: int
    points: int
    low: float
    high: float
    target: Target | None


@dataclass(frozen=True)
class Look:
    """What an import would find.

    Attributes:
        runs: How many there are; `looked_at` of them were read.
        columns: Roles of the columns, for CSV.
    """

    tool: str
    runs: int
    looked_at: int
    first_runs: Sequence[str]
    names: list[NameSeen]
    parameters: Sequence[str]
    columns: Mapping[str, str]
    notes: Sequence[str]


def look(
    path: Path,
    workplace: Path,
    tool: str | None = None,
    options: ImportOptions | None = None,
    columns: Mapping[str, str] | None = None,
) -> Look:
    """Return what is in a file or folder, from its first runs, without importing anything.

    Raises:
        ImportRunsError: as `opened`.
        ConfigError: as `opened`, or all runs were looked at and the options speak of a name that none has.
    """
    with opened(path, workplace, tool, columns) as source:
        keys, began = source.run_keys(), time.monotonic()
        found: list[FoundRun] = []
        notes = list(source.notes)
        for key in keys[:LOOK_RUNS]:
            try:
                found.append(source.read(key, lambda _share: None))
            except CNNLabError as error:
                notes.append(str(error))
            if time.monotonic() - began > LOOK_S:
                break
        notes += _first_troubles(found)
        if found and len(found) == len(keys):
            _check_names(options or ImportOptions(), {one.name for run in found for one in run.series})
        roles = source.roles() if isinstance(source, CsvSource) else {}
    return Look(
        tool=source.tool,
        runs=len(keys),
        looked_at=len(found),
        first_runs=[run.name for run in found[:5]],
        names=_names(found, options or ImportOptions()),
        parameters=sorted({name for run in found for name in run.parameters}),
        columns=roles,
        notes=notes,
    )


def _check_names(options: ImportOptions, names: Collection[str]) -> None:
    """Raise `ConfigError` for a name that is to become something and that no run has."""
    for name in options.mapping:
        if name not in names:
            raise ConfigError(f"No number is called {name!r} in these runs. {suggestion(name, names)}")


def _first_troubles(found: Sequence[FoundRun]) -> list[str]:
    troubles = [f"{run.name}: {'; '.join(run.troubles)}." for run in found if run.troubles]
    rest = len(troubles) - LOOK_TROUBLES
    return troubles[:LOOK_TROUBLES] + ([f"The same of {counted(rest, 'more run')}."] if rest > 0 else [])


def import_runs(
    store: Store,
    path: Path,
    *,
    tool: str | None = None,
    options: ImportOptions | None = None,
    columns: Mapping[str, str] | None = None,
    shown_path: str | None = None,
    progress: Progress | None = None,
) -> Report:
    """Import the runs of a file, a folder or a zip of such; a run that is there already is left alone.

    A run that cannot be read is left out and named; an error that is of the store's leaves nothing behind.

    Args:
        shown_path: What runs say that they came from, where `path` is only a copy.

    Raises:
        ImportRunsError: as `opened`, or no run can be read.
        ConfigError: as `opened`, or the options speak of a name that no run has; then nothing is imported.
        StoreError: the store cannot be written.
    """
    shown, options = shown_path or str(path), options or ImportOptions()
    with opened(path, store.cache_dir / "exchange", tool, columns) as source:
        report = Report(source.tool, shown, notes=list(source.notes))
        with Adoption(store) as adoption:
            present = Present(store, adoption)
            for place, key in enumerate(keys := source.run_keys()):
                _import_one(source, key, options, present, report, _teller(progress, place, len(keys)))
            if report.imported or report.known:
                _check_names(options, report.names)
    failed = [*report.skipped, *report.empty]
    if not (report.imported or report.known) and failed:
        first = failed[0].reason
        raise ImportRunsError(
            f"None of the {len(failed)} runs can be imported. The first: {first}" if len(failed) > 1 else first
        )
    return report


def _import_one(
    source: Source,
    key: str,
    options: ImportOptions,
    present: Present,
    report: Report,
    tell: Callable[[float], None],
) -> None:
    try:
        found = source.read(key, tell)
        report.names |= {one.name for one in found.series}
        run = adopted(found, source.tool, report.path, options)
    except EmptyRunError as error:
        report.empty.append(Skipped(key, str(error)))
        return
    except ImportRunsError as error:
        report.skipped.append(Skipped(key, str(error)))
        return
    if (same := present.same(run)) is not None:
        report.known.append(same)
        return
    present.add(run)
    report.imported.append(run.run_id)
    if found.troubles:
        report.troubles[run.run_id] = list(found.troubles)
    if not run.origin.has_config and (done := _done_to_numbers(found, run)):
        report.remarks[run.run_id] = done
    # The id of a run that was trained here says nothing of its state.
    is_own = found.own_run is not None and not is_foreign(found.own_run)
    if not is_own and (earlier := present.earlier(run)):
        report.newer[run.run_id] = earlier


def _done_to_numbers(found: FoundRun, run: AdoptedRun) -> list[str]:
    return [note for note in run.origin.notes if note != found.notes and note not in found.troubles]


def _teller(progress: Progress | None, place: int, count: int) -> Callable[[float], None]:
    """Return what tells how far an import is, in runs or, where these are few, in thousandths of one."""
    if progress is None:
        return lambda _share: None
    told = progress
    told("reading runs", place, count) if count > _PARTS else told("reading runs", place * _PARTS, count * _PARTS)

    def tell(share: float) -> None:
        if count <= _PARTS:
            told("reading runs", round((place + share) * _PARTS), count * _PARTS)

    return tell


def _names(found: Sequence[FoundRun], options: ImportOptions) -> list[NameSeen]:
    seen: dict[str, NameSeen] = {}
    for run in found:
        chosen, _ = chosen_targets(run, options)
        for one in run.series:
            if is_epoch(one) or not one.values.size:
                continue
            finite = one.values[np.isfinite(one.values)]
            low, high = (float(finite.min()), float(finite.max())) if finite.size else (np.nan, np.nan)
            old = seen.get(one.name)
            seen[one.name] = NameSeen(
                one.name,
                runs=1 + (old.runs if old else 0),
                points=one.values.size + (old.points if old else 0),
                low=float(np.fmin(low, old.low)) if old else low,
                high=float(np.fmax(high, old.high)) if old else high,
                target=_resolved(chosen.get(one.name), one),
            )
    return list(seen.values())


def _resolved(target: Target | None, one: Series) -> Target | None:
    """Return the target with what the import will take its numbers for."""
    return replace(target, is_percent=True) if target and is_percent(target, one.values) else target
