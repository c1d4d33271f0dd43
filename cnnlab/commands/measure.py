"""`measure`: how fast the networks of runs answer on this machine, and what memory they take."""

import dataclasses
import json as json_module
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from cnnlab.commands.output import JsonOption, print_json, print_table, say
from cnnlab.datasets.children import child_environment
from cnnlab.errors import CNNLabError, ConfigError, StoreError
from cnnlab.runs.store import Store
from cnnlab.training.inference import BATCH_SIZES, MeasureOptions, measurable

LARGEST_BATCH = 65_536
MIB = 2**20
COLUMNS = ("batch", "calls", "median ms", "10 to 90 %", "ms per image", "images/s", "memory MiB", "GPU MiB")


def measure(
    run_ids: Annotated[list[str], typer.Argument(metavar="RUN...", help="Ids of completed runs.")],
    batch_sizes: Annotated[str, typer.Option("--batch-sizes", help="Images per call, with commas between.")] = ",".join(
        map(str, BATCH_SIZES)
    ),
    repeats: Annotated[
        int, typer.Option("--repeats", min=5, max=100_000, help="Timed calls of each batch size.")
    ] = MeasureOptions.repeats,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0, help="Stop a batch size after that long, but not before five calls.")
    ] = MeasureOptions.seconds,
    json: JsonOption = False,
    is_progress_json: Annotated[
        bool, typer.Option("--progress-json", help="Tell the progress as JSON lines on standard error.")
    ] = False,
) -> int:
    """Measure inference time, throughput and memory against batch size, one process per run, and keep the numbers."""
    store = Store()
    options = MeasureOptions(_sizes(batch_sizes), repeats, seconds)
    for run_id in run_ids:
        measurable(store.run_dir(run_id))
    documents = []
    for place, run_id in enumerate(run_ids):
        tell = _teller(run_id, place, len(run_ids), len(options.batch_sizes)) if is_progress_json else None
        try:
            document = {"run_id": run_id, **measure_in_child(store.run_dir(run_id), options, tell)}
        except CNNLabError as error:  # the others can still be measured
            document = {"run_id": run_id, "rows": [], "stopped": str(error)}
        documents.append(document)
        if not json:
            _print(document)
    if json:
        print_json({"runs": documents})
    return 0 if all(document["rows"] for document in documents) else 1


def measure_in_child(
    run_dir: Path, options: MeasureOptions, tell: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """Return `rows` and `stopped` of one run, measured in a process of its own.

    Raises:
        StoreError: the process ended without an answer, such as when the system killed it for its memory.
    """
    command = [sys.executable, "-m", "cnnlab.training.inference", str(run_dir)]
    command.append(json_module.dumps(dataclasses.asdict(options)))
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=child_environment()
    ) as child:
        try:
            last = _follow(child, tell)
            answer = child.stdout.read() if child.stdout else b""
        except BaseException:
            child.kill()
            raise
    try:
        document = json_module.loads(answer)
    except ValueError:
        raise StoreError(
            f"The run {run_dir.name!r} could not be measured: the process ended with code {child.returncode}. It said "
            f"last: {last or 'nothing'}. Try again with more memory free, or with smaller --batch-sizes."
        ) from None
    if "error" in document:
        raise StoreError(document["message"])
    return dict(document)


def _follow(child: "subprocess.Popen[bytes]", tell: Callable[[int], None] | None) -> str:
    """Pass the child's progress on and return the last line of its error stream that is none."""
    last = ""
    for line in child.stderr or ():
        text = line.decode(errors="replace").strip()
        try:
            done = int(json_module.loads(text)["done"])
        except (ValueError, KeyError, TypeError):
            last = text[-300:] or last
            continue
        if tell:
            tell(done)
    return last


def _teller(run_id: str, place: int, runs: int, sizes: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        progress = {"stage": f"measuring {run_id}", "done": place * sizes + done, "total": runs * sizes}
        sys.stderr.write(json_module.dumps(progress) + "\n")
        sys.stderr.flush()

    tell(0)
    return tell


def _sizes(written: str) -> tuple[int, ...]:
    parts = [part.strip() for part in written.split(",")]
    if not all(part.isdecimal() and 0 < int(part) <= LARGEST_BATCH for part in parts):
        raise ConfigError(
            f"--batch-sizes {written!r} cannot be read. Expected whole numbers from 1 to {LARGEST_BATCH:,} with commas "
            "between. Write it as in --batch-sizes 1,8,64."
        )
    return tuple(sorted({int(part) for part in parts}))


def _print(document: dict[str, Any]) -> None:
    rows = document["rows"]
    print(document["run_id"] + (f" on {rows[0]['hardware']}; {rows[0]['versions']}" if rows else ""))
    if rows:
        print_table(COLUMNS, map(_cells, rows), right=COLUMNS)
    if document["stopped"]:
        say(document["stopped"])


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    memory, gpu = row["memory_bytes"], row["gpu_memory_bytes"]
    return (
        str(row["batch_size"]),
        str(row["n"]),
        f"{1000 * row['median_s']:,.2f}",
        f"{1000 * row['p10_s']:,.2f} to {1000 * row['p90_s']:,.2f}",
        f"{1000 * row['median_s'] / row['batch_size']:,.3f}",
        f"{row['images_per_s']:,.0f}",
        "" if memory is None else f"{memory / MIB:,.0f}",
        "" if gpu is None else f"{gpu / MIB:,.0f}",
    )
