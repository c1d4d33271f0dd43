"""A run that goes on where another one ended, for more epochs, as a run of its own.

The other run stays as it is. The new one gets its last state and a copy of what it measured,
so that curves are whole; from there on it is a run like any other.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnlab.config import RunConfig, config_from_dict, config_from_yaml, flatten
from cnnlab.errors import ConfigError
from cnnlab.files import read_bytes, write_atomic
from cnnlab.runs import probes, steps, tables
from cnnlab.runs.checkpoint import copy_checkpoint, read_about
from cnnlab.runs.origin import not_ours, read_origin
from cnnlab.runs.sources import TRANSFER_REPORT
from cnnlab.runs.status import settle
from cnnlab.runs.store import is_run_id

# What may be other than in the run that is continued: none of it changes the meaning of the state.
MAY_DIFFER = (
    "name", "notes", "repeats", "compute.slots", "training.epochs", "training.continue_from",
    "training.learning_rate", "training.schedule", "training.warmup_epochs", "training.step_every_epochs",
    "training.step_factor", "training.early_stopping_epochs", "training.time_budget_minutes",
    "training.checkpoint_every_s",
)  # fmt: skip


def state_name(config: RunConfig) -> str:
    """Return what a checkpoint says it is of: the fingerprint of its config, with its seed."""
    return f"{config.fingerprint()}-{config.training.seed}"


def extended(runs_dir: Path, run_id: str, epochs: int) -> RunConfig:
    """Return the config that trains a completed run for `epochs` more epochs than it was trained.

    Raises:
        ConfigError: it cannot be continued.
    """
    config, about = _ended(runs_dir, run_id)
    values = config.to_dict()
    values["training"] |= {"epochs": about["position"]["epoch"] + epochs, "continue_from": run_id}
    return config_from_dict(values)


def check_continuation(runs_dir: Path, config: RunConfig) -> None:
    """Raise `ConfigError` where `config` names a run to go on from that it cannot go on from."""
    run_id = config.training.continue_from
    if run_id is None:
        return
    old, about = _ended(runs_dir, run_id)
    asked, had = flatten(config.to_dict()), flatten(old.to_dict())
    for name in sorted({*asked, *had} - set(MAY_DIFFER)):
        if asked.get(name) != had.get(name):
            raise ConfigError(
                f"{name}={asked.get(name)!r} does not fit continue_from={run_id!r}, which has {had.get(name)!r}. "
                "A run is continued with its own data, network and optimizer. Leave 'continue_from' out to train "
                "from the start."
            )
    if config.training.epochs <= about["position"]["epoch"]:
        raise ConfigError(
            f"epochs={config.training.epochs} leaves nothing to train: run {run_id!r} has done "
            f"{about['position']['epoch']}. Expected more, for epochs count from its first one."
        )


def begin(run_dir: Path, config: RunConfig) -> None:
    """Put the state and the measurements of the run to be continued into a new run's folder.

    Raises:
        ConfigError: that run is not there, or does not fit.
        StoreError: its checkpoint cannot be read, or not be written here.
    """
    check_continuation(run_dir.parent, config)
    source = run_dir.parent / str(config.training.continue_from)
    tables.copy_metrics(source, run_dir)
    steps.copy_steps(source, run_dir)
    if (report := read_bytes(source / TRANSFER_REPORT)) is not None:
        write_atomic(run_dir / TRANSFER_REPORT, report)  # which layers learn, also where their source has gone
    probes.copy_probes(source, run_dir)
    position = (read_about(source) or {})["position"]
    before = {"epochs_before": position["epoch"], "elapsed_before_s": position["elapsed_s"]}
    # The checkpoint last: with it the folder is complete.
    copy_checkpoint(source, run_dir, fingerprint=state_name(config), position=before)


def _ended(runs_dir: Path, run_id: str) -> tuple[RunConfig, Mapping[str, Any]]:
    """Return config and checkpoint of a completed run."""
    run_dir = runs_dir / run_id
    text = read_bytes(run_dir / "config.yaml") if is_run_id(run_id) else None
    if text is None:
        raise ConfigError(f"No run {run_id!r} to go on from. List runs with 'python -m cnnlab runs'.")
    if (origin := read_origin(run_dir)) is not None and not origin.has_config:
        raise ConfigError(not_ours(run_id, origin))
    state = settle(run_dir).state
    if state != "completed":
        way_out = {"paused": "Resume it.", "queued": "Wait for its end.", "running": "Wait for its end."}
        raise ConfigError(
            f"Run {run_id!r} is {state}. Only a completed run is trained for more epochs. "
            f"{way_out.get(state, 'Retry it: it goes on from its checkpoint.')}"
        )
    config, about = config_from_yaml(text.decode()), read_about(run_dir)
    if about is None or about.get("fingerprint") != state_name(config):
        raise ConfigError(
            f"Run {run_id!r} has no checkpoint to go on from, for it is of an older version or lost it. "
            "Submit its config with more epochs to train it from the start."
        )
    return config, about
