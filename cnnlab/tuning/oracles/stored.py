"""What an oracle keeps on the disk, written so that it can be killed at any moment.

Its folder holds `oracle.json` and `trial_<id>/trial.json`, each whole or as before.
"""

import hashlib
import json
import threading
from pathlib import Path
from typing import Any

from cnnlab.errors import StoreError
from cnnlab.files import read_json, write_atomic, write_json
from cnnlab.settings.study import StudyConfig
from cnnlab.tuning.limits import ORACLE_FILE
from cnnlab.tuning.oracles.light import Trial, TrialStatus, keras_tuner

# What is reported at this step is how the trial ended, such as the mean over its executions.
FINAL_STEP = 1_000_000_000
ENDED = (TrialStatus.COMPLETED, TrialStatus.FAILED)


def hashed_seed(study: StudyConfig) -> int:
    """Return the seed of the oracle, from 1 to 2^31.

    keras-tuner counts its seed up with every value it draws: the seeds 1, 2 and 3 give searches that share most trials.
    """
    digest = hashlib.sha256(f"{study.algorithm.name}:{study.seed}".encode()).digest()
    return int.from_bytes(digest[:4], "big") // 2 + 1


class StoredOracle(keras_tuner.Oracle):
    """keras-tuner's Oracle with a folder that survives a kill, and a check that it is this study's."""

    study: StudyConfig
    folder: Path
    # What keras-tuner keeps, without saying of what type.
    ongoing_trials: dict[str, Trial]
    max_trials: int

    def _place(self, study: StudyConfig, folder: Path) -> None:
        self.study = study
        self.folder = folder
        self._guard = threading.RLock()
        self._stopped_at: dict[str, int] = {}
        self._set_project_dir(str(folder.parent), folder.name)

    def save(self) -> None:
        """Write the state, whole or not at all."""
        write_json(self.folder / ORACLE_FILE, self.get_state())

    def reload(self) -> None:
        """Go on from the folder.

        Raises:
            StoreError: it holds no state of an oracle, or that of another search space.
        """
        state = read_json(self.folder / ORACLE_FILE)
        if not isinstance(state, dict):
            raise StoreError(
                f"{self.folder} holds no state of a search that can be read. Expected {ORACLE_FILE}. "
                "Start a new study; 'clone' takes the settings over."
            )
        if state.get("space_hash") != self.study.space_hash():
            raise StoreError(
                f"The trials in {self.folder} belong to another search space, run or objective. Expected those they "
                "began with. Start a new study; 'clone' takes the settings over."
            )
        # What is on the disk but not in the state was never handed out: it is proposed again.
        self.trials = {trial_id: self._read_trial(trial_id) for trial_id in state["start_order"]}
        self.set_state(state)
        self._reloaded()
        for trial in list(self.ongoing_trials.values()):
            if trial.status in ENDED:
                self._close(trial)

    def get_state(self) -> dict[str, Any]:
        """Return everything beside the trials, as JSON."""
        own = {
            "space_hash": self.study.space_hash(),
            "max_trials": self.max_trials,
            "stopped_at": self._stopped_at,
        }
        return super().get_state() | own

    def set_state(self, state: dict[str, Any]) -> None:
        """Take over what `get_state` returned."""
        super().set_state(state)
        self._stopped_at = dict(state["stopped_at"])
        self.max_trials = max(self.max_trials, state["max_trials"] or 0)
        self._retry_queue = list(state["retry_queue"])

    def _ended(self, trial: Trial) -> None:
        """Learn from a trial that has ended just now."""

    def _reloaded(self) -> None:
        """Rebuild what is not in the state, from the trials."""

    def _close(self, trial: Trial) -> None:
        if trial.trial_id not in self.end_order:
            self.end_order.append(trial.trial_id)
            self._ended(trial)
        self.ongoing_trials = {
            tuner_id: ongoing for tuner_id, ongoing in self.ongoing_trials.items() if ongoing is not trial
        }
        self.save()

    def _trial_file(self, trial_id: str) -> Path:
        return self.folder / f"trial_{trial_id}" / "trial.json"

    def _save_trial(self, trial: Trial, *, durable: bool = True) -> None:
        file = self._trial_file(trial.trial_id)
        file.parent.mkdir(parents=True, exist_ok=True)
        # Not write_json: a metric may be NaN.
        write_atomic(file, json.dumps(trial.get_state()), durable=durable)

    def _read_trial(self, trial_id: str) -> Trial:
        state = read_json(self._trial_file(trial_id))
        if not isinstance(state, dict):
            raise StoreError(
                f"Trial {trial_id} in {self.folder} cannot be read. Expected its trial.json as it was "
                "written. Bring the file back from a copy, or start a new study with 'clone'."
            )
        return Trial.from_state(state)
