"""A run whose probabilities are averaged over views says so wherever its accuracy stands."""

import json

import pytest
from page_text import said

from cnnlab.commands.documents import run_document

pytestmark = pytest.mark.usefixtures("queue")


@pytest.fixture
def averaged(make_run, store) -> str:
    """A completed run of flipped views, whose images as they are give 80 %."""
    run_id = make_run()
    path = store.run_dir(run_id) / "result.json"
    result = json.loads(path.read_text(encoding="utf-8"))
    plain = {split: {"label": {"accuracy": 0.8, "loss": 0.4, "correct": 8, "n": 10}} for split in ("val", "test")}
    path.write_text(json.dumps({**result, "test_time": "flip_and_shifts", "plain": plain}), encoding="utf-8")
    return run_id


def test_the_page_of_a_run_says_which_views_and_the_plain_accuracy(open_page, averaged):
    words = said(open_page("run", run=averaged))
    assert (
        "Averaged over views of each image (flip and shifts); of the images as they are the test accuracy is 80.0 %"
        in (words)
    )


def test_a_run_of_the_images_as_they_are_says_nothing(open_page, make_run):
    assert "Averaged over views" not in said(open_page("run", run=make_run()))


def test_the_document_of_a_run_has_both(averaged, store, make_run):
    document = run_document(store, averaged)
    assert document["test_time"] == "flip_and_shifts"
    assert (document["test_accuracy"], document["plain"]["test"]["label"]["accuracy"]) == (0.9, 0.8)
    plain = run_document(store, make_run())
    assert plain["test_time"] == "none"
    assert "plain" not in plain
