"""The benchmark against other trackers: its runs, its addresses, and a page of ours that it waits for."""

import base64
import json
import math
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from benchmarks import trackers
from benchmarks.tracker_sides import measuring
from benchmarks.tracker_sides.environment import NotMeasurableError, environment_of
from benchmarks.tracker_sides.made_run import COMPARED, SERIES, compared, made_runs, name_of
from benchmarks.tracker_sides.opening import open_view
from benchmarks.tracker_sides.server import Server, serving
from benchmarks.tracker_sides.side import View, side_named
from benchmarks.tracker_sides.writing import Written, disk_bytes, written

RUNS, EPOCHS, PATIENCE_S = 21, 4, 180.0


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written]:
    ours = side_named("cnnlab")
    cache = tmp_path_factory.mktemp("cache")
    return written(ours, environment_of(ours, cache), cache, RUNS, EPOCHS)


@pytest.fixture
def served(store: tuple[Path, Written]) -> Iterator[Server]:
    ours, folder = side_named("cnnlab"), store[0]
    with serving(ours, environment_of(ours, folder), folder, PATIENCE_S) as server:
        yield server


def test_a_larger_number_of_runs_begins_with_the_smaller():
    few, many = list(made_runs(3, EPOCHS)), list(made_runs(5, EPOCHS))

    assert [run.name for run in few] == [name_of(number) for number in range(3)]
    assert few[2].settings == many[2].settings
    assert np.array_equal(few[2].values, many[2].values)
    assert few[2].values.shape == (EPOCHS, len(SERIES))


def test_comparisons_are_of_twenty_runs_and_of_other_ones_each_time():
    first, second = compared(1000, 0), compared(1000, 1)

    assert len({*first, *second}) == 2 * COMPARED
    assert max(*first, *second) < 1000
    with pytest.raises(ValueError, match="19 runs are too few"):
        compared(19, 0)


def test_addresses_of_other_trackers_name_the_runs():
    in_mlflow = unquote(side_named("mlflow").comparison_view(["a1", "b2"], EPOCHS).path)
    in_tensorboard = unquote(side_named("tensorboard").comparison_view(["a1", "b2"], EPOCHS).path)
    letters = side_named("aim").comparison_view(["a1", "b2"], EPOCHS).path.partition("=O-")[2]
    padded = letters.replace("-", "+").replace("_", "/") + "=" * (-len(letters) % 4)

    assert 'runs=["a1", "b2"]&metric="val/accuracy"' in in_mlflow
    assert "runFilter=^(a1|b2)$" in in_tensorboard
    assert json.loads(unquote(base64.b64decode(padded).decode()))["query"].endswith('run.hash in ["a1", "b2"]')


def test_what_cannot_be_measured_is_in_the_table_with_its_reason(tmp_path, monkeypatch, capsys):
    def refuse(*_):
        raise NotMeasurableError("it cannot be installed (no such thing)")

    monkeypatch.setattr(measuring, "environment_of", refuse)
    rows = measuring.measure(side_named("aim"), 20, measuring.Plan(tmp_path, EPOCHS, 1, 1, 1.0))
    trackers.report(rows)

    assert [row["outcome"] for row in rows] == ["not measured: it cannot be installed (no such thing)"]
    assert "not measured: it cannot be installed (no such thing)" in capsys.readouterr().out


@pytest.mark.processes
@pytest.mark.browser
def test_our_list_and_our_comparison_become_usable(browser, store, served, tmp_path):
    ours, (folder, runs) = side_named("cnnlab"), store
    chosen = [runs.run_ids[number] for number in compared(RUNS, 0)]

    picture = tmp_path / "not-in-time.png"
    listed = open_view(browser, served.address, ours.list_view(runs.names), PATIENCE_S, picture)
    curves = open_view(browser, served.address, ours.comparison_view(chosen, EPOCHS), PATIENCE_S, picture)
    assert not picture.exists()
    never = open_view(browser, served.address, View("/", "() => false"), 0.5, picture)

    assert [listed[1], curves[1]] == ["measured", "measured"]
    assert math.isnan(never[0])
    assert never[1] == "not within 0.5 s"
    assert picture.exists()
    assert served.memory_bytes > 0
    assert disk_bytes(folder) > 0
