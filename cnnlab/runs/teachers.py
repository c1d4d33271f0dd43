"""The trained network of the run that another one learns from."""

from pathlib import Path

from cnnlab.errors import ConfigError, RunNotFoundError
from cnnlab.runs.store import Store

NETWORK = "model.keras"


def teacher_file(store: Store, run_id: str) -> Path:
    """Return the file of a teacher's network.

    Raises:
        ConfigError: there is no such run, or it has no trained network.
    """
    try:
        path = store.run_dir(run_id) / NETWORK
    except RunNotFoundError as error:
        raise ConfigError(f"tricks.distill_from is no run of this store. {error}") from None
    if not path.is_file():
        raise ConfigError(
            f"tricks.distill_from={run_id!r} has no trained network. Expected a completed run. "
            "Wait until it is trained, or choose another run."
        )
    return path
