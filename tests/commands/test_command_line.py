"""The command line as a person meets it: exit codes, one sentence, one document."""

import json

import pytest


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("train", "--architecture", "resnt"), "Unknown architecture 'resnt'. Did you mean 'resnet'?"),
        (("submit", "--dataset", "digts"), "Unknown data set 'digts'. Did you mean 'digits'?"),
        (("train", "--learning-rate", "0"), "training.learning_rate=0.0 is out of range. Expected"),
        (("submit", "--output", "shape"), "Data set 'digits' has no output 'shape'. Expected some of: label."),
        (("submit", "--slots", "64"), "slots=64 is more than this machine has."),
        (("submit", "--config", "no.yaml"), "No file 'no.yaml'. Give the path of a YAML file to --config."),
        (("show", "nothing"), "No run 'nothing' in "),
        (("logs", "../.."), "No run '../..' in "),
        (("cancel", "nothing"), "No run 'nothing' in "),
        (("compare", "one"), "One run has nothing to be compared with."),
        (("datasets", "show", "digts"), "Unknown data set 'digts'. Did you mean 'digits'?"),
        (("trian",), "No such command 'trian'."),
        (("train", "--epoch", "3"), "No such option: --epoch"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence_and_exit_code_2(call, arguments, sentence):
    code, out, err = call(*arguments)
    assert code == 2
    assert out == ""
    assert err.startswith(sentence)
    assert err.count("\n") == 1


def test_a_backend_that_is_not_installed_is_refused(call, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    code, _, err = call("submit", "--backend", "jax")
    assert code == 2
    assert err.startswith("backend='jax' is not installed here. Install it with 'pip install jax'")


def test_an_empty_store_says_what_to_do(call):
    code, out, _ = call("runs")
    assert code == 0
    assert out.startswith("No runs yet. Train the first with 'python -m cnnlab train")
    assert json.loads(call("runs", "--json")[1]) == {"runs": [], "total": 0}


def test_an_empty_queue_says_what_to_do(call):
    code, out, _ = call("queue")
    assert code == 0
    assert out.startswith("Nothing runs and nothing waits.")
    document = json.loads(call("queue", "--json")[1])
    assert document["entries"] == []
    assert document["slots"]


def test_datasets_are_listed(call):
    names = [entry["name"] for entry in json.loads(call("datasets", "list", "--json")[1])["catalogue"]]
    assert names[:2] == ["digits", "shapes"]
    assert "cifar10" in call("datasets", "list")[1]


def test_the_store_may_be_named_anywhere_on_the_line(call, tmp_path):
    code, _, _ = call("datasets", "show", "digits", "--store", str(tmp_path / "other"))
    assert code == 0
    assert list((tmp_path / "other" / "datasets" / "digits").iterdir())


def test_the_version_is_told(call):
    import cnnlab

    assert call("--version")[:2] == (0, f"cnnlab {cnnlab.__version__}\n")


def test_deleting_asks_first_and_can_be_undone(call, monkeypatch):
    from cnnlab.config import RunConfig
    from cnnlab.runs.status import RunStatus, write_status
    from cnnlab.runs.store import Store

    run_dir = Store().create_run(RunConfig())
    write_status(run_dir, RunStatus(state="cancelled"))
    monkeypatch.setattr("typer.confirm", lambda _: False)
    assert call("delete", run_dir.name)[0] == 1
    assert run_dir.exists()
    assert call("delete", run_dir.name, "--yes")[0] == 0
    assert not run_dir.exists()
    assert call("restore", run_dir.name)[0] == 0
    assert run_dir.exists()


@pytest.mark.parametrize(("command", "name"), [("architectures", "resnet"), ("augmentations", "flip_lr")])
def test_catalogues_are_listed_with_their_settings(call, command, name):
    assert f"{name}:" in call(command)[1]
    entries = json.loads(call(command, "--json")[1])[command]
    assert name in [entry["name"] for entry in entries]


def test_every_command_is_in_the_readme():
    from pathlib import Path

    import typer

    from cnnlab.__main__ import app

    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
    for name in typer.main.get_command(app).commands:
        assert f"`{name}" in readme, name
