"""What commands tell of a study, as plain mappings, and how one waits for it."""

import contextlib
import json
import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cnnlab.errors import QueueError
from cnnlab.launch.queue import Queue
from cnnlab.runs import studies, trials
from cnnlab.runs.store import Store
from cnnlab.runs.study_status import is_at_work, read_status
from cnnlab.settings.layer_places import short_name, value_text
from cnnlab.tuning import control
from cnnlab.tuning.keeping import ranked

LOOK_S = 0.25
TICK_S = 2.0


def document(store: Store, study_id: str) -> dict[str, Any]:
    """Return what is known of a study and its trials; `best` are the ids of completed trials, the best first."""
    folder = studies.study_dir(store, study_id)
    one, known = studies.study(store, study_id), trials.trials(folder)
    order = ranked(known.values(), one.config.objectives)
    counts = {status: sum(row["status"] == status for row in known.values()) for status in trials.STATUSES}
    return {
        "study_id": study_id,
        "name": one.name,
        "state": one.status.state,
        "reason": one.status.reason,
        "is_at_work": is_at_work(folder, one.status),
        "created_at": one.created_at,
        "ended_at": one.status.ended_at,
        "active_s": round(one.status.active_s, 1),
        "disk_bytes": one.status.disk_bytes,
        "algorithm": one.config.algorithm.name,
        "objectives": {objective.metric: objective.direction for objective in one.config.objectives},
        "width": one.width,
        "max_trials": one.max_trials,
        "counts": counts,
        "best": _trial(known[order[0]]) if order else None,
        "ranking": order,
        "trials": [_trial(row) for row in known.values()],
        "path": str(folder),
    }


def ranked_rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the trials of a document, the best first, then those without a score by number."""
    place = {trial_id: index for index, trial_id in enumerate(found["ranking"])}
    return sorted(found["trials"], key=lambda row: (place.get(row["trial_id"], len(place)), row["number"]))


def values_text(values: dict[str, Any]) -> str:
    """Return `learning_rate=0.012 optimizer=sgd`: what was tried, by the last words of its places."""
    return " ".join(f"{short_name(path).replace(' ', '_')}={_value_text(value)}" for path, value in values.items())


def _value_text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return value_text(value).replace(", ", ",").replace(" ", "_")
    return f"{value:.4g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)


def follow_study(store: Store, queue: Queue, study_id: str) -> None:
    """Show how many trials are done on standard error until the study is at rest; Ctrl-C stops it."""
    folder = studies.study_dir(store, study_id)
    reader, console = trials.Reader(folder), Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeElapsedColumn())
    ticked = time.monotonic()
    try:
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task(study_id, total=studies.study(store, study_id).max_trials, note="")
            while not read_status(folder).has_ended:
                known = reader.read()
                ended = sum(row["status"] in trials.ENDED for row in known.values())
                bar.update(task, completed=ended, note=f"{ended} of {len(known)} begun trials ended")
                if time.monotonic() - ticked > TICK_S:
                    ticked = time.monotonic()
                    queue.tick()
                time.sleep(LOOK_S)
    except KeyboardInterrupt:
        with contextlib.suppress(QueueError):  # it ended this very moment
            control.stop_study(store, study_id, queue=queue)
        raise


def _trial(row: dict[str, Any]) -> dict[str, Any]:
    names = ("trial_id", "number", "status", "reason", "worker", "attempts", "epochs_done", "started_at", "ended_at")
    mappings = {name: row.get(name) or {} for name in ("values", "objectives")}
    return {name: row.get(name) for name in names} | mappings | {"run_ids": row.get("run_ids") or []}
