"""Each recipe makes a network, and opens with its source, what it reaches, how long it takes, on what and when."""

import re

import keras
import pytest
from made_info import info

from cnnlab.analysis.costs import costs
from cnnlab.config import config_from_yaml
from cnnlab.training.models import build_network
from dashboard.components.recipes import opening, recipe_files

RECIPES = recipe_files().values()
CHANNELS = {"digits": 1}
SAYS = {
    "source": r"arXiv:\d{4}\.\d{5}|doi:10\.\d{4}",
    "accuracy, spread and n": r"\d\d\.\d % \(\d\d\.\d to \d\d\.\d, n = \d+",
    "time": r"training [\d.,]+ s .*whole command [\d.,]+ s ",
    "hardware": r"(Intel|AMD) .*\d+ cores",
    "versions": r"Python \d+\.\d+\.\d+, TensorFlow \d+\.\d+\.\d+, Keras \d+\.\d+\.\d+",
    "date": r"20\d\d-\d\d-\d\d",
}


def test_there_are_recipes():
    assert RECIPES


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_opening_says_what_was_measured(path):
    missing = [what for what, pattern in SAYS.items() if not re.search(pattern, opening(path))]
    assert not missing
    assert f"--config experiments/recipes/{path.name}" in opening(path)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_network_has_the_size_that_the_opening_says(path):
    config = config_from_yaml(path.read_text(encoding="utf-8"))
    assert config.name
    try:
        with keras.StatelessScope(initialize_variables=False):
            found = costs(build_network(config, info(channels=CHANNELS.get(config.data.dataset, 3))))
    finally:
        keras.backend.clear_session(free_memory=False)
    said = re.search(r"([\d,]+) parameters.*?([\d.]+) (million|thousand) MACs", opening(path))
    assert said, "the opening names parameters and MACs"
    assert int(said[1].replace(",", "")) == found.num_params
    assert found.macs / {"million": 1e6, "thousand": 1e3}[said[3]] == pytest.approx(float(said[2]), abs=0.05)
