"""`compare`: the verdict and the table, every number as JSON, groups by themselves, and what is refused."""

import json

import pytest
from made_mistakes import make_mistaken
from made_runs import make_run

from cnnlab.__main__ import run
from cnnlab.datasets.correcting import correct_dataset
from cnnlab.datasets.marks import Mark, add_mark
from cnnlab.datasets.storage import open_dataset
from cnnlab.files import read_json, write_json
from cnnlab.runs.store import Store


@pytest.fixture
def call(capsys):
    """Run `compare`; return exit code, standard output and standard error."""

    def _call(*arguments: str) -> tuple[int, str, str]:
        code = run(["compare", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return _call


@pytest.fixture
def groups():
    """Three seeds each of two configs."""
    root = Store().root
    return [
        make_run(root, name=name, accuracy=accuracy, training={"epochs": 2, "seed": seed, "learning_rate": rate})
        for name, rate, accuracies in (("slow", 0.001, (0.8, 0.81, 0.82)), ("fast", 0.01, (0.9, 0.91, 0.92)))
        for seed, accuracy in enumerate(accuracies)
    ]


def test_two_runs(call, groups):
    first, second = groups[0], groups[3]
    code, out, err = call(first, second)
    assert (code, err) == (0, "")
    assert out.startswith(
        f"{second} is better than {first}.\n90.00 % against 80.00 % of 200 test images: +10.00 points"
    )
    assert f"{second} is right on 20 images that {first} gets wrong, {first} on 0." in out
    assert "This speaks of these trained networks, not of their settings" in out
    assert "training.learning_rate" in out
    assert call(second, first)[1].startswith(f"{first} is worse than {second}.")


def test_every_number_is_in_the_document(call, groups):
    first, second = groups[0], groups[3]
    found = json.loads(call(first, second, "--json")[1])
    (effect,) = found["against_first"]
    assert effect["difference"] == pytest.approx(0.1)
    assert effect["difference_95"][0] < 0.1 < effect["difference_95"][1]
    assert (effect["only_it_right"], effect["only_first_right"]) == (20, 0)
    assert effect["p"] == effect["p_holm"] == pytest.approx(2 * 0.5**20)
    assert (effect["is_told_apart"], effect["speaks_of"], effect["welch_over_seeds"]) == (True, "networks", None)
    assert [(one["rank"], one["ties"], one["n"]) for one in found["sides"]] == [([2, 2], "b", 1), ([1, 1], "a", 1)]
    assert found["verdict"]["headline"] == f"{second} is better than {first}."
    assert (found["num_images"], found["same_data"], found["not_compared"]) == (200, True, {})
    assert found["differences"][0]["field"] == "training.learning_rate"


def test_groups_are_taken_together_where_there_are_several(call, groups):
    code, out, _ = call(*groups)
    assert code == 0
    assert out.startswith("fast is better than slow.\n91.00 % against 81.00 % of 200 test images, over 3 and 3 seeds: ")
    found = json.loads(call(*groups, "--json")[1])
    (effect,) = found["against_first"]
    assert (effect["name"], effect["speaks_of"]) == ("fast", "settings")
    assert effect["permutation_over_seeds"] == {
        "p": pytest.approx(0.1),
        "smallest_p": pytest.approx(0.1),
        "is_exact": True,
    }
    assert effect["welch_over_seeds"]["p"] < 0.001
    assert found["sides"][0]["run_ids"] == groups[:3]
    apart = json.loads(call(*groups, "--no-groups", "--json")[1])
    assert len(apart["sides"]) == 6
    assert len(apart["pairs"]) == 15
    # Seeds of one config alone are not one group but runs.
    assert len(json.loads(call(*groups[:3], "--json")[1])["sides"]) == 3


def test_what_cannot_be_compared_is_said(call, groups):
    root = Store().root
    other, waiting = make_run(root, data={"dataset": "mnist"}), make_run(root, state="queued")
    code, out, err = call(groups[0], other, waiting)
    assert code == 0
    assert "None of the others fits to it." in out
    assert f"{other} (it stands on the data set mnist, not on digits)" in err
    assert f"{waiting} (not tested yet)" in err
    found = json.loads(call(waiting, groups[0], groups[3], "--json")[1])
    assert found["not_compared"] == {waiting: "not tested yet"}
    assert found["against_first"] == []  # the first has nothing to be set against
    assert len(found["pairs"]) == 1


def test_a_corrected_set_is_compared_on_the_images_with_the_same_label(call):
    root = Store().root
    digits = open_dataset(root, "digits")
    ids, labels = digits.sample_ids("test"), digits.labels("test")["label"]
    was, now = (digits.info.outputs["label"][number] for number in (labels[0], (labels[0] + 1) % 10))
    add_mark(root, "digits", Mark(ids[0], "label", "wrong", was, now), digits.info.outputs)
    correct_dataset(root, "digits")
    runs = [make_mistaken(root, {}), make_mistaken(root, {}, dataset=open_dataset(root, "digits_corrected"))]
    code, out, err = call(*runs)
    assert code == 0
    assert "of 358 test images" in out
    assert "left out: 1 image that has another label in one of them." in err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ["--groups"],
            "These runs differ in their seed only, so they are one group. Expected runs of two or more configs.",
        ),
        (["--output", "labl"], "Unknown output 'labl'. Did you mean 'label'?"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(call, groups, options, sentence):
    code, out, err = call(*groups[:2], *options)
    assert (code, out) == (2, "")
    assert err.startswith(sentence)
    assert err.count("\n") == 1


def test_one_run_twice_is_one_run(call, groups):
    assert call(groups[0], groups[0])[0] == 2


def test_another_output(call):
    root = Store().root
    runs = [make_run(root, accuracy=accuracy) for accuracy in (0.8, 0.9)]
    for run_id in runs:
        path = Store().run_dir(run_id) / "result.json"
        result = read_json(path)
        write_json(path, result | {"main_output": "other", "outputs": {**result["outputs"], "other": ["a", "b"]},
                                   "test": {**result["test"], "other": result["test"]["label"]},
                                   "val": {**result["val"], "other": result["val"]["label"]}})  # fmt: skip
    assert json.loads(call(*runs, "--json")[1])["sides"] == []  # nobody kept answers of the main output
    assert len(json.loads(call(*runs, "--output", "label", "--json")[1])["sides"]) == 2
