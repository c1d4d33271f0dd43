"""Chief and worker do without Keras and scikit-learn: oracles work, their state comes back, what travels arrives."""

import json
import subprocess
import sys

CODE = """
import importlib.util, json, pathlib, sys, tempfile
import cnnlab.tuning.chief, cnnlab.tuning.worker
from cnnlab.settings.study import study_from_dict
from cnnlab.tuning.oracles.making import ORACLES, make_oracle

LARGE = ("keras", "tensorflow", "jax", "torch", "sklearn", "scipy", "pandas", "tensorboard", "polars")
found = {}
for algorithm in sorted(ORACLES, key="bayesian".__eq__):
    options = {"name": algorithm, "initial_points": 2}
    study = study_from_dict({
        "space": {"training.learning_rate": "float(1e-3, 1e-1, log)", "training.optimizer": ["sgd", "adam"],
                  "training.momentum": "float(0, 0.9)", "training.batch_size": "int(8, 64, step=8)"},
        "algorithm": options, "budget": {"trials": 12}, "run": {"training": {"epochs": 4}}})
    folder = pathlib.Path(tempfile.mkdtemp())
    for number in range(4):
        oracle = make_oracle(study, folder)
        trial = oracle.create_trial("worker0")
        if number < 3:
            sent = type(trial).from_proto(trial.to_proto())
            oracle.update_trial(sent.trial_id, {"val_accuracy": number / 10}, step=1)
            sent.status = "COMPLETED"
            oracle.end_trial(sent)
    again = make_oracle(study, folder).create_trial("worker0")
    found[algorithm] = {
        "same": again.hyperparameters.values == trial.hyperparameters.values, "ended": len(oracle.end_order),
        "best": oracle.get_best_trials(1)[0].score, "large": [name for name in LARGE if name in sys.modules]}
print(json.dumps({"found": found, "keras": importlib.util.find_spec("keras").origin is not None}))
"""


def test_oracles_need_neither_keras_nor_scikit_learn_and_leave_both_to_whom_comes_later():
    answer = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr[-2000:]
    said = json.loads(answer.stdout.splitlines()[-1])
    assert said["keras"], "it cannot be imported any more"
    large = {name: one.pop("large") for name, one in said["found"].items()}
    assert said["found"] == {name: {"same": True, "ended": 3, "best": 0.2} for name in large}
    assert len(large) == 7
    assert {name: found for name, found in large.items() if name != "bayesian"} == {
        name: [] for name in large if name != "bayesian"
    }
    assert "keras" not in large["bayesian"]
