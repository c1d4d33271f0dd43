"""The weights file that a training begins with: found, and told by its digest. Imports no Keras."""

import hashlib
from pathlib import Path

from cnnlab.config import RunConfig
from cnnlab.errors import ConfigError, RunNotFoundError
from cnnlab.runs.store import Store
from cnnlab.settings.transfer import TransferConfig

MODEL = "model.keras"
TRANSFER_REPORT = "transfer.json"  # in the folder of a run: what was taken from its source
READ_BYTES = 1 << 20


def source_title(transfer: TransferConfig) -> str:
    """Return how sentences call the source."""
    return f"The source run {transfer.run_id!r}" if transfer.run_id else f"The source {transfer.source!r}"


def source_file(store: Store, transfer: TransferConfig) -> Path | None:
    """Return the file with the source's weights; None where there is no file of ours (scratch, ImageNet).

    Raises:
        ConfigError: the source run was deleted, never existed or has no model, or there is no such file.
    """
    if transfer.run_id:
        return _of_run(store, transfer.run_id)
    if not transfer.is_file:
        return None
    path = Path(transfer.source).expanduser().absolute()
    if not path.is_file():
        raise ConfigError(
            f"transfer.source={transfer.source!r} is no file. Expected a model that Keras saved. Check the path."
        )
    return path


def checked_source(store: Store, transfer: TransferConfig) -> Path | None:
    """Return the file like `source_file`, after comparing its digest with the one that the config has.

    Raises:
        ConfigError: as `source_file`, or it is another file by now.
    """
    path = source_file(store, transfer)
    if path is not None and transfer.source_sha256:
        found = digest(path)
        if found != transfer.source_sha256:
            raise ConfigError(
                f"{source_title(transfer)} has other weights than the config means: SHA-256 {found[:12]}, not "
                f"{transfer.source_sha256[:12]}. Expected the same file. Bring it back, or leave source_sha256 out to "
                "take the weights as they are."
            )
    return path


def with_digest(store: Store, config: RunConfig) -> RunConfig:
    """Return the config with the digest of its source's weights, and the whole path of a file.

    Raises:
        ConfigError: as `checked_source`.
    """
    transfer = config.transfer
    path = checked_source(store, transfer)
    if path is None:
        return config
    source = transfer.source if transfer.run_id else str(path)
    recorded = transfer.model_copy(update={"source": source, "source_sha256": digest(path)})
    return config.model_copy(update={"transfer": recorded})


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(READ_BYTES):
            found.update(piece)
    return found.hexdigest()


def _of_run(store: Store, run_id: str) -> Path:
    try:
        path = store.run_dir(run_id) / MODEL
    except RunNotFoundError as error:
        if run_id in store.trash_ids():
            raise ConfigError(
                f"The source run {run_id!r} was deleted. Expected a run of this store with its model. Bring it back "
                f"with 'python -m cnnlab restore {run_id}', or choose another source."
            ) from None
        raise ConfigError(
            f"transfer.source names no run of this store. {error} Choose another source, or train from scratch."
        ) from None
    if not path.is_file():
        raise ConfigError(
            f"The source run {run_id!r} has no model file. Expected a completed run. Wait for its end, or choose "
            "another source."
        )
    return path
