"""`measure`: what is asked wrongly, and a process that dies without a word."""

import json

import pytest

from cnnlab.__main__ import run
from cnnlab.commands import measure
from cnnlab.config import config_from_dict
from cnnlab.errors import StoreError
from cnnlab.runs.status import RunStatus, write_status
from cnnlab.runs.store import Store
from cnnlab.training.inference import MeasureOptions


def completed() -> str:
    """A run that looks trained and whose model is none."""
    run_dir = Store().create_run(config_from_dict({}))
    (run_dir / "model.keras").write_bytes(b"no model")
    write_status(run_dir, RunStatus(state="completed"))
    return run_dir.name


@pytest.mark.parametrize("written", ["1,x", "0", "", "1;2", "99999999"])
def test_batch_sizes_that_cannot_be_read(capsys, written):
    assert run(["measure", completed(), "--batch-sizes", written]) == 2
    assert capsys.readouterr().err == (
        f"--batch-sizes {written!r} cannot be read. Expected whole numbers from 1 to 65,536 with commas between. "
        "Write it as in --batch-sizes 1,8,64.\n"
    )


def test_sizes_come_in_rising_order_and_once():
    assert measure._sizes("64, 1,8,8") == (1, 8, 64)


def test_an_unknown_run_is_named_before_anything_is_measured(capsys):
    assert run(["measure", completed(), "nope"]) == 2
    assert "No run 'nope' in " in capsys.readouterr().err


@pytest.mark.processes
def test_a_process_that_dies_says_what_it_said_last(monkeypatch):
    monkeypatch.setattr(measure.sys, "executable", "/bin/false")
    with pytest.raises(StoreError) as error:
        measure.measure_in_child(Store().run_dir(completed()), MeasureOptions())
    assert "could not be measured: the process ended with code 1. It said last: nothing." in str(error.value)


def test_one_run_that_cannot_be_measured_does_not_stop_the_others(monkeypatch, capsys):
    first, second = completed(), completed()

    def measured(run_dir, _options, _tell):
        if run_dir.name == first:
            raise StoreError("It is broken.")
        return {"rows": [ROW], "stopped": ""}

    monkeypatch.setattr(measure, "measure_in_child", measured)
    assert run(["measure", first, second, "--json"]) == 1
    documents = json.loads(capsys.readouterr().out)["runs"]
    assert [(one["run_id"], one["stopped"], len(one["rows"])) for one in documents] == [
        (first, "It is broken.", 0),
        (second, "", 1),
    ]
    assert run(["measure", second]) == 0
    printed = capsys.readouterr().out
    assert f"{second} on a processor; Python 3.11.7, keras 3.15.0" in printed
    assert "1,234.50" in printed


ROW = {
    "batch_size": 64,
    "n": 5,
    "median_s": 1.2345,
    "p10_s": 1.0,
    "p90_s": 2.0,
    "images_per_s": 51.8,
    "memory_bytes": 2**20,
    "gpu_memory_bytes": None,
    "hardware": "a processor",
    "versions": "Python 3.11.7, keras 3.15.0",
}
