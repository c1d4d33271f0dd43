"""SQL over the store: the examples answer, nothing else is in reach, and every question has an end."""

import contextlib
import io
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from made_runs import TEST_IMAGES, make_run

from cnnlab.errors import QueryError
from cnnlab.query import sql, sql_child
from cnnlab.query.sql import EXAMPLES, SqlQuestion, ask_sql, columns_of
from cnnlab.runs import annotations, queries
from cnnlab.runs.store import Store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = Store(tmp_path_factory.mktemp("sql") / "store")
    for seed, state in enumerate(("completed", "completed", "failed", "running")):
        make_run(made.root, state, accuracy=0.8 + seed / 10, training={"epochs": 2, "seed": seed})
    annotations.annotate(made, ids(made)[:1], annotations.change(add_tags=["first"]))
    return made


def ids(store: Store) -> list[str]:
    """Return the runs in the order in which they were made: two completed, a failed one, one that trains."""
    return queries.summaries(store).sort("seed")["run_id"].to_list()


@contextlib.contextmanager
def connected(store: Store, question: str = "", run_ids: list[str] | None = None) -> Iterator[Any]:
    """Make a connection as the child does, in this process."""
    head, parts = sql._asked(store, question, run_ids, 10.0, 1000)
    with sql_child.connect(head, io.BytesIO(b"".join(parts))) as connection:
        yield connection


def asked(store: Store, question: str, run_ids: list[str] | None = None) -> pl.DataFrame:
    with connected(store, question, run_ids) as connection:
        table, _ = sql_child.answer(connection, question, 1000)
    return sql._plain(table)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_answers(store: Store, name: str) -> None:
    frame = asked(store, EXAMPLES[name])
    assert frame.width > 1
    # The made-up runs have no layers, and no image that most of them get wrong.
    assert frame.height > 0 or name in ("Images that most runs get wrong", "Where the parameters are")


def test_the_tables_hold_what_the_files_hold(store: Store) -> None:
    first, second, failed, live = ids(store)
    rows = asked(store, "select run_id, tags, state from runs order by seed").rows()
    assert [row[0] for row in rows] == [first, second, failed, live]
    assert rows[0][1] == ["first"]
    rows = asked(store, "select run_id, count(*) from metrics group by 1").rows()
    assert dict(rows) == dict.fromkeys(ids(store), 2 * (2 * 2 * 2 + 1))  # the live one too
    assert asked(store, "select count(*), count(distinct run_id) from predictions").row(0) == (4 * TEST_IMAGES, 2)
    assert asked(store, 'select "training.seed" from config order by 1').to_series().to_list() == [0, 1, 2, 3]


def test_it_can_be_about_some_runs_only(store: Store) -> None:
    one = ids(store)[1]
    for table in ("runs", "config", "metrics", "predictions"):
        found = asked(store, f"select distinct run_id from {table}", run_ids=[one])
        assert found["run_id"].to_list() == [one], table
    assert asked(store, "select * from metrics", run_ids=[]).is_empty()


def test_names_that_come_twice_are_told_apart(store: Store) -> None:
    assert asked(store, "select 1 as a, 2 as a, 3 as a_2").columns == ["a", "a_2", "a_2_2"]
    assert asked(store, "select * from runs join config using (run_id)").height == 4


def test_sums_are_numbers_as_people_know_them(store: Store) -> None:
    frame = asked(
        store, "select sum(num_params) as a, sum(num_params)::decimal(20, 1) as b, 10::hugeint ** 30 as c from runs"
    )
    assert frame.schema == {"a": pl.Int64, "b": pl.Float64, "c": pl.Float64}
    assert frame["a"].item() == 2 * 61_706


HOSTILE = [
    "copy runs to '{folder}/stolen.csv'",
    "copy (select 1) to '{folder}/stolen.csv'",
    "export database '{folder}/stolen'",
    "attach '{folder}/other.db'",
    "install httpfs",
    "load httpfs",
    "set enable_external_access = true",
    "reset enable_external_access",
    "pragma database_list",
    "pragma enable_profiling",
    "call enable_logging(storage = 'file', storage_path = '{folder}/log')",
    "create table x as select 1",
    "create or replace view runs as select 1",
    "drop view runs",
    "insert into runs select * from runs",
    "delete from runs",
    "begin",
    "import database '{folder}'",
    "select 1; copy runs to '{folder}/stolen.csv'",
    "",
]  # fmt: skip
OUT_OF_REACH = [
    "select * from read_csv('/etc/passwd')",
    "select * from '/etc/passwd'",
    "select * from read_text('/etc/passwd')",
    "select * from read_blob('{folder}/*')",
    "select * from glob('/*')",
    "select * from sniff_csv('/etc/passwd')",
    "select * from read_parquet('{store}/index/runs.parquet')",
    "select * from parquet_metadata('{store}/index/runs.parquet')",
    "select * from read_json('http://127.0.0.1:1/x')",
    "select * from query('copy runs to ''{folder}/stolen.csv''')",
    "select getenv('HOME')",
    "select * from secret",
    "select * from duckdb_secrets()",
    "select * from enable_logging(storage = 'file', storage_path = '{folder}/log')",
]  # fmt: skip


@pytest.mark.parametrize("question", HOSTILE + OUT_OF_REACH)
def test_nothing_but_the_tables_is_in_reach(store: Store, tmp_path: Path, question: str) -> None:
    secret = pl.DataFrame({"password": ["x"]})  # a variable beside the call, which DuckDB would find
    before = sorted(path for path in store.root.rglob("*"))
    question = question.format(folder=tmp_path, store=store.root)
    with connected(store, question) as connection, pytest.raises((sql_child.duckdb.Error, ValueError)):
        sql_child.answer(connection, question, 10)
    assert [one for one in tmp_path.iterdir() if one.name != "store"] == []
    assert sorted(path for path in store.root.rglob("*")) == before
    assert secret.height == 1


def test_the_locks_hold_even_without_the_check_of_statements(store: Store, tmp_path: Path) -> None:
    tried = ("copy runs to '{}/x'", "attach '{}/x.db'", "export database '{}/x'", "set threads = 1", "load httpfs")
    for question in tried:
        with connected(store) as connection, pytest.raises(sql_child.duckdb.Error):
            connection.execute(question.format(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_long_answers_are_cut(store: Store) -> None:
    with connected(store) as connection:
        table, is_cut = sql_child.answer(connection, "select * from range(25000)", 12_345)
        assert (table.num_rows, is_cut) == (12_345, True)
        table, is_cut = sql_child.answer(connection, "select * from range(25000)", 25_000)
        assert (table.num_rows, is_cut) == (25_000, False)


def test_wide_answers_are_cut(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_child, "MOST_ANSWER_BYTES", 10_000)
    with connected(store) as connection:
        table, is_cut = sql_child.answer(connection, "select repeat('x', 1000) from range(100)", 100)
    assert is_cut
    assert 5 <= table.num_rows <= 10


# === In a process of its own ===


def test_a_question_is_answered_by_another_process(store: Store) -> None:
    question = SqlQuestion(store, "select run_id, created_at from runs order by 1", most_rows=3)
    assert question.result(timeout_s=0) is None
    answer = question.result()
    assert answer is not None
    assert question.is_done
    assert (answer.frame.height, answer.is_cut) == (3, True)
    assert answer.frame.schema["created_at"] == pl.Datetime("us", "UTC")
    assert 0 < answer.took_s <= question.elapsed_s


def test_an_endless_question_is_stopped(store: Store) -> None:
    said = (
        "The SQL had no answer after 2 s and was stopped. Expected a question about fewer rows. Add 'where' or 'limit'."
    )
    question = SqlQuestion(store, "select count(*) from range(10000000000) a, range(1000000) b", most_s=2)
    with pytest.raises(QueryError) as caught:
        question.result()
    assert str(caught.value) == said
    assert question._process is not None
    assert question._process.poll() is not None


def test_a_question_can_be_cancelled(store: Store) -> None:
    question = SqlQuestion(store, "select count(*) from range(10000000000) a, range(1000000) b", most_s=300)
    while question._process is None:
        time.sleep(0.01)
    question.cancel()
    with pytest.raises(QueryError, match="was stopped before it had an answer"):
        question.result()


@pytest.mark.skipif(os.name == "nt", reason="needs limits of memory")
def test_what_takes_too_much_memory_says_so(store: Store) -> None:
    with pytest.raises(QueryError) as caught:
        ask_sql(store, "select string_agg(repeat('x', 1000000), '') from range(100000)")
    assert str(caught.value) == (
        "The SQL took more memory than it may (1 GB). Expected less at once. Add 'where' or 'limit'."
    )


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("select nme from runs", 'Referenced column "nme" not found in FROM clause! Candidate bindings: "name"'),
        ("copy runs to 'x'", "COPY is not for reading. Expected one SELECT. Nothing else is allowed here."),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(store: Store, question: str, said: str) -> None:
    with pytest.raises(QueryError) as caught:
        ask_sql(store, question)
    assert str(caught.value).startswith(f"The SQL cannot be answered. {said}")
    assert "LINE 1" not in str(caught.value)


def test_long_questions_are_refused(store: Store) -> None:
    with pytest.raises(QueryError, match="The SQL has 20,001 characters"):
        ask_sql(store, "x" * 20_001)


def test_the_tables_are_described(store: Store) -> None:
    columns = columns_of(store)
    assert list(columns) == ["runs", "config", "metrics", "predictions", "layers"]
    for name, names in columns.items():
        assert asked(store, f"select * from {name} limit 0").columns == names


def test_both_sides_mean_the_same() -> None:
    assert (sql.REFUSED, sql.OUT_OF_MEMORY) == (sql_child.REFUSED, sql_child.OUT_OF_MEMORY)
