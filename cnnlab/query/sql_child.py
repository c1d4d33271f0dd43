"""Answers one question in SQL in a process of its own, with nothing in reach but the tables it was given.

What a person writes may be wrong, endless or meant badly. So DuckDB runs where it can be killed, in memory,
without files, network, extensions, settings or Python's variables, with limits of memory and time. The tables
of many runs stay in their files; it is pyarrow that reads these, so DuckDB needs no right to open any.

Standard input: a line of JSON (`Asked`), then an Arrow stream for each of its `tables`. Standard output: the
answer as an Arrow stream whose metadata says `cut` where there was more; else, on standard error as JSON,
what is wrong, and exit code 3 (4: the memory is full). Imports nothing of ours, so that it starts soon.
"""

import contextlib
import json
import signal
import sys
from collections.abc import Sequence
from typing import Any, BinaryIO

import duckdb
import pyarrow as pa

REFUSED = 3
OUT_OF_MEMORY = 4
LOCKS = (
    "SET enable_external_access = false",
    "SET python_enable_replacements = false",
    "SET lock_configuration = true",
)
ROWS_PER_BATCH = 10_000
# Of an answer: a person reads rows, and a page that shows them has less memory than this process may take.
MOST_ANSWER_BYTES = 64_000_000


def main() -> None:
    asked = json.loads(sys.stdin.buffer.readline())
    _limit(asked["most_s"], asked["most_bytes"])
    try:
        connection = connect(asked, sys.stdin.buffer)
        table, is_cut = answer(connection, asked["sql"], asked["most_rows"])
    except (duckdb.OutOfMemoryException, MemoryError, pa.ArrowMemoryError):
        sys.exit(OUT_OF_MEMORY)
    except (duckdb.Error, ValueError) as error:
        # One line of JSON: libraries may write more at the end of the process.
        sys.stderr.write(json.dumps(str(error)) + "\n")
        sys.exit(REFUSED)
    table = table.replace_schema_metadata({"cut": "1"} if is_cut else None)
    with pa.ipc.new_stream(sys.stdout.buffer, table.schema) as stream:
        stream.write_table(table)


def _limit(most_s: float, most_bytes: int) -> None:
    if hasattr(signal, "setitimer"):  # should nobody be left to kill this process
        signal.setitimer(signal.ITIMER_REAL, most_s)
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        # Texts of gigabytes are made beside DuckDB's own accounts.
        soft = 3 * most_bytes + _taken_bytes()
        resource.setrlimit(resource.RLIMIT_AS, (soft, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _taken_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * 4096


def connect(asked: dict[str, Any], stream: BinaryIO) -> duckdb.DuckDBPyConnection:
    """Return a connection that knows the tables and can reach nothing else."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{asked['most_bytes']}B",
            "threads": asked["threads"],
            "temp_directory": "",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
        },
    )
    connection.execute("SET TimeZone = 'UTC'")
    for name in asked["tables"]:
        connection.register(name, pa.ipc.open_stream(stream).read_all())
    for name, files in asked["files"].items():
        schema = pa.ipc.read_schema(pa.py_buffer(bytes.fromhex(files["schema"])))
        connection.register(f"_{name}_of_ended", _dataset(files["paths"], schema))
        # The newest numbers of runs that train are not in files of that kind.
        more = f"UNION ALL SELECT * FROM _{name}_of_live" if f"_{name}_of_live" in asked["tables"] else ""
        connection.execute(f"CREATE TEMP VIEW {name} AS SELECT * FROM _{name}_of_ended {more}")
    for lock in LOCKS:
        connection.execute(lock)
    return connection


def _dataset(paths: dict[str, str], schema: pa.Schema) -> Any:
    if not paths:
        return schema.empty_table()
    import pyarrow.dataset as ds  # late: few questions are about what is in files
    from pyarrow import fs

    # Each file says whose it is, so a question about few runs opens few files.
    form, system = ds.ParquetFileFormat(), fs.LocalFileSystem()
    fragments = [
        form.make_fragment(path, system, partition_expression=ds.field("run_id") == run_id)
        for run_id, path in paths.items()
    ]
    return ds.FileSystemDataset(fragments, schema, form, system)


def answer(connection: duckdb.DuckDBPyConnection, sql: str, most_rows: int) -> tuple[pa.Table, bool]:
    """Return the first rows of the answer, and whether there are more; raises `ValueError` for all but one SELECT."""
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise ValueError(f"These are {len(statements)} statements. Expected one SELECT. Ask one thing at a time.")
    if (kind := statements[0].type) != duckdb.StatementType.SELECT:
        raise ValueError(f"{kind.name} is not for reading. Expected one SELECT. Nothing else is allowed here.")
    reader = connection.sql(statements[0].query).to_arrow_reader(ROWS_PER_BATCH)
    table, is_cut = _first(reader, reader.schema, most_rows)
    return table.rename_columns(_unlike(table.column_names)), is_cut


def _first(batches: Any, schema: pa.Schema, most_rows: int) -> tuple[pa.Table, bool]:
    kept: list[pa.RecordBatch] = []
    rows_left, bytes_left = most_rows, MOST_ANSWER_BYTES
    for batch in batches:
        fits = min(rows_left, int(bytes_left / max(1, batch.nbytes) * batch.num_rows), batch.num_rows)
        kept.append(batch.slice(0, fits))
        if fits < batch.num_rows:
            return pa.Table.from_batches(kept, schema), True
        rows_left, bytes_left = rows_left - fits, bytes_left - batch.nbytes
    return pa.Table.from_batches(kept, schema), False


def _unlike(names: Sequence[str]) -> list[str]:
    """Return names of which none comes twice, as they do in `select *` of a join."""
    found: list[str] = []
    for name in names:
        found.append(next(one for one in (name, *_numbered(name, found)) if one not in found))
    return found


def _numbered(name: str, names: Sequence[str]) -> list[str]:
    return [f"{name}_{number}" for number in range(2, len(names) + 3)]
