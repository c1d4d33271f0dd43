"""Searches for a learning rate or a batch size as child processes: started, watched and cancelled from the form.

Each is a job as of `data_jobs`, in a folder of its own kind that also keeps the config that was asked about.
"""

import shutil
import time
import uuid
from pathlib import Path
from typing import Any, Literal

from cnnlab.config import RunConfig
from cnnlab.files import read_json, write_atomic, write_json
from dashboard.components import data_jobs
from dashboard.components.data_jobs import Job

Kind = Literal["rate", "batch"]
COMMANDS: dict[Kind, str] = {"rate": "find-rate", "batch": "find-batch"}
TITLES: dict[Kind, str] = {"rate": "Trying learning rates", "batch": "Timing batch sizes"}
# What a search changes by itself, and what it does not depend on.
IGNORED: dict[Kind, tuple[str, ...]] = {
    "rate": ("learning_rate", "epochs", "schedule", "warmup_epochs", "step_every_epochs", "step_factor"),
    "batch": ("batch_size", "learning_rate", "epochs", "schedule", "warmup_epochs", "step_every_epochs", "step_factor"),
}


def start(store_root: Path, kind: Kind, config: RunConfig) -> Job:
    """Search for `config` in a child that outlives the dashboard; an ended search of that kind is forgotten."""
    for old in jobs(store_root, kind):
        if not old.is_running:
            data_jobs.dismiss(old)
    folder = _root(store_root, kind) / uuid.uuid4().hex[:12]
    folder.mkdir(parents=True)
    write_atomic(folder / "config.yaml", config.to_yaml())
    write_json(folder / "asked.json", asked(kind, config))
    arguments = ["cnnlab", COMMANDS[kind], "--config", str(folder / "config.yaml"), "--json", "--progress-json"]
    return data_jobs.start(store_root, f"find-{kind}", TITLES[kind], arguments, folder=folder)


def jobs(store_root: Path, kind: Kind) -> list[Job]:
    """Return the searches that nobody has dismissed, oldest first; sweeps away those of past days."""
    found = []
    for folder in sorted(_root(store_root, kind).glob("*")):
        job = data_jobs.read(folder)
        if job is None or (not job.is_running and time.time() - job.started_at > data_jobs.KEPT_S):
            shutil.rmtree(folder, ignore_errors=True)
        else:
            found.append(job)
    return sorted(found, key=lambda job: job.started_at)


def asked(kind: Kind, config: RunConfig) -> dict[str, Any]:
    """Return what a search of `config` depends on; two configs that agree here get the same answer."""
    values = config.to_dict()
    for place in ("name", "notes", "repeats"):
        values.pop(place)
    for name in (*IGNORED[kind], "seed"):
        values["training"].pop(name)
    return values


def is_of(job: Job, kind: Kind, config: RunConfig) -> bool:
    """Return whether a search was about the config that the form holds now."""
    return read_json(job.folder / "asked.json", None) == asked(kind, config)


def _root(store_root: Path, kind: Kind) -> Path:
    return store_root / "cache" / "searches" / kind
