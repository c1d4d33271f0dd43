"""The checkpoint of a run as its folder shows it, without Keras: how far it is, and whether it can be read.

`cnnlab.training.checkpoints` writes and reads the state itself.
"""

import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnlab.errors import StoreError
from cnnlab.files import replace, temporary_beside

FORMAT = 1
FOLDER = "checkpoints"
# What the next look at the layers compares with: beside the checkpoint, of the same moment.
PROBE_STATE = "probe.state"
NAME = "training.npz"
_ABOUT = "about.npy"


def checkpoint_path(run_dir: Path) -> Path:
    """Return where a run keeps its checkpoint."""
    return Path(run_dir) / FOLDER / NAME


def read_about(run_dir: Path) -> dict[str, Any] | None:
    """Return `format`, `fingerprint` and `position` of a run's checkpoint; None where it has none that can be read."""
    try:
        with zipfile.ZipFile(checkpoint_path(run_dir)) as archive:
            about = json.loads(_unwrapped(archive.read(_ABOUT)))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    is_known = isinstance(about, dict) and about.get("format") == FORMAT and isinstance(about.get("position"), dict)
    return about if is_known else None


def place(about: Mapping[str, Any] | None) -> str:
    """Return how far a checkpoint is, `'after epoch 3 and 12 steps'`; empty where there is none.

    >>> place({"position": {"epoch": 0, "step": 12}})
    'after 12 steps'
    """
    if about is None:
        return ""
    epoch, step = about["position"]["epoch"], about["position"]["step"]
    parts = [f"epoch {epoch}"] if epoch or not step else []
    parts += [f"{step} steps"] if step else []
    return f"after {' and '.join(parts)}"


def copy_checkpoint(source: Path, target: Path, *, fingerprint: str, position: Mapping[str, Any]) -> None:
    """Let the run `target` begin with the state of the run `source`.

    Args:
        fingerprint: Of the config that goes on from it, with its seed.
        position: What changes of the position.

    Raises:
        StoreError: there is no checkpoint that can be read, or it cannot be written.
    """
    about = read_about(source)
    if about is None:
        raise StoreError(f"Run {source.name!r} has no checkpoint that can be read. Train its config from the start.")
    about = {**about, "fingerprint": fingerprint, "position": {**about["position"], **position}}
    path = checkpoint_path(target)
    temporary = temporary_beside(path)
    try:
        path.parent.mkdir(exist_ok=True)
        with zipfile.ZipFile(checkpoint_path(source)) as old, zipfile.ZipFile(temporary, "w", allowZip64=True) as new:
            for entry in old.infolist():
                if entry.filename == _ABOUT:
                    continue
                with old.open(entry) as content, new.open(entry.filename, "w", force_zip64=True) as copy:
                    shutil.copyfileobj(content, copy, 1 << 20)
            new.writestr(_ABOUT, _wrapped(json.dumps(about).encode()))
        replace(temporary, path)
    except (OSError, zipfile.BadZipFile) as error:
        raise StoreError(
            f"The checkpoint of run {source.name!r} cannot be copied: {error}. Make room, or train its config anew."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def discard_checkpoint(run_dir: Path) -> None:
    """Remove what a run would go on from: its next attempt trains from the start."""
    shutil.rmtree(Path(run_dir) / FOLDER, ignore_errors=True)


def _wrapped(data: bytes) -> bytes:
    """Return bytes as a file of NumPy's that holds them as one array."""
    import io

    import numpy as np

    file = io.BytesIO()
    np.lib.format.write_array(file, np.frombuffer(data, np.uint8))
    return file.getvalue()


def _unwrapped(data: bytes) -> bytes:
    import io

    import numpy as np

    return bytes(np.lib.format.read_array(io.BytesIO(data)).tobytes())
