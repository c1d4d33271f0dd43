"""Tables of many runs as one parquet file, written a run at a time."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from cnnlab.runs.schema import Table, arrow_schema
from cnnlab.runs.tables import ROW_GROUP_ROWS

if TYPE_CHECKING:
    import polars as pl


def write_stream(path: Path, table: Table, parts: "Iterable[pl.DataFrame]") -> int:
    """Write frames with the columns of `table` one after another, and return how many rows that were.

    Memory holds one part at a time. The file is not there as a whole until the call returns.
    """
    schema, count = arrow_schema(table), 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for part in parts:
            if part.height:
                writer.write_table(part.to_arrow().cast(schema), row_group_size=ROW_GROUP_ROWS)
                count += part.height
    return count
