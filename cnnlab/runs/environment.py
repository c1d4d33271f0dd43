"""On what a run computed: machine, Python and library versions.

The libraries are asked by their metadata, not imported: Keras with TensorFlow takes 6 s.
"""

import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

from cnnlab import __version__
from cnnlab.runs import nvml

LIBRARIES = ("tensorflow", "keras", "numpy", "jax", "torch")


def capture() -> dict[str, Any]:
    """Return what belongs into `environment.json`; what cannot be found out is None."""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpu": cpu_model(),
        "cores": usable_cores(),
        "memory_bytes": psutil.virtual_memory().total,
        **_gpus(),
        "backend": os.environ.get("KERAS_BACKEND"),
        "libraries": {"cnnlab": __version__} | {name: version_of(name) for name in LIBRARIES},
    }


def version_of(library: str) -> str | None:
    """Return the installed version of a library, None where it is not installed."""
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def usable_cores() -> int | None:
    """Return how many logical cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def cpu_model() -> str | None:
    """Return the name of the processor as its maker writes it."""
    if sys.platform.startswith("linux"):
        return _cpu_of_linux() or platform.processor() or None
    if sys.platform == "darwin":
        try:
            command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip() or None
        except (OSError, subprocess.SubprocessError):
            return platform.processor() or None
    return platform.processor() or None


def _cpu_of_linux(path: Path = Path("/proc/cpuinfo")) -> str | None:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    names = (line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == "model name")
    return next(filter(None, names), None)


def _gpus() -> dict[str, Any]:
    with nvml.opened() as library:
        if library is None:
            return {"gpus": [], "gpu_driver": None}
        try:
            gpus = [
                {
                    "name": nvml.text(library.nvmlDeviceGetName(handle)),
                    "memory_bytes": int(library.nvmlDeviceGetMemoryInfo(handle).total),
                }
                for handle in nvml.visible_handles(library)
            ]
            return {"gpus": gpus, "gpu_driver": nvml.text(library.nvmlSystemGetDriverVersion())}
        except library.NVMLError:
            return {"gpus": [], "gpu_driver": None}
