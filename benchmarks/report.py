"""What every benchmark says beside its numbers, and where it keeps them."""

import importlib.metadata
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from cnnlab.runs import environment

RESULTS = Path(__file__).parent / "results"


def machine_text() -> str:
    """Return processor, cores, memory and Python in one line."""
    machine = environment.capture()
    memory = f"{machine['memory_bytes'] / 2**30:.0f} GiB"
    return f"{hardware()}, {machine['cores']} cores, {memory}, Python {machine['python']}, {platform.system()}"


def hardware() -> str:
    """Return the processor's name without its trade marks."""
    return re.sub(r"\s+", " ", re.sub(r"\(R\)|\(TM\)", "", environment.cpu_model() or "unknown processor")).strip()


def versions_text(libraries: Sequence[str]) -> str:
    """Return `keras 3.15.1, ...` for installed libraries."""
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in libraries)


def write_results(name: str, rows: Sequence[dict[str, Any]], libraries: Sequence[str]) -> Path:
    """Write one row per measurement to `results/<name>-<hardware>-<cores>-cores.parquet` and print where.

    The machine, the versions and the time stand in each row.
    """
    machine = environment.capture()
    facts = {
        "hardware": hardware(),
        "cores": machine["cores"],
        "memory_bytes": machine["memory_bytes"],
        "python": machine["python"],
        "versions": versions_text(libraries),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    words = re.sub(r"[^a-z0-9]+", "-", hardware().lower()).strip("-")
    path = RESULTS / f"{name}-{words}-{machine['cores']}-cores.parquet"
    RESULTS.mkdir(exist_ok=True)
    pl.DataFrame([{**row, **facts} for row in rows], infer_schema_length=None).write_parquet(path)
    print(f"{machine_text()}; {facts['versions']}")
    print(f"Wrote {path.relative_to(RESULTS.parent.parent)}.")
    return path
