"""The doctor between the store, the command line and the writer of a run."""

import json

import made_evidence as made
import numpy as np
import polars as pl
import pytest

from cnnlab.__main__ import run
from cnnlab.config import config_from_dict
from cnnlab.datasets.storage import open_dataset
from cnnlab.doctor.catalogue import RULES
from cnnlab.doctor.reading import data_facts, diagnose, keep, read_evidence
from cnnlab.runs import queries
from cnnlab.runs.probes import KEPT, copy_probes, read_probes
from cnnlab.runs.status import RunStatus, write_status
from cnnlab.runs.store import Store
from cnnlab.runs.writer import RunWriter


@pytest.fixture
def store():
    return Store()


def looked(position: int, **values):
    """Return a row as the trainer gives it."""
    row = made.layer(position, **values)
    return {name: value for name, value in row.items() if name not in ("run_id", "epoch", "step")}


def ended(store: Store, losses: list[float]) -> str:
    """Write a run of these losses, one step an epoch, that has come to its end."""
    run_dir = store.create_run(config_from_dict({}))
    writer = RunWriter(run_dir)
    for epoch, loss in enumerate(losses, 1):
        writer.steps(epoch, epoch, {"loss": np.array([loss])}, [0.01], 1.0)
        rows = [
            {"epoch": epoch, "step": epoch, "split": split, "metric": "loss", "value": loss, "elapsed_s": float(epoch)}
            for split in ("train", "val")
        ]
        writer.metrics(rows)
    writer.probe(1, 1, [looked(0), looked(1)])
    writer.finish()
    write_status(run_dir, RunStatus(state="completed"))
    return run_dir.name


def test_what_was_found_at_the_end_is_kept_and_counted(store):
    run_id = ended(store, [2.3, float("nan")])
    before = queries.summary(store, run_id)
    assert before["serious_findings"] is None
    keep(store.run_dir(run_id))
    assert queries.summary(store, run_id)["serious_findings"] == 1
    assert [finding.rule for finding in diagnose(store, run_id).findings] == ["nan_loss"]
    queries.summaries(store)
    assert queries.summaries(store).filter(pl.col("run_id") == run_id)["serious_findings"].to_list() == [1]


def test_findings_of_other_rules_are_looked_at_anew(store):
    run_id = ended(store, [2.3, 2.0])
    RunWriter(store.run_dir(run_id)).doctor({"version": -1, "serious": 9, "findings": [], "not_checked": {}})
    assert "nan_loss" in diagnose(store, run_id).checked


def test_the_command_says_it(store, capsys):
    run_id = ended(store, [2.3, float("nan")])
    assert run(["doctor", run_id]) == 0
    said = capsys.readouterr().out
    assert "serious: The loss is no number. The training loss is no number any more at step 2." in said
    assert "Not checked: Overfitting, for it takes four epochs." in said
    assert run(["doctor", run_id, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["run_id"], document["serious"]) == (run_id, 1)
    assert set(document["checked"]) | set(document["not_checked"]) == set(RULES)
    assert run(["doctor", ended(store, [2.3, 2.0])]) == 0
    assert capsys.readouterr().out.startswith("Nothing found.\n")
    assert run(["doctor", "nothing"]) == 2
    assert "No run 'nothing'" in capsys.readouterr().err


def test_a_run_outlives_its_data(store):
    run_id = ended(store, [2.3, 2.0])
    assert read_evidence(store, run_id).data.classes == {}
    open_dataset(store.root, "digits")
    facts = read_evidence(store, run_id).data
    assert len(facts.classes["label"]) == 10
    assert sum(facts.class_counts["label"]["val"]) == facts.counts["val"]


def test_copies_are_found_by_content(store):
    digits = open_dataset(store.root, "digits")
    samples = digits.samples()
    assert data_facts(digits).copies == {}
    first = samples.filter(pl.col("split") == "train")["sha256"][0]
    of_val = pl.int_range(pl.len()) < samples.filter(pl.col("split") == "train").height + 2
    digits._samples = samples.with_columns(
        pl.when((pl.col("split") == "val") & of_val).then(pl.lit(first)).otherwise("sha256").alias("sha256")
    )
    assert data_facts(digits).copies == {"val": 2}


def test_looks_survive_the_tail_the_parquet_and_a_resumed_run(store):
    run_id = ended(store, [2.3, 2.0])
    run_dir = store.run_dir(run_id)
    assert not (run_dir / KEPT.tail).exists()
    writer = RunWriter(run_dir)
    writer.probe(2, 2, [looked(0, gradient_norm=float("inf"), input_mean=[float("nan")])])
    assert read_probes(run_dir)["epoch"].to_list() == [1, 1, 2]
    again = RunWriter(run_dir)
    again.probe(2, 2, [looked(0, gradient_norm=float("nan"))])  # the same epoch, after a kill
    live = read_probes(run_dir)
    again.finish()
    assert (run_dir / KEPT.file).exists()
    kept = read_probes(run_dir)
    assert kept["epoch"].to_list() == live["epoch"].to_list() == [1, 1, 2]
    assert np.isnan(kept["gradient_norm"][2])
    assert kept["input_std"][0].to_list() == [1.0]
    (run_dir / "checkpoints").mkdir()
    (run_dir / "checkpoints" / "probe.state").write_bytes(b"state")
    other = store.create_run(config_from_dict({}))
    copy_probes(run_dir, other)
    assert read_probes(other).drop("run_id").equals(kept.drop("run_id"))
    assert (other / "checkpoints" / "probe.state").read_bytes() == b"state"
