"""The finder of the form: starts the command on what the form holds, draws what came out, and puts it into the form."""

import json
import time

import pytest
from page_text import said

from cnnlab.config import RunConfig, config_from_dict, config_from_yaml
from dashboard.components import data_jobs, finding

pytestmark = [pytest.mark.usefixtures("questions", "queue"), pytest.mark.processes]

RATE = {
    "rates": [1e-3, 1e-2, 1e-1], "losses": [2.0, 1.2, 0.9], "smoothed": [2.0, 1.4, 1.0], "steepest": 0.0123,
    "diverged_at": 0.5, "tenth": 0.05, "suggestion": 0.0123, "rule": "steepest",
}  # fmt: skip
BATCH = {
    "rows": [{"batch_size": 256, "images_per_s": 100.0, "step_s": 0.08, "steps": 9}], "largest_estimated": 4096,
    "largest_tried": 256, "stopped": "The train split has 300 images.", "suggestion": 256, "device": "CPU",
}  # fmt: skip


@pytest.fixture
def fake_command(tmp_path, monkeypatch):
    """Make `python -m cnnlab find-...` say what a test wants; returns how it was called."""
    calls = []

    def make(code: str):
        (tmp_path / "fake_find.py").write_text(code, encoding="utf-8")
        real = data_jobs.start
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

        def start(root, name, title, arguments, **values):
            calls.append(arguments)
            return real(root, name, title, ["fake_find"], **values)

        monkeypatch.setattr(data_jobs, "start", start)
        return calls

    return make


def ended(store, kind):
    """The only search of a kind, once its process has ended."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        (job,) = finding.jobs(store.root, kind)
        if not job.is_running:
            return job
        time.sleep(0.05)
    raise AssertionError("the search did not end")


def test_a_found_rate_goes_into_the_form(open_page, store, fake_command):
    calls = fake_command(f"print({json.dumps(json.dumps(RATE))})")
    page = open_page("train")
    page.button(key="find_rate").click().run()
    job = ended(store, "rate")
    assert calls[0][:3] == ["cnnlab", "find-rate", "--config"]
    assert calls[0][4:] == ["--json", "--progress-json"]
    assert config_from_yaml((job.folder / "config.yaml").read_text(encoding="utf-8")) == RunConfig()
    page.run()
    assert "Suggested: 0.012, because the loss falls fastest there." in said(page)
    page.button(key=f"use_{job.folder.name}_steepest").click().run()
    assert page.number_input(key="train.training.learning_rate").value == 0.012
    assert "found with other settings" not in said(page)  # a rate is what was looked for
    page.selectbox(key="train.training.optimizer").set_value("sgd").run()
    assert "found with other settings" in said(page)
    next(button for button in page.button if button.label == "Dismiss").click().run()
    assert finding.jobs(store.root, "rate") == []


def test_a_found_batch_size_goes_into_the_form(open_page, store, fake_command):
    fake_command(f"print({json.dumps(json.dumps(BATCH))})")
    finding.start(store.root, "batch", RunConfig())
    job = ended(store, "batch")
    page = open_page("train")
    words = said(page).replace("\\", "")
    assert "Timed on CPU. The train split has 300 images. Estimated from the network, 4,096 is the largest" in words
    page.button(key=f"use_{job.folder.name}").click().run()
    assert page.number_input(key="train.training.batch_size").value == 256


def test_a_running_search_shows_its_progress_and_can_be_cancelled(open_page, store, fake_command):
    fake_command(
        "import json, sys, time\n"
        'sys.stderr.write(json.dumps({"stage": "trying rates", "done": 30, "total": 120}) + "\\n")\n'
        "sys.stderr.flush()\n"
        "time.sleep(600)"
    )
    finding.start(store.root, "rate", RunConfig())
    try:
        page = open_page("train")
        assert page.button(key="find_rate").disabled, "two at once would disturb each other"
        assert page.button(key="find_batch").disabled
        next(button for button in page.button if button.label == "Cancel").click().run()
        assert ended(store, "rate").error == "Cancelled."
        assert "Cancelled" in page.error[0].value
    finally:
        for job in finding.jobs(store.root, "rate"):
            data_jobs.cancel(job)


def test_a_search_that_failed_says_why(open_page, store, fake_command):
    fake_command("import sys; sys.stderr.write('Memory is full. Take a smaller network.'); sys.exit(2)")
    finding.start(store.root, "rate", RunConfig())
    ended(store, "rate")
    page = open_page("train")
    assert page.error[0].value.replace("\\", "") == "Trying learning rates: Memory is full. Take a smaller network."


def test_a_wrong_form_cannot_be_searched_for(open_page):
    page = open_page("train")
    page.number_input(key="train.training.epochs").set_value(2)
    page.number_input(key="train.training.warmup_epochs").set_value(2.0)
    page.run()
    assert page.button(key="find_rate").disabled


def test_what_a_search_depends_on():
    first = config_from_dict({"training": {"learning_rate": 0.1, "seed": 1}, "name": "a"})
    assert finding.asked("rate", first) == finding.asked("rate", RunConfig())
    larger = config_from_dict({"training": {"batch_size": 128}})
    assert finding.asked("rate", larger) != finding.asked("rate", RunConfig())
    assert finding.asked("batch", larger) == finding.asked("batch", RunConfig())
