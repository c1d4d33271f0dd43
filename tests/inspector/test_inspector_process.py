"""The inspector with a real process: it answers, dies, hangs, idles and never outlives its parent."""

import base64
import io
import os
import subprocess
import sys
import threading
import time

import psutil
import pytest
from PIL import Image

from cnnlab.config import RunConfig
from cnnlab.errors import ConfigError, DatasetError, UnknownNameError
from cnnlab.inspector.client import Inspector, InspectorError, shared_inspector

pytestmark = pytest.mark.processes

DEADLINE_S = 60.0


@pytest.fixture
def inspector(tmp_path):
    inspector = Inspector(tmp_path)
    yield inspector
    inspector.close()


@pytest.fixture(scope="module")
def warm_inspector(tmp_path_factory):
    inspector = Inspector(tmp_path_factory.mktemp("store"))
    inspector.warm()
    yield inspector
    inspector.close()


def wait_until(condition):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def test_nothing_starts_before_the_first_question_and_then_one_process_answers_all(inspector, tmp_path):
    assert inspector.pid is None
    first, second = inspector.ask("ping"), inspector.ask("ping")
    assert first["pid"] == second["pid"] == inspector.pid
    assert first["store"] == str(tmp_path)
    assert not first["has_keras"]


def test_a_killed_process_is_replaced_at_the_next_question(inspector):
    before = inspector.ask("ping")["pid"]
    psutil.Process(before).kill()
    wait_until(lambda: inspector.pid is None)
    assert inspector.ask("ping")["pid"] != before


def test_a_process_killed_over_a_question_is_an_error_and_the_next_question_works(inspector):
    failures = []

    def ask():
        try:
            inspector.ask("warm")  # loads Keras, which leaves seconds to kill it in
        except InspectorError as error:
            failures.append(str(error))

    inspector.ask("ping")
    thread = threading.Thread(target=ask)
    thread.start()
    wait_until(lambda: inspector._lock.locked() and inspector._child._last == 2)
    psutil.Process(inspector.pid).kill()
    thread.join(DEADLINE_S)
    cause = "exit code 1" if os.name == "nt" else "signal 9"
    assert failures == [f"The inspector died over 'warm' ({cause}). Ask again; if it dies again, see {inspector.log}."]
    assert inspector.ask("ping")["pid"]


def test_no_answer_in_time_is_an_error_and_stops_the_process(inspector):
    hung = inspector.ask("ping")["pid"]
    with pytest.raises(InspectorError) as caught:
        inspector.ask("warm", timeout_s=0.02)
    assert str(caught.value) == (
        "The inspector gave no answer to 'warm' within 0.02 s and was stopped. "
        f"Ask again, or for something smaller. Its log is {inspector.log}."
    )
    wait_until(lambda: not psutil.pid_exists(hung))
    assert inspector.ask("ping")["pid"] != hung


def test_a_busy_inspector_says_so_in_time(inspector):
    with inspector._lock, pytest.raises(InspectorError, match=r"^The inspector is busy and did not get to 'ping'"):
        inspector.ask("ping", timeout_s=0.02)


def test_threads_get_each_their_own_answer(inspector):
    answers = {}

    def ask(number):
        try:
            inspector.ask(f"question {number}")
        except UnknownNameError as error:
            answers[number] = str(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert {number: text.split(".")[0] for number, text in answers.items()} == {
        number: f"Unknown question 'question {number}'" for number in range(8)
    }


def test_it_leaves_when_idle_and_comes_back(tmp_path):
    inspector = Inspector(tmp_path, idle_s=0.1)
    pid = inspector.ask("ping")["pid"]
    wait_until(lambda: inspector.pid is None)
    assert inspector.ask("ping")["pid"] != pid
    inspector.close()


def test_it_ends_with_its_parent_even_over_a_question(tmp_path):
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from cnnlab.inspector.client import Inspector\n"
            "inspector = Inspector(sys.argv[1])\n"
            "print(inspector.ask('ping')['pid'], flush=True)\n"
            "inspector.ask('warm')\n"
            "sys.stdin.read()",
            str(tmp_path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_kept_answer_needs_no_process(tmp_path):
    inspector = Inspector(tmp_path)
    inspector._answers.write("preview", {"dataset": "digits"}, [1])
    assert inspector.ask("preview", dataset="digits") == [1]
    assert inspector.pid is None


def test_a_process_has_one_inspector_per_store(tmp_path):
    assert shared_inspector(tmp_path) is shared_inspector(str(tmp_path))
    assert shared_inspector(tmp_path) is not shared_inspector(tmp_path / "other")


# ---- with Keras, in one process ----


def test_costs_come_once_from_keras_and_then_from_disk(warm_inspector):
    config = RunConfig().to_dict()
    costs = warm_inspector.ask("costs", config=config)
    # 5*5*1*6+6, 5*5*6*16+16, 400*120+120, 120*84+84, 84*10+10
    assert costs["num_params"] == costs["trainable_params"] == 156 + 2416 + 48120 + 10164 + 850
    assert costs["not_counted"] == []
    assert sum(row["macs"] or 0 for row in costs["layers"]) == costs["macs"] > 0
    again = Inspector(warm_inspector.store_root)
    renamed = config | {"name": "another", "training": config["training"] | {"seed": 7}}
    assert again.ask("costs", config=renamed) == costs
    assert again.pid is None


def test_networks_are_counted_without_the_process_that_calculates(inspector):
    inspector.ask("costs", config=RunConfig().to_dict())
    assert inspector._calculating.pid is None
    with pytest.raises(ConfigError, match="count=0"):
        inspector.ask("preview", dataset="digits", augmentation="", count=0)
    assert psutil.pid_exists(inspector._calculating.pid)
    assert inspector._calculating.pid != inspector.pid
    inspector.close()
    assert inspector._calculating.pid is None


def test_a_preview_shows_images_before_and_after(warm_inspector):
    question = {"dataset": "digits", "augmentation": "flip_ud|cutout(3)|mixup", "image_size": 16, "count": 5}
    shown = warm_inspector.ask("preview", seed=1, **question)
    assert len(shown) == 5
    assert all(item["label"] in "0123456789" for item in shown)
    pictures = [
        [Image.open(io.BytesIO(base64.b64decode(item[key]))) for key in ("before_png_b64", "after_png_b64")]
        for item in shown
    ]
    assert all(picture.size == (96, 96) and picture.mode == "L" for pair in pictures for picture in pair)
    assert any(before.tobytes() != after.tobytes() for before, after in pictures)
    assert warm_inspector.ask("preview", seed=2, **question) != shown


def test_without_augmentation_before_and_after_are_the_same(warm_inspector):
    shown = warm_inspector.ask("preview", dataset="digits", augmentation="", count=2)
    assert all(item["before_png_b64"] == item["after_png_b64"] for item in shown)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"augmentation": "flipp"}, UnknownNameError, "Unknown augmentation 'flipp'. Did you mean 'flip_lr'?"),
        (
            {"augmentation": "crop(9)"},
            ConfigError,
            "crop: pad=9 is too large for images of 8 px. Expected at most 4. Lower it, or raise the image size.",
        ),
        ({"image_size": 4}, ConfigError, "image_size=4 is out of range. Expected an integer in [8, 1024]."),
        ({"count": 0}, ConfigError, "count=0 is out of range. Expected an integer in [1, 64]."),
        (
            {"dataset": "cifar10"},
            DatasetError,
            "Data set 'cifar10' is not built yet. Open it once, or train on it, and it will be.",
        ),
        ({"dataset": "digit"}, UnknownNameError, "Unknown data set 'digit'. Did you mean 'digits'?"),
    ],
)
def test_errors_come_back_as_they_were_raised(warm_inspector, arguments, error, message):
    with pytest.raises(error) as caught:
        warm_inspector.ask("preview", **{"dataset": "digits", "augmentation": ""} | arguments)
    assert type(caught.value) is error
    assert str(caught.value) == message


def test_costs_of_a_network_larger_than_any_memory_are_counted(warm_inspector):
    config = RunConfig(
        data={"dataset": "digits", "image_size": 1024},
        architecture={"name": "vgg_small", "parameters": {"width": 256, "dense_units": 4096}},
    )
    costs = warm_inspector.ask("costs", config=config.to_dict())
    assert costs["num_params"] > 100e9  # 400 GB of weights
    assert sum(row["num_params"] for row in costs["layers"]) == costs["num_params"]


def test_a_fault_of_its_own_is_said_and_logged(warm_inspector):
    with pytest.raises(InspectorError, match=r"^The inspector failed at 'ping': TypeError: .*unexpected"):
        warm_inspector.ask("ping", surprise=1)
    assert "TypeError" in warm_inspector.log.read_text()
