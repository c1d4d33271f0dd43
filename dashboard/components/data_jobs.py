"""Imports and builds of data sets as child processes that a page can watch, cancel and lose.

Each job is a folder in the store's cache: `job.json` (what and which process), `progress.jsonl`
(the child's standard error), `result.json` (its standard output) and, for uploads, the archive.
Nothing of a job lives in the page, so a reload or a restart of the dashboard finds it again.
"""

import json
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from cnnlab.datasets.children import child_environment
from cnnlab.files import read_json, write_json
from cnnlab.processes import created_of, is_alive

NO_WORD = "The process ended without a word. Try again, with more memory and disk space free."
KEPT_S = 24 * 3600
COPY_BYTES = 1 << 20
# Kept only so that ended children are reaped; what is true stands in the job's folder.
_children: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Job:
    """One import or build, as its folder tells it.

    Attributes:
        result: What the command printed, once it has ended well.
        error: One sentence, once it has ended badly.
        is_quiet: When it ends well nobody needs to be told.
    """

    folder: Path
    name: str
    title: str
    is_running: bool
    done: int
    total: int
    stage: str
    started_at: float
    result: dict[str, Any] | None
    error: str
    is_quiet: bool

    @property
    def share(self) -> float:
        """Return how much is done, in [0, 1]."""
        return min(1.0, self.done / self.total) if self.total > 0 else 0.0

    def remaining_s(self, now: float) -> float | None:
        """Return the estimated time to the end of this stage, or None while nothing can be said."""
        if not 0.02 < self.share < 1:
            return None
        return (now - self.started_at) * (1 - self.share) / self.share


def keep_upload(cache: Path, file_name: str, content: BinaryIO) -> Path:
    """Write an uploaded archive into a new job folder, a piece at a time, and return its path.

    Errors and the data set's source speak of the file by its name, so it keeps that.
    """
    return keep_in(cache / "jobs" / uuid.uuid4().hex[:12] / "upload", file_name, content)


def keep_in(folder: Path, file_name: str, content: BinaryIO) -> Path:
    """Write an upload into a folder, which is made where there is none, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (re.sub(r"[^\w .()&+-]", "_", Path(file_name).name)[-120:].lstrip(".") or "upload.zip")
    with path.open("wb") as kept:
        shutil.copyfileobj(content, kept, COPY_BYTES)
    return path


def start(
    store_root: Path,
    name: str,
    title: str,
    arguments: Sequence[str],
    folder: Path | None = None,
    is_quiet: bool = False,
) -> Job:
    """Run `python -m ARGUMENTS` as a child that outlives the dashboard."""
    for old in jobs(store_root):
        if old.name == name and not old.is_running:  # what it said is of no use any more
            dismiss(old)
    folder = folder or store_root / "cache" / "jobs" / uuid.uuid4().hex[:12]
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**child_environment(), "CNNLAB_STORE": str(store_root), "PYTHONUNBUFFERED": "1"}
    with (folder / "progress.jsonl").open("wb") as errors, (folder / "result.json").open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env=environment,
            start_new_session=True,
        )
    _children.append(child)
    # A child that has ended already has no time of creation, and is read as ended.
    record = {"name": name, "title": title, "is_quiet": is_quiet, "pid": child.pid, "created": created_of(child.pid)}
    write_json(folder / "job.json", record | {"started_at": time.time()})
    job = read(folder)
    assert job is not None  # its record was just written
    return job


def build_arguments(store_root: Path, name: str, parameters: Mapping[str, Any]) -> list[str]:
    """Return what makes or downloads a data set of the catalogue."""
    return ["cnnlab.datasets.build", str(store_root), name, json.dumps(dict(parameters))]


def jobs(store_root: Path) -> list[Job]:
    """Return the jobs of data sets that nobody has dismissed, as `jobs_in`."""
    return jobs_in(store_root / "cache" / "jobs")


def jobs_in(parent: Path) -> list[Job]:
    """Return the jobs of a folder that nobody has dismissed, oldest first; sweeps away those of past days."""
    _children[:] = [child for child in _children if child.poll() is None]
    found = []
    for folder in sorted(parent.glob("*")):
        job = read(folder)
        if job is None or (not job.is_running and time.time() - job.started_at > KEPT_S):
            with suppress(OSError):
                if time.time() - folder.stat().st_mtime > KEPT_S:
                    shutil.rmtree(folder, ignore_errors=True)
            continue
        found.append(job)
    return sorted(found, key=lambda job: job.started_at)


def read(folder: Path) -> Job | None:
    """Return the job of `folder`, or None where no child was started yet."""
    record = read_json(folder / "job.json", None)
    if not isinstance(record, dict):
        return None
    for child in _children:
        child.poll()
    # Asked before the files are read: what is read after the end is complete.
    is_running = record["created"] is not None and is_alive(record["pid"], record["created"])
    progress, complaints = _progress(_text(folder / "progress.jsonl"))
    result = None if is_running else _result(_text(folder / "result.json"))
    error = ""
    if result is not None and "error" in result:
        error, result = str(result.get("message", result["error"])), None
    elif not is_running and result is None:
        error = "Cancelled." if (folder / "cancelled").exists() else complaints or NO_WORD
    if not is_running:
        shutil.rmtree(folder / "upload", ignore_errors=True)
    return Job(
        folder=folder,
        name=record["name"],
        title=record["title"],
        is_running=is_running,
        done=int(progress.get("done", 0)),
        total=int(progress.get("total", 0)),
        stage=str(progress.get("stage", "")),
        started_at=float(record["started_at"]),
        result=result,
        error=error,
        is_quiet=bool(record.get("is_quiet")),
    )


def cancel(job: Job) -> None:
    """End the job's whole process tree; what it had written so far is not a data set."""
    record = read_json(job.folder / "job.json", {}) or {}
    (job.folder / "cancelled").touch()
    with suppress(psutil.Error, KeyError):
        if record["created"] is not None and is_alive(record["pid"], record["created"]):
            process = psutil.Process(record["pid"])
            family = [*process.children(recursive=True), process]
            for member in family:
                with suppress(psutil.Error):
                    member.kill()
            psutil.wait_procs(family, timeout=5)


def dismiss(job: Job) -> None:
    """Forget an ended job and what it kept."""
    shutil.rmtree(job.folder, ignore_errors=True)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _progress(text: str) -> tuple[dict[str, Any], str]:
    """Return the newest progress and the last plain line, which is the error's sentence."""
    progress: dict[str, Any] = {}
    complaint = ""
    for line in text.splitlines():
        value = None
        with suppress(ValueError):
            value = json.loads(line)
        if isinstance(value, dict) and "done" in value:
            progress = value
        elif isinstance(value, dict):
            complaint = str(value.get("error") or value.get("message") or complaint)
        elif line.strip() and not line.startswith("{"):  # torn progress is no complaint
            complaint = line.strip()
    return progress, complaint


def _result(text: str) -> dict[str, Any] | None:
    with suppress(ValueError):
        value = json.loads(text)
        return value if isinstance(value, dict) else None
    return None
