"""A completed run is trained for more epochs: as a new run, with whole curves, exactly from its last state."""

import zipfile

import keras
import numpy as np
import polars as pl
import pytest

from cnnlab import worker
from cnnlab.config import config_from_dict
from cnnlab.errors import ConfigError
from cnnlab.runs import queries
from cnnlab.runs.checkpoint import checkpoint_path, discard_checkpoint, read_about
from cnnlab.runs.continuing import begin, check_continuation, extended
from cnnlab.runs.status import RunStatus, write_status
from cnnlab.runs.steps import read_steps
from cnnlab.runs.store import Store

pytestmark = pytest.mark.training


def trained(store: Store, **training):
    """A completed run of LeNet-5, without a parent."""
    values = {"epochs": 2, "batch_size": 256, "schedule": "constant", **training}
    run_dir = store.create_run(config_from_dict({"data": {"image_size": 16}, "training": values}))
    return completed(run_dir)


def completed(run_dir):
    assert worker.main([str(run_dir)]) == 0
    write_status(run_dir, RunStatus(state="completed"))
    return run_dir


def weights(run_dir):
    return keras.saving.load_model(run_dir / "model.keras", compile=False).get_weights()


def test_two_epochs_and_two_more_are_four():
    store = Store()
    short, whole = trained(store), trained(store, epochs=4)
    before = {path: path.read_bytes() for path in short.rglob("*") if path.is_file()}
    config = extended(store.runs_dir, short.name, 2)
    assert (config.training.epochs, config.training.continue_from) == (4, short.name)
    longer = store.create_run(config)
    begin(longer, config)
    assert queries.metrics(store, [longer.name])["epoch"].max() == 2  # curves are whole from the start
    completed(longer)
    assert {path: path.read_bytes() for path in short.rglob("*") if path.is_file()} == before
    rows = queries.metrics(store, [longer.name]).filter(split="val", metric="loss", output="")
    assert rows["epoch"].to_list() == [1, 2, 3, 4]
    assert rows["run_id"].unique().to_list() == [longer.name]
    assert rows["elapsed_s"].is_sorted()
    steps = read_steps(longer).filter(output="")
    expected = read_steps(whole).filter(output="")
    assert steps.select("epoch", "step", "loss").equals(expected.select("epoch", "step", "loss"))
    for one, two in zip(weights(longer), weights(whole), strict=True):
        np.testing.assert_array_equal(one, two)
    assert store.read_result(longer.name)["epochs_done"] == 4
    # Its checkpoint lost, it begins anew with the state of the run that it continues.
    discard_checkpoint(longer)
    completed(longer)
    assert read_steps(longer).filter(output="").select("step", "loss").equals(expected.select("step", "loss"))


def test_patience_counts_from_the_run_that_is_continued():
    store = Store()
    short = trained(store, epochs=3, early_stopping_epochs=3)
    config = extended(store.runs_dir, short.name, 2)
    longer = store.create_run(config)
    begin(longer, config)
    position = read_about(longer)["position"]
    assert (position["epoch"], position["epochs_before"]) == (3, 3)
    assert position["elapsed_before_s"] == position["elapsed_s"] > 0
    assert pl.read_ndjson(longer / "metrics.jsonl")["epoch"].max() == 3


@pytest.fixture
def ended():
    """A run that looks completed, with a checkpoint as far as it is looked at here."""
    store = Store()
    run_dir = store.create_run(config_from_dict({}))
    write_status(run_dir, RunStatus(state="completed"))
    return store, run_dir


def write_about(run_dir, fingerprint: str, epoch: int = 20) -> None:
    import json

    about = {"format": 1, "fingerprint": fingerprint, "position": {"epoch": epoch, "elapsed_s": 1.0}}
    checkpoint_path(run_dir).parent.mkdir()
    np.savez(checkpoint_path(run_dir), about=np.frombuffer(json.dumps(about).encode(), np.uint8))


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("paused", "is paused. Only a completed run is trained for more epochs. Resume it."),
        ("failed", "is failed. Only a completed run is trained for more epochs. Retry it: it goes on from its check"),
        ("queued", "is queued. Only a completed run is trained for more epochs. Wait for its end."),
        ("completed", "has no checkpoint to go on from, for it is of an older version or lost it. Submit its config"),
    ],
)
def test_what_cannot_be_continued_says_why(ended, state, sentence):
    store, run_dir = ended
    write_status(run_dir, RunStatus(state=state))
    with pytest.raises(ConfigError) as raised:
        extended(store.runs_dir, run_dir.name, 5)
    assert str(raised.value).startswith(f"Run {run_dir.name!r} {sentence}")


@pytest.mark.parametrize("run_id", ["nothing", "../..", ".."])
def test_a_run_that_is_not_there_is_not_continued(ended, run_id):
    with pytest.raises(ConfigError, match=r"to go on from\. List runs with 'python -m cnnlab runs'\.$"):
        extended(ended[0].runs_dir, run_id, 5)


@pytest.mark.parametrize(
    ("training", "sentence"),
    [
        ({"batch_size": 32}, "training.batch_size=32 does not fit continue_from="),
        ({"seed": 1}, "training.seed=1 does not fit continue_from="),
        ({"epochs": 20}, "epochs=20 leaves nothing to train: run "),
    ],
)
def test_another_training_is_not_continued(ended, training, sentence):
    store, run_dir = ended
    write_about(run_dir, f"{config_from_dict({}).fingerprint()}-0")
    values = {"epochs": 30, "continue_from": run_dir.name, **training}
    check_continuation(
        store.runs_dir, config_from_dict({"training": values | {"seed": 0, "batch_size": 64, "epochs": 21}})
    )
    with pytest.raises(ConfigError) as raised:
        check_continuation(store.runs_dir, config_from_dict({"training": values}))
    assert str(raised.value).startswith(sentence)


def test_the_state_of_another_config_is_not_continued(ended):
    store, run_dir = ended
    write_about(run_dir, "0123456789ab-0")
    with pytest.raises(ConfigError, match="has no checkpoint to go on from"):
        extended(store.runs_dir, run_dir.name, 5)


def test_repeats_are_not_continued():
    with pytest.raises(ConfigError, match=r"^repeats=2 does not fit continue_from: .* one by one\.$"):
        config_from_dict({"repeats": 2, "training": {"continue_from": "x"}})


def test_a_copied_checkpoint_is_read_by_numpy(ended):
    from cnnlab.runs.checkpoint import copy_checkpoint

    store, run_dir = ended
    write_about(run_dir, "a")
    other = store.create_run(config_from_dict({}))
    copy_checkpoint(run_dir, other, fingerprint="b", position={"epochs_before": 20})
    assert zipfile.ZipFile(checkpoint_path(other)).testzip() is None
    with np.load(checkpoint_path(other)) as arrays:
        assert b'"fingerprint": "b"' in arrays["about"].tobytes()
    assert read_about(other)["position"] == {"epoch": 20, "elapsed_s": 1.0, "epochs_before": 20}
