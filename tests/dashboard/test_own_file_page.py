"""No page runs a file of this machine, however its config gets there."""

import pytest

from cnnlab.config import RunConfig, config_from_dict, config_from_yaml
from cnnlab.errors import ConfigError
from dashboard import data

pytestmark = pytest.mark.usefixtures("questions", "queue")
VALUES = {"architecture": {"name": "own_file", "parameters": {"path": "/somewhere/net.py"}}}
SENTENCE = (
    "The network of this config is the file '/somewhere/net.py'. Pages run no files, as whoever opens them could run "
    "any. Train it with 'python -m cnnlab train'."
)


def test_pasted_yaml_with_a_file_is_refused(open_page):
    app = open_page("train")
    app.text_area(key="pasted_yaml").set_value(config_from_dict(VALUES).to_yaml())
    app.button(key="load_yaml").click().run()
    assert app.error[0].value.replace("\\", "") == SENTENCE
    assert config_from_yaml(next(block.value for block in app.code if block.language == "yaml")) == RunConfig()


def test_a_run_of_a_file_is_shown_and_not_cloned(open_page, make_run):
    run_id = make_run(**VALUES)
    assert "Network of an own file on digits" in open_page("run", run=run_id).caption[0].value
    app = open_page("train", **{"from": run_id})
    assert app.error[0].value.replace("\\", "") == SENTENCE


def test_no_file_is_submitted(store):
    with pytest.raises(ConfigError, match="Pages run no files"):
        data.submit(config_from_dict(VALUES))
    assert store.run_ids() == []


@pytest.mark.parametrize("name", ["own_file", "lenet6"])
def test_an_address_names_only_what_pages_list(open_page, name):
    app = open_page("train", architecture=name)
    assert f"Unknown architecture '{name}'" in app.error[0].value.replace("\\", "")
    assert app.selectbox(key="train.architecture").value == "lenet5"


def test_no_file_is_searched_around(open_page, make_run, questions):
    app = open_page("tune", **{"from": make_run(**VALUES)})
    assert app.error[0].value.replace("\\", "") == SENTENCE
    assert app.button(key="start").disabled
    assert not [kind for kind, _ in questions if kind == "costs"]  # nobody counted the network, which runs the file
