"""What a run uses of its machine while it trains, measured from within its process."""

import contextlib
import threading
import time
from pathlib import Path
from typing import Any, Self

import psutil

from cnnlab.runs import nvml
from cnnlab.runs.lines import append_lines, now, read_lines

FILE = "hardware.jsonl"
EVERY_S = 2.0
CHILDREN_EVERY = 5
# Processor time is counted in hundredths of a second: over less than this a share means nothing.
SHORTEST_S = 0.1


class HardwareSampler:
    """A thread that appends one line to `hardware.jsonl` every 2 s while the `with` block runs.

    It never disturbs the training: what it cannot measure is null, what it cannot write is left out.
    """

    def __init__(self, run_dir: Path, every_s: float = EVERY_S):
        self._path = Path(run_dir) / FILE
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="hardware-sampler", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=10.0)

    def _watch(self) -> None:
        usage = _TreeUsage()
        with nvml.opened() as library:
            is_last = False
            while not is_last:
                is_last = self._stop.wait(self._every_s)  # a last line at the end: short runs have one too
                with contextlib.suppress(OSError):
                    append_lines(self._path, [{"time": now(), **usage.read(), **_gpu_usage(library)}])


class _TreeUsage:
    """Processor time and memory of this process and all it started, between two readings."""

    def __init__(self) -> None:
        self._root = psutil.Process()
        self._children: list[psutil.Process] = []
        self._readings = 0
        self._at, self._times, _ = self._measure()

    def read(self) -> dict[str, Any]:
        """Return the processor use since the last reading and the memory in use now."""
        at, times, memory = self._measure()
        # A process that was not there at the last reading has used all of its time since then.
        spent = sum(total - self._times.get(key, 0.0) for key, total in times.items())
        passed = at - self._at
        self._at, self._times = at, times
        percent = round(100 * spent / passed, 1) if passed >= SHORTEST_S else None
        return {"cpu_percent": percent, "memory_bytes": memory}

    def _measure(self) -> tuple[float, dict[tuple[int, float], float], int]:
        # Finding children reads every process of the machine, so they are looked for now and then only.
        if self._readings % CHILDREN_EVERY == 0:
            with contextlib.suppress(psutil.Error):
                self._children = self._root.children(recursive=True)
        self._readings += 1
        times: dict[tuple[int, float], float] = {}
        memory = 0
        at = time.monotonic()
        for process in (self._root, *self._children):
            with contextlib.suppress(psutil.Error):
                used = process.cpu_times()
                times[process.pid, process.create_time()] = used.user + used.system
                memory += process.memory_info().rss
        return at, times, memory


def _gpu_usage(library: Any) -> dict[str, Any]:
    usage: dict[str, Any] = {"gpu_percent": None, "gpu_memory_bytes": None, "gpu_memory_total_bytes": None}
    if library is None:
        return usage
    with contextlib.suppress(library.NVMLError):
        if handles := nvml.visible_handles(library):
            memory = [library.nvmlDeviceGetMemoryInfo(handle) for handle in handles]
            usage["gpu_memory_bytes"] = sum(int(one.used) for one in memory)
            usage["gpu_memory_total_bytes"] = sum(int(one.total) for one in memory)
            rates = [library.nvmlDeviceGetUtilizationRates(handle).gpu for handle in handles]  # a MIG slice has none
            usage["gpu_percent"] = sum(rates) / len(rates)
    return usage


def read_hardware(run_dir: Path) -> list[dict[str, Any]]:
    """Return the lines so far, oldest first, with `elapsed_s` since the first."""
    from cnnlab.runs.facts import moment

    lines = [(moment(line.get("time")), line) for line in read_lines(Path(run_dir) / FILE)]
    timed = [(time, line) for time, line in lines if time is not None]
    return [{**line, "time": time, "elapsed_s": (time - timed[0][0]).total_seconds()} for time, line in timed]
