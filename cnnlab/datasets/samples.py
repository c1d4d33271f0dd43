"""`samples.parquet`: one row per image."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

# Few different values: a dictionary of them is written, which is of no use for names and hashes.
REPEATED = ("split",)


def write_samples(path: Path, columns: Mapping[str, Any]) -> None:
    """Write columns of texts (lists) and of whole numbers (arrays) as parquet; texts stay plain texts."""
    arrays = [_numbers(values) if isinstance(values, np.ndarray) else _texts(values) for values in columns.values()]
    table = pa.Table.from_arrays(arrays, names=list(columns))
    numbers = [name for name, values in columns.items() if isinstance(values, np.ndarray)]
    pq.write_table(table, path, compression="zstd", use_dictionary=[*REPEATED, *numbers])


# `pyarrow.array` would import pandas, to look whether it has one of its columns before it: 0.2 s.


def _numbers(values: np.ndarray) -> pa.Array:
    values = np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(values)])


def _texts(values: list[str]) -> pa.Array:
    data = "".join(values).encode()
    lengths = np.fromiter(map(len, values), np.int64, len(values))
    if len(data) != lengths.sum():  # not all of one byte a letter
        lengths = np.fromiter((len(value.encode()) for value in values), np.int64, len(values))
    offsets = np.append(0, np.cumsum(lengths))
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_string(), len(values), buffers)
