"""How fast a trained network answers and what memory it takes, against the batch size.

`python -m cnnlab.training.inference RUN_DIR OPTIONS` measures one run in a process of its own, so that
memory begins at nothing: progress as JSON lines on standard error, one JSON object on standard output.

Source: Canziani, Paszke and Culurciello 2016, arXiv:1605.07678, figures 3 and 5. Differs from the paper:
medians with their spread in place of means, and the memory of this process in place of the machine's.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
import psutil

from cnnlab.config import config_from_yaml
from cnnlab.errors import CNNLabError, ConfigError
from cnnlab.files import read_json
from cnnlab.runs import environment
from cnnlab.runs.inference import write_inference
from cnnlab.runs.status import settle

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64)
# Fewer timed calls than that say nothing of a spread.
FEWEST_CALLS = 5
# The first calls compile, allocate and fill caches; they are not timed.
WARM_CALLS = 3
MEMORY_EVERY_S = 0.001

Answer = Callable[[np.ndarray], Any]


@dataclass(frozen=True)
class MeasureOptions:
    """How long to measure: `repeats` calls of each batch size, fewer where they take more than `seconds`."""

    batch_sizes: tuple[int, ...] = BATCH_SIZES
    repeats: int = 200
    seconds: float = 3.0


# At the end of a training: a second, for what else the machine does comes and goes.
OF_A_TRAINING = MeasureOptions(batch_sizes=(1,), repeats=2000, seconds=1.0)


@dataclass
class Measured:
    """Rows of `schema.INFERENCE` without the run; `stopped` says why the larger batch sizes are missing."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    stopped: str = ""


def measurable(run_dir: Path) -> None:
    """Raise `ConfigError` where a run has no trained network to measure."""
    state = settle(run_dir).state
    if state != "completed" or not (run_dir / "model.keras").is_file():
        why = f"is {state}" if state != "completed" else "has lost its model.keras"
        raise ConfigError(
            f"The run {run_dir.name!r} {why}. Only the trained network of a completed run can be measured. "
            "Choose one from 'python -m cnnlab runs --status completed'."
        )


def measure_run(run_dir: Path, options: MeasureOptions, report: Callable[[int], None] = lambda _done: None) -> Measured:
    """Measure the network of a run, batch size by batch size, and keep the rows in its folder.

    Call it in a fresh process: the backend is read once, and memory counts from here.

    Args:
        run_dir: Of a completed run.
        options: How long.
        report: Told how many batch sizes are done.
    """
    measurable(run_dir)
    config = config_from_yaml((run_dir / "config.yaml").read_text(encoding="utf-8"))
    os.environ["KERAS_BACKEND"] = config.compute.backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # All that is imported counts as memory: here, so that only the network's own comes after.
    from cnnlab.training import trainer  # noqa: F401
    from cnnlab.training.answering import wake_up

    wake_up()
    before = psutil.Process().memory_info().rss
    measured = _measure(run_dir, options, before, _where(config.compute.backend), report)
    if measured.rows:
        write_inference(run_dir, measured.rows)
    return measured


def measure_latency(answer: Answer, shape: Sequence[int], backend: str) -> dict[str, Any]:
    """Return the row of one image per call, of a network that was trained in this process: its memory is not known."""
    row = measure_batch(answer, 1, shape, OF_A_TRAINING)
    return row | {"memory_bytes": None, "gpu_memory_bytes": None} | _where(backend)


def _where(backend: str) -> dict[str, str]:
    from cnnlab.training.answering import device_name

    capture = environment.capture()
    cpu = f"{capture['cpu'] or capture['machine']}, {capture['cores']} cores"
    return {"hardware": device_name() or cpu, "versions": versions_text(backend, capture)}


def _measure(
    run_dir: Path, options: MeasureOptions, before: int, common: dict[str, str], report: Callable[[int], None]
) -> Measured:
    from cnnlab.training.answering import load_answer
    from cnnlab.training.trainer import is_out_of_memory

    shape = read_json(run_dir / "result.json")["image_shape"]
    measured = Measured()
    answer = load_answer(run_dir / "model.keras")
    for done, batch_size in enumerate(options.batch_sizes, start=1):
        try:
            row = measure_batch(answer, batch_size, shape, options, before)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            measured.stopped = f"Memory is full at a batch of {batch_size} images."
            break
        measured.rows.append({**row, **common})
        report(done)
    return measured


def measure_batch(
    answer: Answer, batch_size: int, shape: Sequence[int], options: MeasureOptions, memory_before: int = 0
) -> dict[str, Any]:
    """Return the row of one batch size, without run, hardware and versions.

    Args:
        answer: Takes `(batch, height, width, channels)` float32 pixels and returns once the answer is there.
        batch_size: Images per call.
        shape: Height, width, channels.
        options: How long to measure.
        memory_before: Resident memory before the network was loaded, in bytes.
    """
    from cnnlab.training.answering import gpu_memory

    # Speed does not depend on what the pixels show; the seed makes them the same for each network.
    pixels = np.random.default_rng(0).integers(0, 256, (batch_size, *shape)).astype(np.float32)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    gpu_memory.reset()
    with PeakMemory() as peak:  # asking for memory takes time, so these calls are not timed
        for _ in range(WARM_CALLS):
            answer(pixels)
    times = timed_calls(lambda: answer(pixels), options.repeats, options.seconds)
    p10, median, p90 = np.quantile(times, (0.1, 0.5, 0.9)).tolist()
    return {
        "batch_size": batch_size,
        "n": len(times),
        "median_s": median,
        "p10_s": p10,
        "p90_s": p90,
        "images_per_s": batch_size / median,
        "memory_bytes": max(0, peak.bytes - memory_before),
        "gpu_memory_bytes": gpu_memory.peak_bytes(),
        "load_1min": load,
        "measured_at": datetime.now(UTC),
    }


def timed_calls(
    call: Callable[[], Any], repeats: int, seconds: float, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Return the time of each call: `repeats` of them, or once `seconds` are over at least `FEWEST_CALLS`."""
    times: list[float] = []
    start = clock()
    while len(times) < repeats and (len(times) < FEWEST_CALLS or clock() - start < seconds):
        begun = clock()
        call()
        times.append(clock() - begun)
    return times


class PeakMemory:
    """The highest resident memory of this process while the `with` block runs, asked a thousand times a second."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="peak-memory", daemon=True)
        self.bytes = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        is_last = False
        while not is_last:
            is_last = self._stop.wait(MEMORY_EVERY_S)
            self.bytes = max(self.bytes, self._process.memory_info().rss)


def versions_text(backend: str, capture: dict[str, Any]) -> str:
    """Return `Python 3.11.7, keras 3.15.0, tensorflow 2.21.0`."""
    libraries = [f"{name} {capture['libraries'].get(name)}" for name in ("keras", backend)]
    return ", ".join([f"Python {capture['python']}", *libraries])


def main(run_dir: str, options: str) -> int:
    """Be the child."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print to standard output is no answer
    asked = MeasureOptions(**json.loads(options))

    def report(done: int) -> None:
        sys.stderr.write(json.dumps({"stage": "measuring", "done": done, "total": len(asked.batch_sizes)}) + "\n")
        sys.stderr.flush()

    try:
        answer = asdict(measure_run(Path(run_dir), asked, report))
    except CNNLabError as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    answers.write(json.dumps(answer, default=lambda value: value.isoformat()) + "\n")
    answers.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
