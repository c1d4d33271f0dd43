"""A trial on a higher rung of Hyperband goes on from the run of the trial below, where its state is still there."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from cnnlab.runs import checkpoint, trials
from cnnlab.runs.checkpoint import checkpoint_path, discard_checkpoint
from cnnlab.runs.continuing import begin, state_name
from cnnlab.runs.status import RunStatus, write_status
from cnnlab.runs.store import Store
from cnnlab.runs.studies import create_study, study_dir
from cnnlab.settings.study import study_from_dict
from cnnlab.tuning.worker import OneTrial

RATE = "training.learning_rate"
VALUES = {RATE: 0.01}


@pytest.fixture
def rung(tmp_path):
    """A worker's view of a Hyperband study whose first trial has ended, and that trial's run."""
    store = Store(tmp_path / "store")
    config = study_from_dict(
        {
            "space": {RATE: "float(1e-3, 1e-1, log)"}, "algorithm": {"name": "hyperband"}, "budget": {"epochs": 9},
            "run": {"training": {"warmup_epochs": 3}},
        }
    )  # fmt: skip
    folder = study_dir(store, create_study(store, config).study_id)
    tuner = SimpleNamespace(study=config, study_dir=folder, store=store, queue=None)
    trials.say(folder, "00000", number=1, status="completed", values=VALUES)
    first = trial_of(tuner, "00000", {"tuner/epochs": 1, "tuner/initial_epoch": 0})
    run_dir = store.create_run(first._config(0))
    trials.say(folder, "00000", run_ids=[run_dir.name])
    write_status(run_dir, RunStatus(state="completed"))
    keep_state(run_dir, first._config(0), epoch=1)
    trials.say(folder, "00001", number=2, status="waiting", values=VALUES)
    going_on = {"tuner/epochs": 3, "tuner/initial_epoch": 1, "tuner/trial_id": "00000"}
    return trial_of(tuner, "00001", going_on), run_dir


def trial_of(tuner, trial_id, rung):
    values = {RATE: 0.01, **rung}
    metrics = SimpleNamespace(metrics={})
    return OneTrial(
        tuner, SimpleNamespace(trial_id=trial_id, hyperparameters=SimpleNamespace(values=values), metrics=metrics)
    )


def keep_state(run_dir, config, epoch):
    """Write a checkpoint as far as it is read without Keras."""
    position = {"epoch": epoch, "step": 0, "elapsed_s": 2.0}
    about = {"format": checkpoint.FORMAT, "fingerprint": state_name(config), "position": position}
    path = checkpoint_path(run_dir)
    path.parent.mkdir()
    np.savez(path, about=np.frombuffer(json.dumps(about).encode(), np.uint8))


def test_it_trains_on_from_where_the_trial_below_ended(rung):
    one, below = rung
    config = one._config(0)
    assert (config.training.epochs, config.training.continue_from) == (3, below.name)
    assert config.training.warmup_epochs == pytest.approx(1), "the schedule is that of a training of 3 epochs"
    run_dir = one.tuner.store.create_run(config)
    begin(run_dir, config)  # raises where the state does not fit
    assert checkpoint.read_about(run_dir)["position"]["epoch"] == 1


def test_it_trains_from_the_start_where_that_state_is_gone(rung):
    one, below = rung
    discard_checkpoint(below)
    config = one._config(0)
    assert (config.training.epochs, config.training.continue_from) == (3, None)


def test_another_execution_goes_on_from_its_own_seed_or_not_at_all(rung):
    one, _ = rung
    config = one._config(1)
    assert (config.training.seed, config.training.continue_from) == (1, None)
