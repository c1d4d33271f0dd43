"""Empty packages stand in while something is imported, and only then."""

import importlib
import sys

import pytest

from cnnlab.inspector.client import Inspector
from cnnlab.stand_ins import standing_in

NAME = "cnnlab_borrowed"
USER = f"""
import {NAME}.numpy as numpy
from {NAME} import jit, tools

@jit
def doubled(value):
    return 2 * value

@tools(static=1)
def tripled(value):
    return 3 * value

class Own(tools):
    pass

def later():
    return numpy.array([1])
"""


@pytest.fixture
def user(tmp_path, monkeypatch):
    (tmp_path / "borrowing.py").write_text(USER, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with standing_in(NAME):
        assert NAME not in sys.modules
        module = importlib.import_module("borrowing")
    yield module
    del sys.modules["borrowing"]


def test_what_was_left_out_is_said_where_it_is_needed(user):
    with pytest.raises(NotImplementedError, match=f"{NAME}.numpy.array is needed after all.*Import it before Keras"):
        user.later()


@pytest.mark.usefixtures("user")
def test_it_is_gone_afterwards():
    assert not [name for name in sys.modules if name.startswith(NAME)]
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(NAME)


def test_what_is_there_already_stays():
    before = sys.modules["json"]
    with standing_in("json"):
        import json

        assert json is before


@pytest.mark.processes
def test_networks_are_counted_where_jax_is_not_installed(tmp_path, monkeypatch):
    broken = tmp_path / "site" / "jax"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ModuleNotFoundError('jax', name='jax')", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))
    inspector = Inspector(tmp_path)
    try:
        asked = {"architecture": "lenet5", "parameters": {}, "input_shape": [32, 32, 1], "num_classes": 10}
        answer = inspector.ask("inspect", timeout_s=300.0, **asked)
    finally:
        inspector.close()
    assert (answer["num_params"], answer["macs"]) == (61_706, 416_520)
