"""What a trainer writes is read back, whenever it is killed."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from run_making import complete, epoch_rows

from cnnlab.config import RunConfig
from cnnlab.errors import StoreError
from cnnlab.runs import queries, tables
from cnnlab.runs.store import Store
from cnnlab.runs.writer import RunWriter

Make = Callable[..., Path]

VALUES = st.none() | st.floats()
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "epoch": st.integers(1, 2**31 - 1),
            "step": st.integers(0, 2**63 - 1),
            "split": st.sampled_from(["train", "val"]),
            "output": st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
            "metric": st.sampled_from(["loss", "accuracy"]),
            "value": VALUES,
            "elapsed_s": st.none() | st.floats(0, 1e9),
        }
    ),
    max_size=20,
    unique_by=lambda row: tuple(row[name] for name in ("epoch", "step", "split", "output", "metric")),
)


def same(rows: list[dict[str, Any]], expected: list[dict[str, Any]]) -> bool:
    """Compare with NaN equal to NaN, and null different from it."""
    return [repr(sorted(row.items())) for row in rows] == [repr(sorted(row.items())) for row in expected]


@given(rows=ROWS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
def test_metrics_come_back_live_and_ended(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    store = Store(tmp_path)
    run_dir = store.create_run(RunConfig())
    writer = RunWriter(run_dir)
    writer.metrics(rows)
    expected = [{"run_id": run_dir.name, **row} for row in rows]
    assert same(queries.metrics(store, [run_dir.name]).to_dicts(), expected)
    writer.finish()
    assert not (run_dir / "metrics.jsonl").exists()
    assert same(queries.metrics(store, [run_dir.name]).to_dicts(), expected)


def test_a_tail_torn_at_any_byte_is_read_and_compacted(store: Store, make_run: Make) -> None:
    run_dir = make_run()
    RunWriter(run_dir).metrics([*epoch_rows(1, 0.5, None), *epoch_rows(2, math.nan, 0.25)])
    data = (run_dir / "metrics.jsonl").read_bytes()
    lines = data.splitlines()
    for cut in range(len(data) + 1):
        (run_dir / "metrics.jsonl").write_bytes(data[:cut])
        frame = queries.metrics(store, [run_dir.name])
        # The line end may be missing: an object that closes is whole.
        whole = sum(1 for index in range(len(lines)) if cut >= sum(map(len, lines[: index + 1])) + index)
        assert frame.height == whole
        if cut % 97 == 0:
            tables.compact_metrics(run_dir)
            (run_dir / "metrics.jsonl").unlink()
            again = queries.metrics(store, [run_dir.name])
            assert again.equals(frame)
            (run_dir / tables.METRICS_FILE).unlink(missing_ok=True)


def test_numbers_of_numpy_are_welcome(store: Store, make_run: Make) -> None:
    run_dir = make_run()
    row = {"epoch": np.int64(1), "step": np.int32(2), "split": "val", "metric": "loss", "value": np.float32(0.5)}
    RunWriter(run_dir).metrics([row])
    assert queries.metrics(store, [run_dir.name]).to_dicts() == [
        {**row, "run_id": run_dir.name, "output": "", "elapsed_s": None}
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"loss": 1.0}, "Unknown column 'loss' in the metrics of run"),
        ({"vlaue": 1.0}, "Did you mean 'value'?"),
        ({"epoch": None}, "Column 'epoch' is missing in the metrics of run '.*'. Expected a int32. Give it a value."),
    ],
)
def test_wrong_columns_are_refused(make_run: Make, change: dict[str, Any], sentence: str) -> None:
    row = {"epoch": 1, "step": 1, "split": "val", "metric": "loss", "value": 0.5}
    with pytest.raises(StoreError, match=sentence):
        RunWriter(make_run()).metrics([{**row, **change}])


def test_a_retry_from_the_start_forgets_what_was_measured_before(store: Store, make_run: Make) -> None:
    run_dir = make_run()
    first = RunWriter(run_dir)
    for epoch in (1, 2, 3):
        first.metrics(epoch_rows(epoch, 0.5, 0.5))
    tables.compact_metrics(run_dir)  # a reader saw it fail
    second = RunWriter(run_dir)
    assert queries.metrics(store, [run_dir.name])["epoch"].max() == 3
    second.metrics(epoch_rows(1, 0.25, 0.75))
    frame = queries.metrics(store, [run_dir.name])
    assert frame["epoch"].to_list() == [1, 1, 1]
    assert frame["value"][0] == 0.25


def test_starting_over_clears_all_that_is_made_anew(store: Store, make_run: Make) -> None:
    run_dir = make_run()
    complete(run_dir)
    RunWriter(run_dir).event("attempt_ended")
    RunWriter(run_dir).start_over()
    assert queries.metrics(store, [run_dir.name]).is_empty()
    assert store.read_result(run_dir.name) is None
    assert store.read_config(run_dir.name) == RunConfig()
    assert len(store.events(run_dir.name)) == 1


def test_a_resumed_run_goes_on_after_its_checkpoint(store: Store, make_run: Make) -> None:
    run_dir = make_run()
    first = RunWriter(run_dir)
    for epoch in (1, 2, 3):
        first.metrics(epoch_rows(epoch, math.nan, 0.5))
    second = RunWriter(run_dir)
    second.metrics(epoch_rows(3, 0.25, 0.75))  # killed in epoch 3, resumed from the end of epoch 2
    second.metrics(epoch_rows(4, 0.25, 0.75))
    second.finish()
    frame = queries.metrics(store, [run_dir.name])
    assert frame["epoch"].to_list() == [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3
    assert math.isnan(frame["value"][0])
    assert frame.filter(epoch=3, metric="accuracy")["value"].to_list() == [0.75]


def test_rows_that_came_after_a_reader_compacted_are_seen(store: Store, make_run: Make) -> None:
    run_dir = make_run()
    writer = RunWriter(run_dir)
    writer.metrics(epoch_rows(1, 0.5, 0.5))
    assert tables.compact_metrics(run_dir)
    assert not tables.compact_metrics(run_dir)
    writer.metrics(epoch_rows(2, 0.5, 0.5))
    assert queries.metrics(store, [run_dir.name])["epoch"].to_list() == [1, 1, 1, 2, 2, 2]
    writer.finish()
    writer.finish()
    assert queries.metrics(store, [run_dir.name])["epoch"].to_list() == [1, 1, 1, 2, 2, 2]


def test_predictions_of_two_splits_and_outputs(store: Store, make_run: Make) -> None:
    run_dir = make_run()
    writer = RunWriter(run_dir)
    writer.predictions("val", "shape", ["v0"], [1], [[0.25, 0.75]])
    writer.predictions("test", "shape", ["t0", "t1"], [0, 1], np.array([[0.5, 0.5], [math.nan, 0.5]]))
    writer.predictions("test", "colour", ["t0", "t1"], [2, 0], [[0, 0, 1], [0, 1, 0]])
    writer.predictions("val", "shape", ["v0"], [1], [[0.75, 0.25]])  # the last word counts
    test = queries.predictions(store, run_dir.name)
    assert test.select("sample_id", "output", "label", "predicted").rows() == [
        ("t0", "shape", 0, 0),
        ("t1", "shape", 1, None),
        ("t0", "colour", 2, 2),
        ("t1", "colour", 0, 1),
    ]
    assert test["probabilities"].to_list()[2] == [0.0, 0.0, 1.0]
    assert queries.predictions(store, run_dir.name, "val")["predicted"].to_list() == [0]
    assert queries.predictions(store, run_dir.name, None).height == 5
    answers = queries.answers(store, run_dir.name, "shape")
    assert answers.rows() == test.filter(pl.col("output") == "shape").select("sample_id", "label", "predicted").rows()
    assert queries.answers(store, run_dir.name, "colour", "val").is_empty()


def test_predictions_that_do_not_fit_together_are_refused(make_run: Make) -> None:
    with pytest.raises(StoreError) as caught:
        RunWriter(make_run()).predictions("test", "label", ["a", "b"], [0], [[0.5, 0.5]])
    assert str(caught.value) == (
        "Predictions of 'test' do not fit together: 2 sample ids, 1 labels and probabilities of shape (1, 2). "
        "Expected one row of probabilities per image."
    )


def test_layers_keep_what_is_not_known_as_null(store: Store, make_run: Make) -> None:
    run_dir = make_run()
    common = {"num_params": 1, "trainable_params": 1}
    RunWriter(run_dir).layers(
        [
            {"name": "c", "kind": "Conv2D", "output_shape": [8, None, 3], "macs": 7, "counted": True, **common},
            {"name": "x", "kind": "Own", "counted": False, **common},
        ]
    )
    frame = queries.layers(store, run_dir.name)
    assert frame["position"].to_list() == [0, 1]
    assert frame["output_shape"].to_list() == [[8, None, 3], None]
    assert frame["macs"].to_list() == [7, None]
    assert frame["run_id"].to_list() == [run_dir.name] * 2


def test_before_anything_is_written_there_are_no_rows(store: Store, make_run: Make) -> None:
    run_id = make_run().name
    assert queries.metrics(store, [run_id]).is_empty()
    assert queries.metrics(store, []).is_empty()
    assert queries.predictions(store, run_id).is_empty()
    assert queries.answers(store, run_id, "label").columns == ["sample_id", "label", "predicted"]
    assert queries.layers(store, run_id).is_empty()
    assert queries.hardware(store, run_id).is_empty()


def test_a_result_keeps_nan_in_strict_json(store: Store, make_run: Make) -> None:
    run_dir = make_run()
    RunWriter(run_dir).result({"test": {"label": {"loss": math.nan, "n": np.int64(3)}}, "train_s": math.inf})
    text = (run_dir / "result.json").read_text()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    result = store.read_result(run_dir.name)
    assert result
    assert math.isnan(result["test"]["label"]["loss"])
    assert result["train_s"] == math.inf
    assert result["test"]["label"]["n"] == 3


def test_progress_is_written_twice_a_second_and_its_last_word_at_the_end(store: Store, make_run: Make) -> None:
    run_dir = make_run()
    time_s = 0.0
    writer = RunWriter(run_dir, clock=lambda: time_s)
    seen = []
    for batch in range(12):
        writer.progress({"batch": batch})
        seen.append((store.read_progress(run_dir.name) or {})["batch"])
        time_s += 0.125
    assert seen == [0, 0, 0, 0, 4, 4, 4, 4, 8, 8, 8, 8]
    writer.finish()
    assert store.read_progress(run_dir.name) == {"batch": 11}


def test_events_are_a_journal(store: Store, make_run: Make) -> None:
    run_dir = make_run()
    RunWriter(run_dir).event("training_started", steps=3)
    RunWriter(run_dir).event("nan_seen", loss=math.nan)
    events = store.events(run_dir.name)
    assert [event["event"] for event in events] == ["training_started", "nan_seen"]
    assert events[0]["steps"] == 3
    assert events[0]["time"] <= events[1]["time"]


def test_a_failure_has_a_known_kind(make_run: Make) -> None:
    run_dir = make_run()
    writer = RunWriter(run_dir)
    writer.failure("nan_loss", "The loss is NaN.")
    assert json.loads((run_dir / "failure.json").read_text()) == {"kind": "nan_loss", "message": "The loss is NaN."}
    with pytest.raises(ValueError, match="Unknown failure 'boredom'"):
        writer.failure("boredom", "")


def test_a_full_disk_is_named(make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    run_dir = make_run()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cnnlab.runs.writer.append_lines", full)
    with pytest.raises(StoreError) as caught:
        RunWriter(run_dir).metrics(epoch_rows(1, 0.5, 0.5))
    assert str(caught.value) == (
        f"metrics.jsonl of run '{run_dir.name}' cannot be written: No space left on device. "
        "Expected a folder of yours with free space. Make room and train again."
    )
