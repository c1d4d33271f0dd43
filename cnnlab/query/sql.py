"""Questions in SQL (DuckDB): read-only, in the background, with an end.

The tables are `runs` (`schema.SUMMARY`), `config` (a column per setting and number, `cnnlab.runs.fields`),
`metrics`, `predictions` and `layers` (`schema`). The question runs in a process of its own (`sql_child`), which
can reach nothing else and is killed when its time is over or nobody wants the answer any more.
"""

import io
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from cnnlab.errors import QueryError
from cnnlab.runs import fields, queries, tables
from cnnlab.runs.schema import LAYERS, METRICS, PREDICTIONS, Table, arrow_schema
from cnnlab.runs.status import ENDED
from cnnlab.runs.store import Store

MOST_S = 30.0
MOST_ROWS = 10_000
MOST_BYTES = 1_000_000_000
MOST_CHARACTERS = 20_000
# The child says in a sentence what is wrong.
REFUSED = 3
OUT_OF_MEMORY = 4
# Tables whose rows stay in the runs' folders.
IN_FOLDERS: dict[str, tuple[Table, Path]] = {
    "metrics": (METRICS, tables.METRICS_FILE),
    "predictions": (PREDICTIONS, Path("predictions.parquet")),
    "layers": (LAYERS, Path("layers.parquet")),
}
EXAMPLES: dict[str, str] = {
    "The best run of each architecture": """\
select architecture, arg_max(name, test_accuracy) as name, max(test_accuracy) as accuracy, count(*) as runs,
  arg_max(run_id, test_accuracy) as run_id
from runs where test_accuracy is not null
group by architecture order by accuracy desc""",
    "Mean over seeds, with its spread": """\
select architecture, dataset, count(test_accuracy) as n, avg(test_accuracy) as mean,
  stddev_samp(test_accuracy) as spread
from runs group by group_id, architecture, dataset having n > 1 order by mean desc""",
    "Accuracy by a setting": """\
select "training.batch_size" as batch_size, count(*) as runs, median(test_accuracy) as accuracy
from config join runs using (run_id)
group by 1 order by 1""",
    "The best validation epoch of each run": """\
select run_id, arg_max(epoch, value) as epoch, max(value) as accuracy
from metrics where split = 'val' and metric = 'accuracy'
group by run_id order by accuracy desc""",
    "Images that most runs get wrong": """\
select sample_id, any_value(label) as label, mode(predicted) as mostly, avg((predicted <> label)::int) as wrong,
  count(*) as runs
from predictions where split = 'test'
group by sample_id having wrong > 0.5 order by wrong desc, sample_id""",
    "Where the parameters are": """\
select architecture, kind, avg(layers.num_params) as parameters, avg(layers.macs) as macs, count(*) as layers
from layers join runs using (run_id)
group by architecture, kind order by architecture, parameters desc""",
}


@dataclass(frozen=True)
class SqlAnswer:
    """What came of a question.

    Attributes:
        is_cut: There were more rows.
        took_s: With the start of its process.
    """

    frame: pl.DataFrame
    is_cut: bool
    took_s: float


class SqlQuestion:
    """A question under way; `result` gives its answer, `cancel` ends it.

    Args:
        run_ids: Of the runs that all tables are about; None for all runs of the store.
    """

    def __init__(
        self,
        store: Store,
        sql: str,
        *,
        run_ids: Sequence[str] | None = None,
        most_s: float = MOST_S,
        most_rows: int = MOST_ROWS,
    ):
        self.sql = sql
        self._most_s = most_s
        self._began = time.monotonic()
        self._answer: SqlAnswer | None = None
        self._error: Exception | None = None
        self._is_cancelled = False
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(
            target=self._work, args=(store, run_ids, most_rows), name="sql-question", daemon=True
        )
        self._thread.start()

    @property
    def is_done(self) -> bool:
        """Whether there is an answer, or a sentence about why there is none."""
        return not self._thread.is_alive()

    @property
    def elapsed_s(self) -> float:
        """For how long it has been asked."""
        return time.monotonic() - self._began

    def cancel(self) -> None:
        """End it now."""
        with self._lock:
            self._is_cancelled = True
            if self._process is not None:
                self._process.kill()

    def result(self, timeout_s: float | None = None) -> SqlAnswer | None:
        """Wait for the answer and return it; None where it is not there in time.

        Raises:
            QueryError: the question cannot be answered, took too long or was cancelled.
            StoreError: the store cannot be read.
        """
        self._thread.join(timeout_s)
        if self._error is not None:
            raise self._error
        return self._answer

    def _work(self, store: Store, run_ids: Sequence[str] | None, most_rows: int) -> None:
        try:
            head, parts = _asked(store, self.sql, run_ids, self._most_s, most_rows)
            output, said, code = self._ask(json.dumps(head).encode() + b"\n" + b"".join(parts))
            if code != 0:
                raise self._refusal(said, code)
            table = pa.ipc.open_stream(io.BytesIO(output)).read_all()
            is_cut = b"cut" in (table.schema.metadata or {})
            self._answer = SqlAnswer(_plain(table), is_cut, self.elapsed_s)
        except Exception as error:  # whatever it is, whoever asked says it
            self._error = error

    def _ask(self, data: bytes) -> tuple[bytes, str, int]:
        command = [sys.executable, "-m", "cnnlab.query.sql_start"]
        project = str(Path(__file__).resolve().parents[2])
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([project, os.environ.get("PYTHONPATH", "")])}
        pipe = subprocess.PIPE
        with self._lock:
            if self._is_cancelled:
                return b"", "", -1
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
        with self._process as process:
            try:
                output, errors = process.communicate(data, timeout=max(0.1, self._most_s - self.elapsed_s))
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                raise _too_long(self._most_s) from None
        return output, errors.decode(errors="replace"), process.returncode

    def _refusal(self, said: str, code: int) -> QueryError:
        if self._is_cancelled:
            return QueryError("The SQL was stopped before it had an answer. Expected some patience. Ask again.")
        if code == REFUSED:
            return QueryError(f"The SQL cannot be answered. {_sentence(json.loads(said.splitlines()[0]))}")
        if self.elapsed_s >= self._most_s:
            return _too_long(self._most_s)
        # A process that is killed from outside, or ends in a part of its libraries, was short of memory as a rule.
        if code in (OUT_OF_MEMORY, -9, -6):
            return QueryError(
                f"The SQL took more memory than it may ({MOST_BYTES / 1e9:g} GB). Expected less at once. "
                "Add 'where' or 'limit'."
            )
        last = said.strip().splitlines()[-1:] or [f"its process ended with {code}"]
        return QueryError(f"The SQL cannot be answered: {last[0]}. Expected an answer. Ask something simpler.")


def ask_sql(store: Store, sql: str, **limits: Any) -> SqlAnswer:
    """Return the answer to a question in SQL; takes and raises the same as `SqlQuestion` and its result."""
    answer = SqlQuestion(store, sql, **limits).result()
    assert answer is not None
    return answer


def _plain(table: pa.Table) -> pl.DataFrame:
    """Return a frame whose numbers are those that people know: DuckDB's sums of integers are decimals."""
    frame = pl.DataFrame(pl.from_arrow(table))
    is_whole = {name: kind.scale == 0 for name, kind in frame.schema.items() if isinstance(kind, pl.Decimal)}
    casts = [
        pl.col(name).cast(pl.Int64)
        if is_int and frame[name].cast(pl.Int64, strict=False).null_count() == frame[name].null_count()
        else pl.col(name).cast(pl.Float64)
        for name, is_int in is_whole.items()
    ]
    return frame.with_columns(casts)


def columns_of(store: Store) -> dict[str, list[str]]:
    """Return the tables that a question may name and their columns."""
    in_folders = {name: table.names for name, (table, _) in IN_FOLDERS.items()}
    return {"runs": queries.summaries(store).columns, "config": fields.fields(store).columns, **in_folders}


def _too_long(most_s: float) -> QueryError:
    return QueryError(
        f"The SQL had no answer after {most_s:g} s and was stopped. Expected a question about fewer rows. "
        "Add 'where' or 'limit'."
    )


def _sentence(said: str) -> str:
    """Return what DuckDB says of a question on one line, without the copy of the question under it."""
    first = " ".join(said.split("LINE 1:")[0].split())
    kind, colon, rest = first.partition(": ")
    if not (colon and kind.endswith("Error")):
        return first
    end = "" if rest.endswith((".", "?", "!")) else "."
    return f"{rest}{end} The tables are runs, config, {', '.join(IN_FOLDERS)}; the help lists their columns."


def _asked(
    store: Store, sql: str, run_ids: Sequence[str] | None, most_s: float, most_rows: int
) -> tuple[dict[str, Any], list[bytes]]:
    """Return what the child is told, and the tables that it is given whole."""
    if len(sql) > MOST_CHARACTERS:
        raise QueryError(f"The SQL has {len(sql):,} characters. Expected at most {MOST_CHARACTERS:,}. Cut it.")
    runs, config = queries.summaries(store), fields.fields(store)
    if run_ids is not None:
        asked = pl.DataFrame({"run_id": run_ids}, schema={"run_id": pl.String})
        runs, config = (one.join(asked, on="run_id", how="semi") for one in (runs, config))
    whole = {"runs": runs.to_arrow(), "config": config.to_arrow()}
    files = {}
    for name, (table, file) in IN_FOLDERS.items():
        # A table that is not named is empty: its thousands of files need not be looked at.
        is_named = name in sql.lower()
        ended = runs.filter(pl.col("state").is_in(ENDED))["run_id"].to_list() if is_named else []
        files[name] = {"schema": _hex(arrow_schema(table)), "paths": _paths(store, ended, file)}
        if name == "metrics" and is_named:
            living = runs.filter(~pl.col("state").is_in(ENDED))["run_id"].to_list()
            whole["_metrics_of_live"] = queries.metrics(store, living).to_arrow().cast(arrow_schema(METRICS))
    head = {"sql": sql, "most_s": most_s, "most_rows": most_rows, "most_bytes": MOST_BYTES, "threads": _threads()}
    return {**head, "tables": list(whole), "files": files}, [_stream(table) for table in whole.values()]


def _threads() -> int:
    # One is left for those who train or look on.
    return max(1, (os.cpu_count() or 1) - 1)


def _paths(store: Store, run_ids: list[str], file: Path) -> dict[str, str]:
    places = {run_id: f"{store.runs_dir}{os.sep}{run_id}{os.sep}{file}" for run_id in run_ids}
    return {run_id: path for run_id, path in places.items() if os.path.exists(path)}


def _hex(schema: pa.Schema) -> str:
    return str(schema.remove_metadata().serialize().to_pybytes().hex())


def _stream(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()
