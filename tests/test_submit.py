"""The door to the queue: what is pinned, what is refused."""

import sys

import pytest

from cnnlab.config import config_from_dict
from cnnlab.errors import ConfigError, QueueError, UnknownNameError
from cnnlab.launch.queue import Queue
from cnnlab.runs.store import Store
from cnnlab.submit import submit_runs


@pytest.fixture
def queue(tmp_path) -> Queue:
    """A queue whose trainer does nothing."""
    return Queue(tmp_path / "queue.sqlite", command=[sys.executable, "-S", "-E", "-c", "pass"])


def submitted(queue, **values):
    """The config of the first run that came of some values."""
    store = Store()
    return store.read_config(submit_runs(store, config_from_dict(values), queue=queue)[0])


@pytest.mark.processes
@pytest.mark.parametrize(
    ("data", "architecture", "size"),
    [
        ({"dataset": "digits"}, "lenet5", 32),
        ({"dataset": "cifar10"}, "resnet_imagenet", 32),
        ({"dataset": "shapes", "parameters": {"size": 96}}, "mobilenet_v2", 96),
        ({"dataset": "cifar10", "image_size": 64}, "resnet_imagenet", 64),
    ],
)
def test_the_image_size_is_pinned(queue, data, architecture, size):
    config = submitted(queue, data=data, architecture={"name": architecture})
    assert config.data.image_size == size


@pytest.mark.processes
def test_repeats_become_runs_of_one_group(queue):
    store = Store()
    run_ids = submit_runs(store, config_from_dict({"repeats": 3, "training": {"seed": 7}}), queue=queue)
    assert [store.read_config(run_id).training.seed for run_id in run_ids] == [7, 8, 9]
    assert len({store.read_run(run_id)["group_id"] for run_id in run_ids}) == 1


@pytest.mark.parametrize(
    ("values", "error", "sentence"),
    [
        ({"data": {"dataset": "mine"}}, UnknownNameError, "Unknown data set 'mine'."),
        ({"data": {"outputs": ["colour"]}}, ConfigError, "Data set 'digits' has no output 'colour'."),
        (
            {"heads": {"weights": {"colour": 2}}},
            ConfigError,
            "heads.weights names 'colour', which is no output of this",
        ),
        ({"compute": {"slots": 64}}, QueueError, "slots=64 is more than this machine has."),
        (
            {"data": {"dataset": "cifar10"}, "architecture": {"name": "resnet_imagenet"}, "augmentation": "cutout(48)"},
            ConfigError,
            "cutout: side=48 is too large for images of 32 px.",
        ),
    ],
)
def test_what_cannot_run_is_refused_and_leaves_nothing(queue, values, error, sentence):
    store = Store()
    with pytest.raises(error) as raised:
        submit_runs(store, config_from_dict(values), queue=queue)
    assert str(raised.value).startswith(sentence)
    assert store.run_ids() == []


@pytest.mark.processes
def test_a_teacher_has_to_be_trained_already(queue):
    store = Store()
    teacher = store.create_run(config_from_dict({}))
    for run_id, sentence in (("gone", "tricks.distill_from is no run of this store. No run 'gone'"),
                             (teacher.name, "has no trained network. Expected a completed run.")):  # fmt: skip
        with pytest.raises(ConfigError) as error:
            submitted(queue, tricks={"distill_from": run_id})
        assert sentence in str(error.value)
    (teacher / "model.keras").write_bytes(b"a network")
    assert submitted(queue, tricks={"distill_from": teacher.name}).tricks.distill_from == teacher.name
