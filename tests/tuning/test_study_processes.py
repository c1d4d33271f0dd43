"""Studies with real processes, which are killed: what was found stays, and the counts add up."""

import json
import os
from pathlib import Path

import polars as pl
import psutil
import pytest
from study_lab import RATE, StudyLab, config

from cnnlab.errors import QueueError, UnknownNameError
from cnnlab.files import read_json
from cnnlab.launch.engines import known
from cnnlab.launch.queue import Queue
from cnnlab.runs import queries
from cnnlab.runs.status import read_status as run_status
from cnnlab.runs.studies import read_trials
from cnnlab.tuning.control import add_trials, cancel_trial, resume_study, set_width, stop_study


@pytest.fixture
def make_lab(tmp_path, monkeypatch):
    """Make the lab of a test, with two slots on the CPU."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    monkeypatch.setenv("CNNLAB_SLOTS", "2")
    made = []

    def make(*training: str) -> StudyLab:
        made.append(StudyLab(tmp_path, *training))
        return made[-1]

    yield make
    for lab in made:
        lab.close()


def proposed(folder: Path, count: int) -> list[float]:
    """What an oracle that nobody disturbs proposes."""
    from cnnlab.tuning.oracles.making import make_oracle

    oracle = make_oracle(config(), folder)
    return [oracle.create_trial(f"w{number}").hyperparameters.values[RATE] for number in range(count)]


def test_kills_of_worker_chief_both_and_supervisor_lose_nothing(make_lab, tmp_path):
    lab = make_lab()
    lab.gate.write_text("1")
    lab.start()
    lab.wait(lambda: lab.counts() == {"completed": 1, "running": 1}, "the second trial to train")
    second = list(lab.trials())[1]

    def attempts() -> int:
        return lab.trials()[second]["attempts"]

    for number, killed in enumerate([("worker",), ("chief", "worker"), ("supervisor",)], start=2):
        lab.kill(*killed)
        lab.wait(lambda wanted=number: attempts() == wanted, f"the trial to be taken up after {killed}")
    lab.kill("chief")
    lab.gate.unlink()
    status = lab.wait_until_at_rest()
    assert (status.state, status.reason, status.starts) == ("completed", "All 4 trials were made.", 2)
    rows = list(lab.trials().values())
    assert [(row["number"], row["status"]) for row in rows] == [(number, "completed") for number in range(1, 5)]
    assert lab.starts() == [1, 1, 1, 1], "a run was trained again, or one too many"
    assert [row["run_ids"] for row in rows] == [[run.name] for run in lab.runs()]
    assert [row["values"][RATE] for row in rows] == pytest.approx(proposed(tmp_path / "undisturbed", 4))
    assert [row["attempts"] for row in rows] == [1, 4, 1, 1]
    left = [one for part in ("supervisor", "chief", "worker") for one in lab.processes(part)]
    psutil.wait_procs(left, timeout=60)
    assert [one for one in left if one.is_running()] == []


def test_a_study_is_stopped_resumed_widened_and_given_more_trials(make_lab):
    lab = make_lab()
    lab.gate.write_text("1")
    study = lab.start(budget={"trials": 2, "executions": 2}, keep_checkpoints=1)
    lab.wait(lambda: len(lab.starts()) == 2 and lab.counts() == {"running": 1}, "the second execution")
    stop_study(lab.store, study.study_id, queue=lab.queue)
    status = lab.wait_until_at_rest()
    assert (status.state, status.reason) == ("stopped", "It was stopped by somebody.")
    assert [run_status(run).state for run in lab.runs()] == ["completed", "paused"]
    assert lab.counts() == {"waiting": 1}
    with pytest.raises(QueueError, match=r"is stopped already.*Go on with"):
        stop_study(lab.store, study.study_id, queue=lab.queue)

    lab.gate.unlink()
    resume_study(lab.store, study.study_id, queue=lab.queue)
    assert lab.wait_until_at_rest().state == "completed"
    assert lab.starts() == [1, 2, 1, 1], "the paused run goes on, the others are trained once"

    set_width(lab.store, study.study_id, 2)
    assert add_trials(lab.store, study.study_id, 2, queue=lab.queue) == 4
    status = lab.wait_until_at_rest()
    assert (status.state, status.width, status.trials) == ("completed", 2, 4)
    frame = read_trials(lab.store, study.study_id)
    assert (lab.folder / "trials.parquet").exists()
    assert frame["status"].to_list() == ["completed"] * 4
    assert set(frame["worker"]) <= {"worker0", "worker1"}
    check_executions(lab, frame)


def check_executions(lab: StudyLab, frame: pl.DataFrame) -> None:
    """The mean over seeds counts; only the runs of the best trial keep their networks; runs say whose they are."""
    scores = {}
    for row in frame.iter_rows(named=True):
        rate = json.loads(row["values"])[RATE]
        scores[row["trial_id"]] = json.loads(row["objectives"])["val_accuracy"]
        assert scores[row["trial_id"]] == pytest.approx(1 - abs(rate - 0.05) - 0.005)
        assert row["epochs_done"] == 4
    best = max(scores, key=scores.__getitem__)
    kept = {run.name for run in lab.runs() if (run / "model.keras").exists()}
    assert kept == set(frame.filter(trial_id=best)["run_ids"][0])
    assert {run.name for run in lab.runs() if (run / "checkpoints").exists()} == kept
    table = queries.summaries(lab.store)
    assert set(table["study_id"]) == {lab.folder.name}
    assert set(table["trial_id"]) == set(frame["trial_id"])
    seeds = [lab.store.read_config(run_id).training.seed for run_id in frame["run_ids"][0]]
    assert seeds == [0, 1]


@pytest.fixture
def toy_cluster(tmp_path, monkeypatch) -> Path:
    """Install the toy cluster, for this process and those that it starts; return the folder of its nodes."""
    about = tmp_path / "site" / "toy_cluster-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-cluster\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[cnnlab.engines]\ntoy = toy_cluster:ToyCluster\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(about.parent), str(Path(__file__).parent)]))
    monkeypatch.setenv("TOY_CLUSTER", str(tmp_path / "nodes"))
    monkeypatch.syspath_prepend(str(about.parent))
    known._points.cache_clear()
    yield tmp_path / "nodes"
    known._points.cache_clear()


def test_on_a_cluster_workers_are_jobs_that_train_on_their_nodes_and_no_job_is_left_behind(make_lab, toy_cluster):
    lab = make_lab()
    lab.gate.write_text("0")
    lab.start(engine="toy", workers=2)
    lab.wait_for_epoch(2)
    assert lab.queue.entries() == [], "the queue of this machine has nothing to do with it"
    on_nodes = [Queue(node / "queue.sqlite").entries() for node in sorted(toy_cluster.glob("node*"))]
    assert [len(entries) for entries in on_nodes] == [1, 1]
    assert read_json(lab.folder / "chief.json")["address"] == "localhost"
    jobs = [*lab.processes("chief"), *lab.processes("worker")]

    lab.kill("supervisor")
    lab.wait(lambda: len((toy_cluster / "placed").read_text().splitlines()) == 6, "a new supervisor to place three")
    assert psutil.wait_procs(jobs, timeout=60)[1] == [], "jobs of the old supervisor stayed"
    lab.gate.unlink()
    assert lab.wait_until_at_rest().state == "completed"
    assert lab.starts() == [1, 1, 1, 1]
    assert lab.counts() == {"completed": 4}, lab.state()
    assert [line.split()[0] for line in (toy_cluster / "placed").read_text().splitlines()] == [
        "chief", "worker0", "worker1", "chief", "worker0", "worker1"
    ]  # fmt: skip
    left = [*lab.processes("chief"), *lab.processes("worker")]
    assert psutil.wait_procs(left, timeout=60)[1] == []


TROUBLES = """
if place == 1:
    (run / "failure.json").write_text(json.dumps({"kind": "nan_loss", "message": "The loss is not a number."}))
    sys.exit(1)
if place == 2 and start == 1:
    os.kill(os.getpid(), signal.SIGKILL)
if place == 3 and start == 1:
    time.sleep(1000)
if place == 4:
    (root / "at 4").touch()
    time.sleep(1000)
if place == 6:
    measure(1, 0.0)
    time.sleep(1000)
if place == 7:
    sys.exit(9)
measure(1)
measure(2)
keep()
"""


def test_troubles_end_trials_with_their_reason_and_never_the_search(make_lab, monkeypatch):
    monkeypatch.setenv("CNNLAB_HANG_S", "3")
    lab = make_lab(TROUBLES)
    study = lab.start(budget={"trials": 8}, pruning={"rule": "median", "warmup_epochs": 0, "min_trials": 1})
    lab.wait(lambda: (lab.root / "at 4").exists() and list(lab.counts()) != [], "the fourth trial")
    (fourth,) = lab.wait(lambda: [key for key, row in lab.trials().items() if row["status"] == "running"], "it")
    cancel_trial(lab.store, study.study_id, fourth, queue=lab.queue)
    status = lab.wait_until_at_rest()
    assert status.state == "completed"
    rows = list(lab.trials().values())
    wanted = ["failed", "completed", "completed", "cancelled", "completed", "stopped", "failed", "completed"]
    assert [row["status"] for row in rows] == wanted
    assert rows[0]["reason"] == "The loss is not a number."
    assert rows[3]["reason"] == "Its run was cancelled by somebody."
    assert rows[5]["reason"] == "stopped early by the study"
    assert "exit code 9" in rows[6]["reason"]
    starts = lab.starts()
    assert (starts[0], starts[1], starts[2], starts[5]) == (1, 2, 2, 1)
    with pytest.raises(QueueError, match="is cancelled already"):
        cancel_trial(lab.store, study.study_id, fourth, queue=lab.queue)
    with pytest.raises(UnknownNameError, match="Unknown trial 'x'"):
        cancel_trial(lab.store, study.study_id, "x", queue=lab.queue)
