"""The command of a study begins the same study."""

import shlex

import pytest
from made_studies import make_config
from typer.testing import CliRunner

from cnnlab.__main__ import app
from cnnlab.commands.study_text import study_command
from cnnlab.tuning import control


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"name": "my study", "seed": 3, "workers": 2, "budget": {"trials": 7, "hours": 0.5, "executions": 2}},
        {"objectives": ["val_accuracy", "macs"], "algorithm": {"name": "nsga2"}},
        {"pruning": {"rule": "median"}, "algorithm": {"name": "tpe"}},
        {"space": {"augmentation": ["", "flip_lr|crop(pad=4)"], "training.epochs": "int(2, 8, step=2)"}},
    ],
)
def test_the_command_says_all(values, monkeypatch):
    study = make_config(**values)
    begun = []

    def start(_store, config, **_):
        begun.append(config)
        raise KeyboardInterrupt  # all that was to be seen

    monkeypatch.setattr(control, "start_study", start)
    words = shlex.split(study_command(study))
    assert words[:4] == ["python", "-m", "cnnlab", "tune"]
    CliRunner().invoke(app, words[3:])
    assert begun == [study]


@pytest.mark.parametrize(
    "values",
    [{"notes": "mine"}, {"algorithm": {"name": "tpe", "initial_points": 3}}, {"budget": {"trials": 9, "epochs": 5}}],
)
def test_what_has_no_option_takes_the_file(values):
    assert study_command(make_config(**values)) == "python -m cnnlab tune --config study.yaml"
