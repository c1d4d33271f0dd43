"""What a trial reached by the files of its runs, and which of its files stay on disk."""

import itertools
import json
import random
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_lab import config

from cnnlab.files import size_of
from cnnlab.runs import tables, trials
from cnnlab.runs.store import Store
from cnnlab.runs.studies import create_study, study_dir
from cnnlab.settings.objectives import Objective
from cnnlab.tuning.keeping import Keeping, ranked
from cnnlab.tuning.reached import RunCurves, curves_of, mean_curves, reached
from cnnlab.tuning.worker import OneTrial

UP, DOWN = Objective(metric="val_accuracy"), Objective(metric="macs")


# === What a trial reached ===


def test_curves_have_the_names_of_objectives(tmp_path):
    rows = [
        ("val", "", "loss", 3.0),
        ("val", "a", "loss", 1.0),
        ("val", "b", "loss", 2.0),
        ("val", "a", "accuracy", 0.7),
        ("val", "b", "accuracy", 0.4),
        ("train", "", "learning_rate", 0.1),
    ]
    names = ("split", "output", "metric", "value")
    lines = [dict(zip(names, row, strict=True)) | {"epoch": 1, "step": 1, "elapsed_s": 1.0} for row in rows]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (epoch,) = curves_of(tmp_path, None).values()
    assert epoch == {
        "val_loss": 3.0, "val_loss/a": 1.0, "val_loss/b": 2.0, "val_accuracy": 0.7, "val_accuracy/a": 0.7,
        "val_accuracy/b": 0.4, "train_learning_rate": 0.1,
    }  # fmt: skip
    assert curves_of(tmp_path, "b")[1]["val_accuracy"] == 0.4


def line_of(epoch, accuracy):
    row = {"split": "val", "output": "a", "metric": "accuracy", "value": accuracy}
    return json.dumps(row | {"run_id": "r", "epoch": epoch, "step": epoch, "elapsed_s": 1.0}) + "\n"


@given(st.lists(st.tuples(st.sampled_from(["add", "torn", "anew", "compact"]), st.integers(1, 3)), max_size=12))
def test_curves_read_bit_by_bit_are_those_that_are_there(changes):
    """Whatever happens to the file between two looks: lines come, one is torn, another attempt begins, it is packed."""
    with tempfile.TemporaryDirectory() as folder:
        run_dir, epoch, rest = Path(folder), 0, ""
        tail = run_dir / "metrics.jsonl"
        curves = RunCurves(run_dir, None)
        for change, count in changes:
            if change == "anew":
                epoch, rest = 0, ""
                tail.write_text("")
            elif change == "compact" and tail.exists():
                tail.write_text(tail.read_text()[: -len(rest) or None])
                rest = ""
                tables.compact_metrics(run_dir, keep_tail=False)
            elif change == "torn" and not rest:
                epoch += 1
                whole = line_of(epoch, random.random())
                with open(tail, "a") as file:
                    file.write(whole[:9])
                rest = whole[9:]
            else:
                text = rest + "".join(line_of(epoch + one, random.random()) for one in range(1, count + 1))
                epoch, rest = epoch + count, ""
                with open(tail, "a") as file:
                    file.write(text)
            assert curves.read() == RunCurves(run_dir, None).read()


def test_only_a_study_that_stops_trials_is_told_of_each_epoch(tmp_path):
    told = []

    def hear(_trial_id, values, step):
        told.append((step, values))
        return SimpleNamespace(status="RUNNING")

    store = Store(tmp_path / "store")
    for pruning, steps in (({}, []), ({"rule": "median"}, [1, 2])):
        asked = config(pruning=pruning)
        folder = study_dir(store, create_study(store, asked).study_id)
        trials.say(folder, "0", number=1, status="running", values={})
        tuner = SimpleNamespace(
            study=asked, study_dir=folder, store=store, queue=None, oracle=SimpleNamespace(update_trial=hear)
        )
        trial = SimpleNamespace(
            trial_id="0", hyperparameters=SimpleNamespace(values={}), metrics=SimpleNamespace(metrics={})
        )
        told.clear()
        OneTrial(tuner, trial)._report(0, {1: {"val_accuracy": 0.5}, 2: {"val_accuracy": 0.6, "val_loss": 1.0}})
        assert [step for step, _ in told] == steps


def test_one_output_needs_no_loss_of_all_together(tmp_path):
    line = {"split": "val", "output": "a", "metric": "loss", "value": 1.5, "epoch": 1, "step": 1, "elapsed_s": None}
    (tmp_path / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    assert curves_of(tmp_path, None)[1] == {"val_loss/a": 1.5, "val_loss": 1.5}


def test_a_trial_reached_the_mean_over_executions_at_its_best_epoch():
    loss = Objective(metric="val_loss")
    one = {1: {"val_accuracy": 0.5, "val_loss": 1.0}, 2: {"val_accuracy": 0.7, "val_loss": 2.0}}
    two = {1: {"val_accuracy": 0.9, "val_loss": 3.0}, 2: {"val_accuracy": 0.1, "val_loss": 0.0}}
    assert mean_curves([one, two])[1] == pytest.approx({"val_accuracy": 0.7, "val_loss": 2.0})
    assert reached([UP, loss], [one, two]) == pytest.approx({"val_accuracy": 0.7, "val_loss": 2.0})
    assert reached([loss], [one, two]) == pytest.approx({"val_loss": 1.0})
    assert reached([UP, DOWN], [one], [{"macs": 10.0}, {"macs": 20.0}]) == {"val_accuracy": 0.7, "macs": 15.0}
    assert reached([UP, DOWN], [], []) == {}
    latency = Objective(metric="latency_ms")
    assert latency.direction == "min"
    assert reached([UP, latency], [one], [{"latency_ms": 0.5}]) == {"val_accuracy": 0.7, "latency_ms": 0.5}


def test_an_epoch_that_is_no_number_is_never_the_best():
    curves = {1: {"val_accuracy": 0.2}, 2: {"val_accuracy": float("nan")}}
    assert reached([UP], [curves]) == {"val_accuracy": 0.2}


# === What is kept ===


def trial(number, status="completed", **objectives):
    return {"trial_id": str(number), "number": number, "status": status, "objectives": objectives, "run_ids": []}


def test_the_best_trial_comes_first():
    rows = [trial(1, val_accuracy=0.5), trial(2, val_accuracy=0.9), trial(3, "failed", val_accuracy=1.0), trial(4)]
    assert ranked(rows, [UP]) == ["2", "1"]


def test_trials_of_several_objectives_are_ranked_front_after_front():
    rng = random.Random(3)
    rows = [trial(n, val_accuracy=rng.randrange(8) / 8, macs=rng.randrange(8)) for n in range(40)]

    def beats(a, b):
        a, b = a["objectives"], b["objectives"]
        at_least = a["val_accuracy"] >= b["val_accuracy"] and a["macs"] <= b["macs"]
        return at_least and a != b

    order = [next(row for row in rows if row["trial_id"] == one) for one in ranked(rows, [UP, DOWN])]
    assert len(order) == 40
    assert not any(beats(later, earlier) for earlier, later in itertools.combinations(order, 2))


def test_only_the_best_networks_stay_and_the_disk_is_counted(tmp_path):
    rows = {}
    for number, accuracy in enumerate([0.1, 0.9, 0.5], start=1):
        run = tmp_path / "runs" / f"r{number}"
        (run / "checkpoints").mkdir(parents=True)
        (run / "checkpoints" / "training.npz").write_bytes(b"x" * 100)
        (run / "model.keras").write_bytes(b"x" * 50)
        (run / "result.json").write_bytes(b"x" * 10)
        rows[str(number)] = trial(number, val_accuracy=accuracy) | {"run_ids": [run.name]}
    rows["4"] = trial(4, "running") | {"run_ids": ["r4"]}
    keeping = Keeping(tmp_path / "studies" / "one", config(keep_checkpoints=1))
    keeping.look(rows)
    assert [size_of(tmp_path / "runs" / f"r{number}") for number in (1, 2, 3)] == [10, 160, 10]
    assert keeping.disk_bytes == 180
    assert size_of(tmp_path / "runs" / "r4") == 0


def test_hyperband_keeps_what_may_go_on_until_nothing_does(tmp_path):
    folder, rows = tmp_path / "studies" / "one", {}
    (folder / "oracle").mkdir(parents=True)
    networks = [tmp_path / "runs" / f"r{number}" / "model.keras" for number in range(3)]
    for number, network in enumerate(networks):
        network.parent.mkdir(parents=True)
        network.write_bytes(b"x")
        rows[str(number)] = trial(number, val_accuracy=number / 10) | {"run_ids": [network.parent.name]}

    def left() -> list[bool]:
        return [network.exists() for network in networks]

    keeping = Keeping(folder, config(algorithm={"name": "hyperband"}, keep_checkpoints=1))
    keeping.look({key: rows[key] for key in "01"})
    assert left() == [True, True, True], "nobody knows yet who goes on"
    (folder / "oracle" / "oracle.json").write_text(json.dumps({"continuing": ["1"]}))
    keeping.look(rows)
    assert left() == [False, True, True], "one may go on, one is the best"
    keeping.look(rows, is_over=True)
    assert left() == [False, False, True]
