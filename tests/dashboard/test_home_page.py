"""The first page: newcomers, running trainings, newest results."""

import pytest
from made_runs import make_run

from cnnlab.config import config_from_dict


def test_newcomer_sees_one_big_button_and_the_next_steps(open_page):
    page = open_page("home")
    assert [button.label for button in page.button] == ["Train LeNet-5 on handwritten digits"]
    assert "Runs" not in [metric.label for metric in page.metric]
    assert not page.exception


@pytest.mark.usefixtures("questions")
def test_big_button_opens_the_form_with_lenet_and_digits(open_page):
    page = open_page("home")
    page.session_state["draft"] = config_from_dict({"data": {"dataset": "shapes"}}).to_dict()
    page.button(key="start_first_run").click().run()
    assert page.title[0].value == "Train"
    assert page.session_state["draft"]["architecture"]["name"] == "lenet5"
    assert page.session_state["draft"]["data"]["dataset"] == "digits"


def test_totals_running_and_newest(open_page, store):
    make_run(store.root, accuracy=0.9)
    make_run(store.root, state="failed")
    make_run(store.root, state="running", name="now")
    page = open_page("home")
    assert [metric.value for metric in page.metric][:2] == ["3", "1"]
    said = " ".join(caption.value for caption in page.caption)
    assert "Test top-1 **90.0 %** (85.1 to 93.4 %, n = 200)" in said
    assert "Not tested" in said
    assert "Epoch 3 of 4, about 12 s left" in [progress.text for progress in page.get("progress")]


def test_names_are_shown_as_written(open_page, store):
    make_run(store.root, name=":red[x] <b>")
    page = open_page("home")
    assert not page.exception
    labels = [link.label for link in page.get("page_link")]
    assert r"\:red\[x\] \<b\>" in labels


def test_polls_only_while_something_runs(open_page, store):
    make_run(store.root)
    page = open_page("home")
    assert "Nothing runs now." in [caption.value for caption in page.caption]
