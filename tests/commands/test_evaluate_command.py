"""`evaluate` as a document and as tables, against scikit-learn; and what it refuses."""

import json

import pytest
from made_answers import give_answers, made_answers
from made_runs import make_run
from sklearn import metrics

from cnnlab.__main__ import run
from cnnlab.runs.store import Store


@pytest.fixture
def call(capsys):
    """Run `evaluate`; return exit code, standard output and standard error."""

    def _call(*arguments: str) -> tuple[int, str, str]:
        code = run(["evaluate", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return _call


@pytest.fixture
def judged():
    """A completed run with seven classes; its id and its test answers."""
    store = Store()
    run_id = make_run(store.root)
    val, test = (made_answers(400, 7, temperature=0.5, seed=seed) for seed in (1, 2))
    give_answers(store.run_dir(run_id), val, test)
    return run_id, test


def test_the_document_has_every_number(call, judged):
    run_id, test = judged
    code, out, err = call(run_id, "--json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert (document["run_id"], document["output"], document["n"], document["left_out"]) == (run_id, "label", 400, 0)
    found = {row["measure"]: row for row in document["measures"]}
    labels, guesses = test.labels, test.predicted
    assert found["top-1"]["value"] == pytest.approx(metrics.accuracy_score(labels, guesses))
    assert found["top-5"]["value"] == pytest.approx(
        metrics.top_k_accuracy_score(labels, test.probabilities, k=5, labels=range(7))
    )
    assert found["macro F1"]["value"] == pytest.approx(metrics.f1_score(labels, guesses, average="macro"))
    assert found["log loss"]["value"] == pytest.approx(metrics.log_loss(labels, test.probabilities), rel=1e-4)
    assert found["log loss after scaling"]["value"] < found["log loss"]["value"]
    assert found["calibration error after scaling"]["value"] < found["calibration error"]["value"]
    assert found["temperature"]["low"] < 2 < found["temperature"]["high"]
    assert {"macro AUC", "micro AUC", "macro average precision", "micro average precision"} <= set(found)
    assert all(row["low"] <= row["high"] for row in document["measures"])
    assert [row["class"] for row in document["classes"]] == [f"class {place}" for place in range(7)]
    assert [row["target"] for row in document["thresholds"]] == [0.9, 0.95, 0.98, 0.99, 0.995, 0.999]
    assert len(document["top_k"]) == 7


def test_people_get_tables(call, judged):
    run_id, _ = judged
    code, out, err = call(run_id, "--classes")
    assert (code, err) == (0, "")
    assert out.startswith(f"{run_id}, output label, 400 test images\n")
    for text in ("macro F1", "calibration error after scaling", "to be right on", "average precision", "class 6"):
        assert text in out
    assert "class 6" not in call(run_id)[1]


def test_images_in_both_splits_are_not_fitted_on(call):
    run_id = make_run(Store().root)  # with the same images in both
    code, out, err = call(run_id)
    assert code == 0
    assert "temperature" not in out
    assert err == "No temperature: it takes validation images that are not among the test images.\n"
    assert json.loads(call(run_id, "--json")[1])["temperature"] is None


def test_what_cannot_be_judged_is_one_sentence(call, judged):
    run_id, _ = judged
    assert call(run_id, "--output", "labl")[::2] == (2, "Unknown output 'labl'. Did you mean 'label'?\n")
    failed = make_run(Store().root, state="failed")
    assert call(failed)[::2] == (
        2,
        f"The run '{failed}' has no answers to test images; it is failed. Expected a completed run. List runs with "
        "'python -m cnnlab runs'.\n",
    )
    assert call("nothing")[0] == 2
