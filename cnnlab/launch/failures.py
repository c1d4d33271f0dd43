"""Why a trainer ended badly, told from what it left behind.

What the trainer itself wrote into `failure.json` comes first; without it the signal, the
kernel's count of processes killed for memory and the last lines of the log decide.
"""

import re
import signal
from pathlib import Path

from cnnlab.files import read_json
from cnnlab.launch.logs import log_tail
from cnnlab.runs.status import Failure, failure

_OUT_OF_MEMORY = re.compile(
    r"out of memory|OOM when allocating|RESOURCE_EXHAUSTED|ResourceExhaustedError|MemoryError|std::bad_alloc", re.I
)
# Whoever sends these wants the process gone; the others (SIGSEGV, SIGABRT, ...) are crashes.
_ASKED_TO_END = ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGXCPU")
_FULL_BYTES = 2**20


def explain(run_dir: Path, exit_code: int | None, signal_name: str | None, was_oom_killed: bool) -> Failure:
    """Return why a trainer that did not complete ended, with advice."""
    said = read_json(run_dir / "failure.json")
    if isinstance(said, dict) and "kind" in said:
        return failure(str(said["kind"]), str(said.get("message") or "The trainer gave no reason."))
    if signal_name == "SIGKILL" and was_oom_killed:
        return failure("out_of_memory", "The operating system killed the training because memory ran out.")
    tail = log_tail(run_dir, 40)
    if signal_name != "SIGKILL" and signal_name not in _ASKED_TO_END and _OUT_OF_MEMORY.search(tail):
        return failure("out_of_memory", f"The training ran out of memory{_quoted(tail)}.")
    if signal_name == "SIGKILL" or signal_name in _ASKED_TO_END:
        return failure("killed", f"The training was killed from outside ({signal_name}).")
    if signal_name:
        return failure("code_error", f"The training crashed ({signal_name}){_quoted(tail)}.")
    if _is_full(run_dir):
        return failure("code_error", "The disk that holds the store is full. Free some space, then retry the run.")
    return failure("code_error", f"The training ended with exit code {exit_code}{_quoted(tail)}.")


def signal_of(return_code: int) -> str | None:
    """Return the name of the signal behind a return code, also where a shell in between reported 128 + number."""
    number = -return_code if return_code < 0 else return_code - 128 if return_code in (137, 143) else 0
    if not number:
        return None
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def oom_kills() -> int:
    """Return how many processes of this control group the kernel has killed for memory; 0 where it does not say."""
    for path in _oom_files():
        try:
            lines = path.read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        counts = [int(line.split()[1]) for line in lines if line.startswith("oom_kill ")]
        if counts:
            return counts[0]
    return 0


def _oom_files() -> list[Path]:
    files = []
    try:
        groups = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
    except OSError:
        return []
    for line in groups:
        _, controllers, group = line.split(":", 2)
        if not controllers:
            files.append(Path(f"/sys/fs/cgroup{group}/memory.events"))
        elif "memory" in controllers.split(","):
            files += [
                Path(f"/sys/fs/cgroup/memory{group}/memory.oom_control"),
                Path("/sys/fs/cgroup/memory/memory.oom_control"),
            ]
    return [*files, Path("/proc/vmstat")]


def _quoted(tail: str) -> str:
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    return f": {lines[-1][:300].rstrip('.')}" if lines else ""


def _is_full(run_dir: Path) -> bool:
    import shutil

    try:
        return shutil.disk_usage(run_dir).free < _FULL_BYTES
    except OSError:
        return False
