"""What this machine can run at once: one slot per GPU, else a number of slots on the CPU.

GPUs are asked for by NVML, which needs the driver only. A machine without it has CPU slots:
`$CNNLAB_SLOTS` of them, else half as many as cores. `$CUDA_VISIBLE_DEVICES`, where set,
limits the GPUs that are used.
"""

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from cnnlab.errors import QueueError

SLOTS_VARIABLE = "CNNLAB_SLOTS"

# A process that merely looked at a GPU holds less; one with a context holds more.
FOREIGN_BYTES = 200 * 2**20
# In a container NVML may hide the processes of others while their memory shows.
HIDDEN_BYTES = 2**30


@dataclass(frozen=True)
class Slot:
    """One place where one run can be.

    Attributes:
        visible: How CUDA is told of it, by PCI order or as the UUID of a part of a GPU; empty for a CPU slot.
    """

    id: str
    kind: Literal["gpu", "cpu"]
    title: str
    visible: str = ""


@dataclass(frozen=True)
class SlotState:
    """A slot with who is on it.

    Attributes:
        busy_with: Run id of the run of this queue that holds it.
        foreign: Words on the processes of others that hold it; such a slot is left alone.
    """

    id: str
    kind: Literal["gpu", "cpu"]
    title: str
    busy_with: str | None = None
    foreign: str | None = None


def machine_slots() -> tuple[Slot, ...]:
    """Return the slots of this machine, in order."""
    return _gpu_slots(os.environ.get("CUDA_VISIBLE_DEVICES")) or _cpu_slots()


def _cpu_slots() -> tuple[Slot, ...]:
    count = cpu_slot_count()
    threads = max(1, cores() // count)
    return tuple(Slot(f"cpu{i}", "cpu", f"CPU slot {i + 1} ({_threads(threads)})") for i in range(count))


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"


def cpu_slot_count() -> int:
    """Return how many runs share the CPU at once."""
    text = os.environ.get(SLOTS_VARIABLE, "").strip()
    if not text:
        return max(1, cores() // 2)
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise QueueError(f"{SLOTS_VARIABLE}={text!r} is no number of slots. Expected 1 to 1024. Change or unset it.")
    return int(text)


def cores() -> int:
    """Return how many cores this process may use: affinity and the quota of its container count."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        count = min(count, max(1, round(int(quota) / int(period))))
    return count


def slot_environment(held: Iterable[Slot], all_slots: Iterable[Slot]) -> dict[str, str]:
    """Return what makes a trainer keep to its slots: its GPUs and no other, or its share of the cores."""
    held, count = tuple(held), len(tuple(all_slots))
    if any(slot.kind == "gpu" for slot in held):
        # NVML counts in PCI order, CUDA by default the fastest first.
        return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": ",".join(slot.visible for slot in held)}
    threads = str(max(1, cores() * max(1, len(held)) // max(1, count)))
    return {
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_NUM_INTRAOP_THREADS": threads,
        "TF_NUM_INTEROP_THREADS": threads,
        "OMP_NUM_THREADS": threads,
    }


def foreign_use(free: Iterable[Slot]) -> dict[str, str]:
    """Return for each of these free slots that others use, in words, who does."""
    nvml = _nvml()
    found = {}
    for slot in free:
        if slot.kind == "gpu" and nvml is not None:
            with contextlib.suppress(nvml.NVMLError):
                if words := _foreign(nvml, _handle(nvml, slot)):
                    found[slot.id] = words
    return found


def _foreign(nvml: Any, handle: Any) -> str | None:
    holders = [
        process
        for process in nvml.nvmlDeviceGetComputeRunningProcesses(handle)
        # Windows lists every window here, without its memory.
        if process.usedGpuMemory is not None and process.usedGpuMemory >= FOREIGN_BYTES
    ]
    if holders:
        return ", ".join(f"{_name(one.pid)} (pid {one.pid}, {_gib(one.usedGpuMemory)})" for one in holders)
    used = nvml.nvmlDeviceGetMemoryInfo(handle, nvml.nvmlMemory_v2).used
    return f"processes that this one cannot see ({_gib(used)})" if used >= HIDDEN_BYTES else None


def _name(pid: int) -> str:
    import psutil

    try:
        return psutil.Process(pid).name()
    except psutil.Error:
        return "a process"


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / 2**30:.1f} GiB"


def _gpu_slots(visible: str | None) -> tuple[Slot, ...]:
    nvml = _nvml()
    if nvml is None:
        return ()
    allowed = None if visible is None else [part.strip() for part in visible.split(",")]
    slots = []
    for index in range(nvml.nvmlDeviceGetCount()):
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        uuid, name = nvml.nvmlDeviceGetUUID(handle), nvml.nvmlDeviceGetName(handle)
        parts = _parts(nvml, handle, index)
        whole = Slot(f"gpu{index}", "gpu", f"GPU {index} ({name})", str(index))
        if allowed is None or str(index) in allowed or any(part and uuid.startswith(part) for part in allowed):
            slots += parts or [whole]
        else:
            slots += [part for part in parts if part.visible in allowed]
    return tuple(slots)


def _parts(nvml: Any, handle: Any, index: int) -> list[Slot]:
    """Return the parts of a GPU that is divided (MIG), none where it is whole."""
    parts = []
    with contextlib.suppress(nvml.NVMLError):
        if nvml.nvmlDeviceGetMigMode(handle)[0] != nvml.NVML_DEVICE_MIG_ENABLE:
            return []
        for number in range(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
            with contextlib.suppress(nvml.NVMLError):
                part = nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, number)
                title = f"GPU {index}, part {number} ({nvml.nvmlDeviceGetName(part)})"
                parts.append(Slot(f"gpu{index}.{number}", "gpu", title, nvml.nvmlDeviceGetUUID(part)))
    return parts


def _handle(nvml: Any, slot: Slot) -> Any:
    if slot.visible.startswith("MIG"):
        return nvml.nvmlDeviceGetHandleByUUID(slot.visible)
    return nvml.nvmlDeviceGetHandleByIndex(int(slot.visible))


@cache
def _nvml() -> Any:
    """Return NVML, initialised once per process, or None where there is no driver."""
    try:
        if sys.platform.startswith("linux"):
            ctypes.CDLL("libnvidia-ml.so.1")  # what pynvml loads too, known 30 ms before pynvml is imported
        import pynvml

        pynvml.nvmlInit()
    except (ImportError, OSError):
        return None
    except pynvml.NVMLError:
        return None
    return pynvml
