"""What NVML, the library of the NVIDIA driver, says of the GPUs; nothing where there is none."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any


@contextlib.contextmanager
def opened() -> Iterator[Any]:
    """Give the `pynvml` module, ready to be asked, or None without a driver or GPU."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # no package, no driver, a driver of another version: all mean that nobody can be asked
        yield None
        return
    try:
        yield pynvml
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def visible_handles(nvml: Any, variables: Mapping[str, str] | None = None) -> list[Any]:
    """Return the handles of the GPUs that `CUDA_VISIBLE_DEVICES` leaves to this process, all without it."""
    named = (os.environ if variables is None else variables).get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
    handles = []
    for name in (part.strip() for part in named.split(",")):
        try:
            is_index = name.lstrip("-").isdecimal()
            handles.append(
                nvml.nvmlDeviceGetHandleByIndex(int(name)) if is_index else nvml.nvmlDeviceGetHandleByUUID(name)
            )
        except (nvml.NVMLError, OverflowError, TypeError, ValueError):
            break  # CUDA too ignores what follows the first name that it does not know
    return handles


def text(value: Any) -> str:
    """Return a name as text: older versions of the package give bytes."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
