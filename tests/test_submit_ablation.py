"""From a plan to queued runs, and from ended runs to effects; and the file between."""

import json
import shlex
import sys

import numpy as np
import pytest
import yaml
from ablation_making import CHANGES, make_ablation

from cnnlab.__main__ import run
from cnnlab.ablation import plan_from_dict
from cnnlab.analysis.between import between_groups
from cnnlab.commands import ablation
from cnnlab.errors import ConfigError, StoreError, UnknownNameError
from cnnlab.launch.queue import Queue
from cnnlab.runs.ablations import (
    Ablation,
    delete_ablation,
    deleted_ablations,
    list_ablations,
    read_ablation,
    restore_ablation,
)
from cnnlab.runs.store import Store
from cnnlab.submit_ablation import effects_of, outputs_of, scores_of, submit_ablation


@pytest.fixture
def queue(tmp_path, monkeypatch) -> Queue:
    """The queue of this test, whose trainer does nothing."""
    made = Queue(tmp_path / "queue.sqlite", command=[sys.executable, "-S", "-E", "-c", "pass"])
    monkeypatch.setattr("cnnlab.submit_ablation.Queue", lambda: made)
    monkeypatch.setattr("cnnlab.commands.ablation.Queue", lambda: made)
    return made


@pytest.fixture
def store() -> Store:
    return Store()


def small_plan(**values):
    return plan_from_dict({"baseline": {"training": {"epochs": 1}}, "changes": CHANGES[:1], "seeds": 2, **values})


@pytest.mark.processes
def test_each_variant_gets_its_seeds(queue, store):
    made = submit_ablation(store, small_plan(name="mine"), queue=queue)
    assert [len(group) for group in made.run_ids] == [2, 2]
    configs = [[store.read_config(run_id) for run_id in group] for group in made.run_ids]
    assert [[config.training.seed for config in group] for group in configs] == [[0, 1], [0, 1]]
    assert [group[0].training.label_smoothing for group in configs] == [0.0, 0.1]
    assert [group[0].name for group in configs] == ["mine: baseline", "mine: smooth labels"]
    assert read_ablation(store, made.ablation_id) == made
    assert [one.ablation_id for one in list_ablations(store)] == [made.ablation_id]


def test_nothing_is_queued_where_one_variant_would_be_refused(queue, store):
    changes = [{"name": "blurred", "settings": {"augmentation": "cutout(48)", "data.image_size": 96}},
               {"name": "colour", "settings": {"heads.weights": {"colour": 2.0}}}]  # fmt: skip
    plan = plan_from_dict({"baseline": {"training": {"epochs": 1}}, "changes": changes})
    with pytest.raises(ConfigError, match=r"^colour: heads\.weights names 'colour', which is no output of this run"):
        submit_ablation(store, plan, queue=queue)
    assert store.run_ids() == []
    assert list_ablations(store) == []


def test_effects_of_ended_runs(store):
    made = make_ablation(store)
    _, smooth, cutout = effects_of(store, made)
    better, base = (
        np.arange(200) < 200 * np.array(shares)[:, None] for shares in ([0.95, 0.96, 0.97], [0.90, 0.91, 0.92])
    )
    expected = between_groups(better, base)
    assert smooth.difference == expected
    assert smooth.p == pytest.approx(2 * expected.p)
    assert smooth.is_more_than_noise
    assert not cutout.is_more_than_noise
    assert outputs_of(store, made) == ["label"]


def test_one_seed_asks_the_images(store):
    made = make_ablation(store, accuracies=((0.80,), (0.95,), (0.80,)), seeds=1)
    _, smooth, cutout = effects_of(store, made)
    assert smooth.method == "paired"
    assert smooth.difference.value == pytest.approx(0.15)
    assert smooth.p == pytest.approx(2 * 2 * 0.5**30)
    assert cutout.p == 1


def test_a_deleted_run_is_as_one_without_a_result(store):
    made = make_ablation(store)
    store.delete_run(made.run_ids[1][0])
    assert [len(group.accuracies) for group in scores_of(store, made)] == [3, 2, 3]
    assert effects_of(store, made)[1].n == 2


def test_another_version_of_the_data_is_refused(store):
    made = make_ablation(store)
    path = store.run_dir(made.run_ids[1][0]) / "result.json"
    path.write_text(path.read_text().replace("0123456789ab", "ffffffffffff"))
    assert effects_of(store, made)[1].reason == "tested on different versions of the data"


def test_deleted_and_brought_back(store):
    made = make_ablation(store)
    delete_ablation(store, made.ablation_id)
    assert list_ablations(store) == []
    assert store.run_ids() == sorted(made.all_run_ids)
    assert deleted_ablations(store) == [made.ablation_id]
    restore_ablation(store, made.ablation_id)
    assert read_ablation(store, made.ablation_id) == made


def test_what_cannot_be_read_is_said(store):
    with pytest.raises(UnknownNameError, match=r"^Unknown ablation 'nope'\. There is none yet\.$"):
        read_ablation(store, "nope")
    with pytest.raises(UnknownNameError):
        read_ablation(store, "../runs")
    made = make_ablation(store)
    path = store.root / "ablations" / made.ablation_id / "ablation.yaml"
    path.write_text("plan: {}\nruns: []\n")
    with pytest.raises(StoreError, match=r"cannot be read: .* Delete it, or repair its YAML\.$"):
        read_ablation(store, made.ablation_id)
    assert list_ablations(store) == []


# ---- commands ----


@pytest.mark.processes
@pytest.mark.usefixtures("queue")
def test_ablate_queues_and_says_the_id(store, tmp_path, capsys):
    base = tmp_path / "base.yaml"
    base.write_text("training: {epochs: 1}\n")
    change = ["--change", "smooth labels=training.label_smoothing=0.1"]
    assert run(["ablate", "--config", str(base), *change, "--seeds", "1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [variant["name"] for variant in document["variants"]] == ["baseline", "smooth labels"]
    made = read_ablation(store, document["ablation_id"])
    assert made.plan.baseline.training.epochs == 1
    plan = tmp_path / "plan.yaml"
    plan.write_text(made.plan.to_yaml())
    assert run(["ablate", "--plan", str(plan)]) == 0
    assert len(list_ablations(store)) == 2
    assert list_ablations(store)[0].plan == list_ablations(store)[1].plan


@pytest.mark.usefixtures("queue")
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "There is nothing to change. Expected at least one --change"),
        (["--change", "x"], "The change 'x' cannot be read."),
        (["--change", "x=training.epochs=20"], "Change 'x' changes nothing"),
        (["--plan", "nowhere.yaml"], "No file 'nowhere.yaml'."),
        (["--plan", "nowhere.yaml", "--change", "a=b=c"], "--plan and --change are both given."),
    ],
)
def test_a_bad_request_is_one_sentence(store, options, sentence, capsys):
    assert run(["ablate", *options]) == 2
    assert sentence in capsys.readouterr().err
    assert store.run_ids() == []


@pytest.mark.usefixtures("queue")
def test_ablation_shows_effects(store, capsys):
    made = make_ablation(store, name="mine")
    assert run(["ablation", made.ablation_id]) == 0
    shown = capsys.readouterr()
    line = next(line for line in shown.out.splitlines() if line.startswith("smooth labels"))
    assert "+5.00" in line
    assert "more than noise" in line
    assert "may be noise" in next(line for line in shown.out.splitlines() if line.startswith("cutout"))
    assert "Compared by seeds and test images together." in shown.err
    assert run(["ablation", made.ablation_id, "--json"]) == 0
    effect = json.loads(capsys.readouterr().out)["effects"][1]
    assert (effect["is_more_than_noise"], effect["method"], effect["n"]) == (True, "seeds_and_images", 3)
    assert run(["ablation"]) == 0
    assert "mine" in capsys.readouterr().out


@pytest.mark.usefixtures("queue")
def test_an_unknown_ablation_is_said(capsys):
    assert run(["ablation", "nope"]) == 2
    assert capsys.readouterr().err == "Unknown ablation 'nope'. There is none yet.\n"
    assert run(["ablation"]) == 0
    assert "No ablations yet. Queue one with 'python -m cnnlab ablate" in capsys.readouterr().out


def test_the_command_of_a_plan_makes_that_plan(monkeypatch):
    plan = small_plan(name="my plan", is_cumulative=True, changes=CHANGES)
    kept = []
    monkeypatch.setattr(ablation, "submit_ablation", lambda _store, plan, **_: kept.append(plan) or make_nothing(plan))
    assert run([*shlex.split(ablation.command_text(plan))[3:], "--json"]) == 0
    assert kept == [plan]
    assert yaml.safe_load(plan.to_yaml())["name"] == "my plan"


def make_nothing(plan):
    return Ablation("id", "now", plan, tuple(() for _ in plan.variants()))
