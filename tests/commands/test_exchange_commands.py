"""`import-runs` and `export` as a person or a page calls them."""

import json
import zipfile
from pathlib import Path

import pytest
from made_runs import make_run

from cnnlab.__main__ import run
from cnnlab.runs.store import Store

STORES = Path(__file__).parents[1] / "exchange" / "stores"


@pytest.fixture
def call(capsys):
    def call_one(*arguments):
        code = run([str(word) for word in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call_one


def test_import_says_what_came_and_again_that_nothing_did(call):
    code, out, _ = call("import-runs", STORES / "keras-tuner")
    assert code == 0
    sentence, *ids = out.splitlines()
    assert sentence == "3 runs imported from Keras Tuner."
    assert sorted(ids) == Store().run_ids()
    again = json.loads(call("import-runs", STORES / "keras-tuner", "--json")[1])
    assert (again["imported"], sorted(again["already_there"])) == ([], sorted(ids))


def test_damage_and_what_was_done_to_numbers_are_said(call, tmp_path):
    with zipfile.ZipFile(STORES / "mlruns-3.17.2.zip") as archive:
        archive.extractall(tmp_path)
    path = next(path for path in (tmp_path / "mlruns").glob("*/*/metrics/loss") if path.with_name("val_loss").exists())
    path.write_text(path.read_text() + "what is this\n")
    out = call("import-runs", tmp_path / "mlruns")[1].splitlines()
    assert out[-2] == "Something of 1 run could not be read."
    assert out[-1].endswith(": loss: 1 line without a number left out")
    assert out[-1].partition(": ")[0] in Store().run_ids()
    (tmp_path / "a.csv").write_text("run,epoch,val_acc\nx,1,91.5\ny,1,92.5\n")
    assert (
        call("import-runs", tmp_path / "a.csv")[1].splitlines()[-1] == "2 runs: In percent, so divided by 100: val_acc."
    )


def test_a_look_shows_places_and_columns_and_imports_nothing(call, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("run,epoch,val_acc,note\nx,1,91.5,n\n")
    found = json.loads(call("import-runs", path, "--look", "--json")[1])
    assert found["columns"] == {"run": "run", "epoch": "epoch", "val_acc": "number", "note": "parameter"}
    assert [(one["name"], one["becomes"]) for one in found["names"]] == [("val_acc", "val:accuracy%")]
    assert call("import-runs", path, "--look")[1].startswith("CSV: 1 run, the first 1 looked at.")
    assert Store().run_ids() == []


def test_a_person_says_what_names_and_columns_are(call, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("who,when,top1,junk\nx,1,91.5,3\nx,2,92.5,3\n")
    words = ["--column", "who=run", "--column", "when=epoch", "--map", "top1=val:accuracy%", "--map", "junk=-"]
    report = json.loads(call("import-runs", path, *words, "--json")[1])
    (run_id,) = report["imported"]
    document = json.loads(call("show", run_id, "--json")[1])
    assert (document["name"], document["val_accuracy"], document["origin"]) == ("x", 0.925, "CSV")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("import-runs", "nothing"), "There is no file or folder 'nothing'."),
        (("import-runs", ".", "--format", "mlflov"), "Unknown format 'mlflov'. Did you mean 'mlflow'?"),
        (("import-runs", ".", "--steps", "epoch"), "Unknown counting of steps 'epoch'. Did you mean 'epochs'?"),
        (("import-runs", ".", "--map", "loss"), "--map 'loss' cannot be read. Expected name=value."),
        (("import-runs", ".", "--map", "loss=all"), "'all' is no place for a number. Expected split:metric"),
        (
            ("import-runs", STORES / "keras-csvlogger.csv", "--map", "val_acuracy=test:accuracy"),
            "No number is called 'val_acuracy' in these runs. Did you mean 'val_accuracy'?",
        ),
        (("export", "nothing", "--to", "x"), "No run 'nothing' in "),
        (("export", "--to", "x"), "No run to export. Expected one id at least."),
        (("export", "a", "--to", "x", "--format", "parket"), "Unknown format 'parket'. Did you mean 'parquet'?"),
        (("export", "--ids", "no.txt", "--to", "x"), "The ids in 'no.txt' cannot be read: "),
    ],
)
def test_bad_input_is_one_sentence(call, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith(sentence)
    assert err.count("\n") == 1


def test_export_of_some_and_of_all(call, tmp_path):
    first, second = make_run(Store().root), make_run(Store().root)
    done = json.loads(call("export", first, "--to", tmp_path / "one", "--format", "mlflow", "--json")[1])
    assert (done["runs"], done["format"]) == (1, "mlflow")
    assert (tmp_path / "one" / "mlflow.db").exists()
    code, out, _ = call("export", "all", "--to", tmp_path / "all.zip", "--format", "csv")
    assert (code, out.startswith(f"2 runs in {tmp_path / 'all.zip'} (")) == (0, True)
    (tmp_path / "ids.txt").write_text(f"{first}\n{second}\n")
    code, _, err = call("export", "--ids", tmp_path / "ids.txt", "--to", tmp_path / "two", "--progress-json")
    assert code == 0
    assert json.loads(err.splitlines()[-1]) == {"stage": "writing runs", "done": 2, "total": 2}


def test_other_commands_speak_of_imported_runs_too(call):
    own = make_run(Store().root)
    call("import-runs", STORES / "mlflow-3.17.2.zip")
    first = next(run_id for run_id in Store().run_ids() if "mlflow-first" in run_id)
    out = call("show", first)[1]
    assert "origin: MLflow: cats & dogs" in out
    assert "nested/depth: 3" in out
    assert "3/–" in call("runs")[1]
    code, out, _ = call("compare", first, own)
    assert (code, "training.learning_rate" in out) == (0, True)
    for command in ("retry", "doctor"):
        code, _, err = call(command, first)
        assert (code, "was imported from MLflow, which does not say how to train it here" in err) == (2, True)
