"""Stores of every schema version so far are opened by today's code."""

import shutil
from pathlib import Path

import pytest

from cnnlab.config import RunConfig
from cnnlab.errors import StoreError
from cnnlab.runs import fields, index, migrations, queries
from cnnlab.runs.annotations import annotate, change
from cnnlab.runs.schema import SCHEMA_VERSION
from cnnlab.runs.store import Store

STORES = Path(__file__).resolve().parents[1] / "stores"


@pytest.fixture
def v1(tmp_path: Path) -> Store:
    shutil.copytree(STORES / "v1", tmp_path / "v1")
    return Store(tmp_path / "v1")


def test_there_is_a_store_of_every_version() -> None:
    assert sorted(path.name for path in STORES.iterdir() if path.is_dir()) == [
        f"v{version}" for version in range(1, SCHEMA_VERSION + 1)
    ]


def test_the_summaries_of_version_1(v1: Store) -> None:
    frame = queries.summaries(v1)
    assert frame.equals(index.scan(v1))
    assert frame.select("state", "seed", "epochs_done", "test_correct", "test_n", "failure").rows() == [
        ("failed", 0, 2, None, None, "killed"),
        ("completed", 1, 3, 341, 359, None),
        ("completed", 0, 3, 337, 359, None),
    ]
    assert frame["num_params"].to_list() == [None, 61_706, 61_706]
    assert frame["macs"].to_list() == [None, 416_520, 416_520]
    # The two seeds of one config are one group, the killed run is another.
    assert frame["group_id"].n_unique() == 2
    assert frame["group_id"][1] == frame["group_id"][2]


def test_runs_of_version_1_can_be_written_about(v1: Store) -> None:
    run_id = queries.summaries(v1)["run_id"][0]
    said = ["tags", "is_starred", "is_archived", "notes"]
    assert queries.summaries(v1).select(said).unique().rows() == [([], False, False, "")]
    annotate(v1, [run_id], change(add_tags=["old"], is_starred=True))
    assert queries.summaries(v1).filter(run_id=run_id).select(said).row(0) == (["old"], True, False, "")
    assert fields.fields(v1).filter(run_id=run_id)["training.batch_size"].item() > 0


def test_everything_of_a_run_of_version_1(v1: Store) -> None:
    killed, second, first = queries.summaries(v1)["run_id"].to_list()
    assert isinstance(v1.read_config(first), RunConfig)
    assert queries.metrics(v1, [first, second]).height == 2 * 3 * 7
    tail = queries.metrics(v1, [killed])
    assert tail["epoch"].to_list() == [1] * 7 + [2] * 5  # the torn line is left out
    predictions = queries.predictions(v1, first)
    assert predictions.height == 359
    assert (predictions["label"] == predictions["predicted"]).sum() == 337
    assert queries.predictions(v1, first, "val").height == 179
    assert queries.layers(v1, first)["num_params"].sum() == 61_706
    assert not queries.hardware(v1, first).is_empty()
    assert v1.events(first)[0]["event"] == "preparing_data"
    environment = v1.read_environment(first)
    assert environment
    assert environment["libraries"]["keras"] == "3.15.1"
    result = v1.read_result(first)
    assert result
    assert len(result["outputs"]["label"]) == 10
    assert queries.config_differences(v1, [first, second]) == [("training.seed", {first: 0, second: 1})]


@pytest.mark.parametrize("version", [None, 0, -1, "1", True, 1.5])
def test_a_version_that_never_was(version: object) -> None:
    with pytest.raises(
        StoreError, match=r"Expected a number from 1 to 1\. Restore the folder from a copy, or delete it\."
    ):
        migrations.check_version(version, "The run 'x'")


def test_upgrades_run_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "SCHEMA_VERSION", 3)
    monkeypatch.setitem(migrations.UPGRADES, 1, lambda run: {**run, "schema_version": 2, "first": True})
    monkeypatch.setitem(migrations.UPGRADES, 2, lambda run: {**run, "schema_version": 3, "second": run["first"]})
    assert migrations.upgrade({"schema_version": 1}, "x") == {"schema_version": 3, "first": True, "second": True}
    assert migrations.upgrade({"schema_version": 3}, "x") == {"schema_version": 3}


def test_every_older_version_has_an_upgrade() -> None:
    assert sorted(migrations.UPGRADES) == list(range(1, SCHEMA_VERSION))
