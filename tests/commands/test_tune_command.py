"""`tune`, `studies` and `study`: what is asked for, what is refused, and one real search from end to end."""

import json

import pytest

from cnnlab.__main__ import run
from cnnlab.runs import queries, trials
from cnnlab.runs.status import read_status as run_status
from cnnlab.runs.store import Store
from cnnlab.runs.studies import create_study, read_trials, study_dir, study_ids
from cnnlab.runs.study_status import StudyStatus, read_asked, write_status
from cnnlab.settings.study import study_from_dict, study_from_yaml

RATE = "training.learning_rate"


@pytest.fixture
def started(monkeypatch) -> list:
    """What would be started: nothing is."""
    found: list = []
    monkeypatch.setattr(
        "cnnlab.launch.queue.Queue.look_after_study", lambda _queue, study_dir: found.append(study_dir.name)
    )
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    return found


@pytest.fixture
def ended() -> str:
    """A study that came to its end, with two trials."""
    store = Store()
    config = study_from_dict({"name": "Rates", "space": {RATE: "float(1e-4, 1e-1, log)"}, "budget": {"trials": 2}})
    study_id = create_study(store, config).study_id
    folder = study_dir(store, study_id)
    for number, accuracy in enumerate([0.5, 0.75], start=1):
        values = {RATE: 0.01 * number}
        trials.say(folder, str(number), number=number, status="completed", values=values, run_ids=[f"r{number}"])
        trials.say(folder, str(number), objectives={"val_accuracy": accuracy}, epochs_done=3)
    trials.say(folder, "3", number=3, status="failed", reason="The loss is not a number.", values={RATE: 1.0})
    write_status(folder, StudyStatus(state="completed", reason="All 3 trials were made."))
    return study_id


def document(capsys) -> dict:
    return json.loads(capsys.readouterr().out)


def test_options_and_a_file_make_the_study(started, tmp_path, capsys):
    file = tmp_path / "run.yaml"
    file.write_text("training: {epochs: 7}\n")
    words = ["tune", "--config", str(file), "--search", f"{RATE}=float(1e-4, 1e-1, log)", "--batch-size", "32"]
    words += ["--search", "training.optimizer=choice(sgd, adam)", "--algorithm", "tpe", "--trials", "9"]
    words += ["--workers", "2", "--objective", "val_loss:min", "--name", "Mine", "--detach", "--json"]
    assert run(words) == 0
    found = document(capsys)
    assert (found["name"], found["algorithm"], found["max_trials"], found["width"]) == ("Mine", "tpe", 9, 2)
    assert found["objectives"] == {"val_loss": "min"}
    assert started == [found["study_id"]]
    text = (study_dir(Store(), found["study_id"]) / "study.yaml").read_text()
    again = tmp_path / "study.yaml"
    again.write_text(text)
    assert run(["tune", "--config", str(again), "--trials", "4", "--detach"]) == 0
    study_id = capsys.readouterr().out.strip()
    assert started[-1] == study_id
    config = study_from_yaml(text)
    assert (config.run.training.epochs, config.run.training.batch_size) == (7, 32)
    assert set(config.space) == {RATE, "training.optimizer"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "There is nothing to search. Expected at least one --search"),
        (["--search", RATE], "cannot be read. Expected setting=range"),
        (["--search", "training.rate=float(0.1, 1)"], "training.rate"),
        (["--search", f"{RATE}=float(0.01, 0.1)", "--dataset", "no-such-set"], "no-such-set"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_anything_is_made(started, capsys, words, said):
    assert run(["tune", *words, "--detach"]) == 2
    assert said in capsys.readouterr().err
    assert (study_ids(Store()), started) == ([], [])


def test_studies_and_a_study_are_shown_best_trial_first(ended, capsys):
    assert run(["studies"]) == 0
    said = capsys.readouterr().out
    assert ended in said
    assert "75.00 %" in said
    assert run(["study", ended]) == 0
    out, err = capsys.readouterr()
    lines = [line for line in out.splitlines() if "learning_rate" in line]
    assert [line.split()[0] for line in lines] == ["2", "1", "3"]
    assert "The loss is not a number." in lines[2]
    assert "2 completed, 1 failed" in err
    assert run(["studies", "--json"]) == 0
    (found,) = document(capsys)["studies"]
    assert (found["state"], found["best"]["trial_id"], found["counts"]["failed"]) == ("completed", "2", 1)
    assert run(["study", ended, "--json"]) == 0
    assert [row["trial_id"] for row in document(capsys)["trials"]] == ["1", "2", "3"]


def test_no_study_yet_says_how_to_start_one(capsys):
    assert run(["studies"]) == 0
    assert "No studies yet. Start one with 'python -m cnnlab tune" in capsys.readouterr().out


def test_wishes_reach_the_study(started, ended, capsys):
    assert run(["study", "width", ended, "3"]) == 0
    assert run(["study", "add-trials", ended, "5"]) == 0
    assert "may make 7 trials in all" in capsys.readouterr().err
    asked = read_asked(study_dir(Store(), ended))
    assert (asked.width, asked.trials, started) == (3, 7, [ended])
    write_status(study_dir(Store(), ended), StudyStatus(state="completed"))
    assert run(["study", "delete", ended]) == 0
    assert study_ids(Store()) == []
    assert run(["study", "restore", ended]) == 0
    assert study_ids(Store()) == [ended]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["stop", "ID"], "is completed already. Expected a running one. Go on with"),
        (["add-trials", "ID"], "Expected a study's id and a number of trials behind it"),
        (["add-trials", "ID", "many"], "takes a number, got 'many'"),
        (["width", "ID", "1000"], "width=1000 is out of range. Expected 1 to 256"),
        (["cancel", "ID", "2"], "Trial '2' is completed already"),
        (["cancel", "ID", "9"], "Unknown trial '9'"),
        (["halt", "ID"], "Unknown action 'halt'. Expected one of: stop, resume"),
        (["20260101-000000-study-0000"], "Unknown study"),
    ],
)
def test_what_cannot_be_done_is_said(ended, capsys, words, said):
    assert run(["study", *(ended if word == "ID" else word for word in words)]) == 2
    assert said in capsys.readouterr().err


def test_a_real_search_from_end_to_end(capsys, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    # One training: how trials go on and end is proven with trainers that train nothing (tests/tuning).
    words = ["tune", "--dataset", "digits", "--epochs", "1", "--algorithm", "grid", "--trials", "1", "--json"]
    assert (
        run([*words, "--search", f"{RATE}=choice(0.01, 0.02)", "--objective", "val_accuracy", "--objective", "macs"])
        == 0
    )
    found = document(capsys)
    assert (found["state"], found["counts"]["completed"], len(found["trials"])) == ("completed", 1, 1)
    assert found["reason"] == "The one trial was made."
    assert found["best"]["values"] == {RATE: 0.01}
    store = Store()
    frame = read_trials(store, found["study_id"])
    summaries = {row["run_id"]: row for row in queries.summaries(store).to_dicts()}
    for row in frame.iter_rows(named=True):
        (run_id,) = row["run_ids"]
        assert run_status(store.run_dir(run_id)).state == "completed"
        assert summaries[run_id]["trial_id"] == row["trial_id"]
        reached = json.loads(row["objectives"])["val_accuracy"]
        assert reached == pytest.approx(summaries[run_id]["val_accuracy"])
        assert json.loads(row["objectives"])["macs"] == summaries[run_id]["macs"]
        assert queries.predictions(store, run_id, "val").height > 0
    assert found["disk_bytes"] > 0
