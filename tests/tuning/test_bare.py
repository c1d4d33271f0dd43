"""Chief and worker without Keras: every oracle works, its state comes back, what travels arrives."""

import json
import os
import subprocess
import sys

import pytest

CODE = """
import json, sys, tempfile, pathlib
from cnnlab.tuning.bare import do_without_keras
do_without_keras()
import cnnlab.tuning.chief, cnnlab.tuning.worker
from cnnlab.settings.study import study_from_dict
from cnnlab.tuning.oracles.making import make_oracle

study = study_from_dict({
    "space": {"training.learning_rate": "float(1e-3, 1e-1, log)", "training.optimizer": ["sgd", "adam"],
              "training.momentum": "float(0, 0.9)", "training.batch_size": "int(8, 64, step=8)"},
    "algorithm": {"name": sys.argv[1]}, "budget": {"trials": 12}, "run": {"training": {"epochs": 4}}})
folder = pathlib.Path(tempfile.mkdtemp())
for number in range(7):
    oracle = make_oracle(study, folder)
    trial = oracle.create_trial("worker0")
    if number < 6:
        sent = type(trial).from_proto(trial.to_proto())
        oracle.update_trial(sent.trial_id, {"val_accuracy": number / 10}, step=1)
        sent.status = "COMPLETED"
        oracle.end_trial(sent)
again = make_oracle(study, folder).create_trial("worker0")
heavy = [name for name in ("tensorflow", "jax", "torch") if name in sys.modules]
print(json.dumps({"same": again.hyperparameters.values == trial.hyperparameters.values, "heavy": heavy,
                  "ended": len(oracle.end_order), "best": oracle.get_best_trials(1)[0].score}))
"""


# One of keras-tuner's that keeps brackets, one of Optuna's; with CNNLAB_SLOW_TESTS all.
FEW, ALL = ("hyperband", "tpe"), ("random", "grid", "bayesian", "hyperband", "tpe", "asha", "nsga2")


@pytest.mark.parametrize("algorithm", ALL if os.environ.get("CNNLAB_SLOW_TESTS") else FEW)
def test_an_oracle_needs_no_keras(algorithm):
    answer = subprocess.run([sys.executable, "-c", CODE, algorithm], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr[-2000:]
    found = json.loads(answer.stdout.splitlines()[-1])
    assert found == {"same": True, "heavy": [], "ended": 6, "best": 0.5}
