"""What stays on disk of a study: the trained networks of its best trials, and the numbers of all."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnlab.files import read_json, size_of
from cnnlab.runs import trials
from cnnlab.runs.checkpoint import FOLDER, discard_checkpoint
from cnnlab.settings.objectives import Objective
from cnnlab.settings.study import StudyConfig
from cnnlab.tuning.limits import CONTINUING, ORACLE, ORACLE_FILE

NETWORK = "model.keras"


class Keeping:
    """Deletes networks and checkpoints of trials that are not among the best, and knows how much is left."""

    def __init__(self, study_dir: Path, config: StudyConfig):
        self._oracle_file = study_dir / ORACLE / ORACLE_FILE
        self._runs_dir = study_dir.parent.parent / "runs"
        self._config = config
        self._cleared: set[str] = set()
        self._sizes: dict[str, int] = {}
        self._num_ended = 0
        self.disk_bytes = 0

    def look(self, known: Mapping[str, Mapping[str, Any]], *, is_over: bool = False) -> None:
        """Clear what is not to be kept.

        Args:
            known: The trials by their ids, as `cnnlab.runs.trials` returns them.
            is_over: No trial goes on from another's checkpoint any more.
        """
        ended = {key: row for key, row in known.items() if row["status"] in trials.ENDED}
        if is_over or len(ended) > self._num_ended:
            kept = set(ranked(ended.values(), self._config.objectives)[: self._config.keep_checkpoints])
            kept |= set() if is_over else self._continuing(ended)
            for trial_id in sorted(ended.keys() - kept - self._cleared):
                for run_id in ended[trial_id].get("run_ids") or ():
                    clear(self._runs_dir / run_id)
                    self._sizes.pop(run_id, None)
                self._cleared.add(trial_id)
            self._num_ended = len(ended)
        self._measure(known)

    def _continuing(self, ended: Iterable[str]) -> set[str]:
        """Return the trials from which the algorithm may still go on; all where it cannot be asked."""
        if self._config.algorithm.name != "hyperband":
            return set()
        state = read_json(self._oracle_file)
        return set(state[CONTINUING] if isinstance(state, dict) and CONTINUING in state else ended)

    def _measure(self, known: Mapping[str, Mapping[str, Any]]) -> None:
        total = 0
        for row in known.values():
            for run_id in row.get("run_ids") or ():
                if run_id not in self._sizes or row["status"] not in trials.ENDED:
                    self._sizes[run_id] = size_of(self._runs_dir / run_id)
                total += self._sizes[run_id]
        self.disk_bytes = total


def ranked(rows: Iterable[Mapping[str, Any]], objectives: Sequence[Objective]) -> list[str]:
    """Return the ids of the completed trials, the best first; of several objectives front after front."""
    scored = []
    for row in rows:
        reached = row.get("objectives") or {}
        values = [reached[one.metric] for one in objectives if isinstance(reached.get(one.metric), int | float)]
        if row["status"] == "completed" and len(values) == len(objectives):
            signed = tuple(
                -value if objective.direction == "max" else value
                for value, objective in zip(values, objectives, strict=True)
            )
            scored.append((signed, row["number"], row["trial_id"]))
    if len(objectives) == 1:
        return [trial_id for _, _, trial_id in sorted(scored)]
    found: list[str] = []
    while scored:
        front = [one for one in scored if not any(_is_better(other[0], one[0]) for other in scored)]
        found += [trial_id for _, _, trial_id in sorted(front)]
        scored = [one for one in scored if one not in front]
    return found


def _is_better(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True)) and tuple(one) != tuple(other)


def clear(run_dir: Path) -> None:
    """Delete the network and the checkpoint of a run; what it measured and said stays."""
    with contextlib.suppress(OSError):
        (run_dir / NETWORK).unlink(missing_ok=True)
        if (run_dir / FOLDER).exists():
            discard_checkpoint(run_dir)
