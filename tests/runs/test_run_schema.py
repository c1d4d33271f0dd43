"""One description: the README is made from it, the files agree with it, its examples run."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from run_making import complete, result_of

from cnnlab.runs import queries, readme, schema, tables
from cnnlab.runs.status import RunStatus
from cnnlab.runs.store import Store
from cnnlab.runs.writer import RunWriter

PROJECT = Path(__file__).resolve().parents[2]
Make = Callable[..., Path]


def test_the_readme_is_up_to_date() -> None:
    assert readme.README.read_text(encoding="utf-8") == readme.text(), "run 'python -m cnnlab.runs.schema'"


def test_the_command_writes_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readme, "README", tmp_path / "experiments" / "README.md")
    readme.main()
    assert (tmp_path / "experiments" / "README.md").read_text(encoding="utf-8") == readme.text()


@pytest.mark.parametrize("table", [*schema.TABLES, schema.SUMMARY], ids=lambda table: table.name)
def test_every_column_is_described_and_typed(table: schema.Table) -> None:
    assert len(set(table.names)) == len(table.names)
    for column in table.columns:
        assert column.dtype in schema.DTYPES
        assert re.search(r"[.]$", column.note), f"{column.name} has no note"
    empty = pl.from_arrow(schema.arrow_schema(table).empty_table())
    assert isinstance(empty, pl.DataFrame)
    assert empty.schema == pl.Schema(schema.polars_schema(table))


def test_files_carry_their_schema(make_run: Make, store: Store) -> None:
    run_dir = make_run(complete)
    writer = RunWriter(run_dir)
    writer.predictions("test", "label", ["a"], [0], [[1.0, 0.0]])
    writer.layers([{"name": "c", "kind": "C", "num_params": 1, "trainable_params": 1, "counted": False}])
    queries.summaries(store)
    for table in (schema.METRICS, schema.PREDICTIONS, schema.LAYERS, schema.INDEX):
        path = store.root / table.path.replace("<run_id>", run_dir.name)
        found = pq.read_schema(path)
        assert found.equals(schema.arrow_schema(table), check_metadata=False)
        assert found.metadata[b"cnnlab.schema_version"] == b"1"
        assert found.metadata[b"cnnlab.table"] == table.name.encode()
        for column in table.columns:
            metadata = found.field(column.name).metadata
            assert metadata[b"unit"] == column.unit.encode()
            assert metadata[b"note"] == column.note.encode()


def named(described: tuple[tuple[str, str], ...]) -> set[str]:
    return {name for names, _ in described for name in names.split(", ")}


def test_the_fields_of_json_files_are_described(make_run: Make) -> None:
    run_dir = make_run(complete)
    assert named(readme._RUN) == set(json.loads((run_dir / "run.json").read_text()))
    assert named(readme._STATUS) == {field.name for field in fields(RunStatus)}
    assert named(readme._RESULT) == set(result_of(plain={}, latency_ms=0.5))  # which only some have
    described = dict(readme._OTHERS)["environment.json"]
    environment = json.loads(next((PROJECT / "tests/stores/v1/runs").glob("*/environment.json")).read_text())
    assert [name for name in environment if f"`{name}`" not in described] == []


def examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", readme.text(), flags=re.S)


@pytest.fixture
def example_store(tmp_path: Path) -> Store:
    shutil.copytree(PROJECT / "tests" / "stores" / "v1", tmp_path / "v1")
    store = Store(tmp_path / "v1")
    queries.summaries(store)
    return store


@pytest.mark.parametrize("code", examples(), ids=lambda code: re.search(r"import (\w+)", code)[1])  # type: ignore[index]
def test_the_examples_run_without_our_code(code: str, example_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cnnlab" not in code
    monkeypatch.chdir(example_store.root)
    found: dict = {}
    exec(compile(code, "README.md", "exec"), found)
    last = [line.split(" = ")[0] for line in code.splitlines() if re.match(r"\w+ = ", line)][-1]
    assert len(found[last]) > 0


def test_the_answers_of_the_three_libraries_agree(example_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(example_store.root)
    found: dict = {}
    for code in examples():
        exec(compile(code, "README.md", "exec"), found)
    table = queries.summaries(example_store)
    ids = table["run_id"].to_list()
    assert sorted(found["curves"]["run_id"].unique()) == sorted(ids)
    accuracies = dict(table.drop_nulls("test_accuracy").select("run_id", "test_accuracy").rows())
    assert {run_id: value for (run_id, _), value in found["accuracy"].items()} == pytest.approx(accuracies)
    assert dict(found["table"][["run_id", "test_accuracy"]].dropna().values.tolist()) == pytest.approx(accuracies)
    best = {run_id: (epoch, value) for run_id, value, epoch in found["best"]}
    for row in table.filter(state="completed").iter_rows(named=True):
        assert best[row["run_id"]] == pytest.approx((row["best_epoch"], row["val_accuracy"]), abs=1e-6)
    assert [row[0] for row in found["results"]] == sorted(accuracies)
    assert len(found["fixed"]) == 2


def test_three_libraries_read_nulls_nans_and_lists(make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    import duckdb
    import pandas as pd

    def ask(question: str) -> list:
        return duckdb.connect().sql(question).fetchall()

    run_dir = make_run()
    writer = RunWriter(run_dir)
    row = {"epoch": 1, "step": 1, "split": "val", "metric": "loss"}
    values = [float("nan"), None, float("inf"), 0.5]
    writer.metrics([{**row, "step": step, "value": value} for step, value in enumerate(values)])
    tail = pl.read_ndjson(run_dir / tables.TAIL, infer_schema_length=None)
    assert tail.select("value", "special").rows() == [(None, "nan"), (None, None), (None, "inf"), (0.5, None)]
    assert ask(f"select value from '{run_dir / tables.TAIL}'") == [(None,), (None,), (None,), (0.5,)]
    assert pd.read_json(run_dir / tables.TAIL, lines=True)["value"].dtype == float
    writer.predictions("test", "label", ["a"], [0], [[float("nan"), 1.0]])
    writer.finish()
    monkeypatch.chdir(run_dir)
    path = str(tables.METRICS_FILE)
    assert repr(pl.read_parquet(path)["value"].to_list()) == "[nan, None, inf, 0.5]"
    assert repr(ask(f"select value from '{path}'")) == "[(nan,), (None,), (inf,), (0.5,)]"
    assert pd.read_parquet(path)["value"].isna().tolist() == [True, True, False, False]
    assert pd.read_parquet(path)["run_id"].dtype in (object, "str")
    assert ask("select predicted, len(probabilities) from 'predictions.parquet'") == [(None, 2)]
