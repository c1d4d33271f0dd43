"""Any selection of runs out of the store, as a folder or a zip that other tools open: whole, or not at all."""

import os
import secrets
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnlab.errors import UnknownNameError
from cnnlab.exchange.found import ExportError
from cnnlab.exchange.selection import RunToExport, selected
from cnnlab.exchange.to_mlflow import to_mlflow
from cnnlab.exchange.to_tables import to_csv, to_parquet
from cnnlab.exchange.to_tensorboard import to_tensorboard
from cnnlab.files import TEMPORARY_SUFFIX
from cnnlab.runs.store import Store

FORMATS: dict[str, str] = {
    "parquet": "Parquet: tables of runs, metrics and predictions, and the configs",
    "csv": "CSV: tables of runs and metrics",
    "tensorboard": "TensorBoard: event files with scalars and hyperparameters",
    "mlflow": "MLflow: a database with parameters, metrics, tags and artifacts",
}
# Formats that can hold what networks answered, and those that can hold the networks.
WITH_PREDICTIONS, WITH_MODELS = ("parquet", "mlflow"), ("mlflow",)
ZIP = ".zip"
# Already compressed: to do it again takes time and saves nothing.
_STORED = (".parquet", ".keras")

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Exported:
    """What an export wrote."""

    path: Path
    format: str
    runs: int
    size_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"path": str(self.path), "format": self.format, "runs": self.runs, "size_bytes": self.size_bytes}


def export_runs(
    store: Store,
    run_ids: Sequence[str],
    target: Path,
    format: str,
    *,
    predictions: bool = True,
    models: bool = False,
    progress: Progress | None = None,
) -> Exported:
    """Write runs as a folder, or as a zip where the name of `target` ends so; it is there whole, or not at all.

    Args:
        format: A key of `FORMATS`.
        predictions: With the answer to each image, where the format can hold them.
        models: With the networks, where the format can hold them.

    Raises:
        ExportError: there is something at `target`, or it cannot be written.
        RunNotFoundError: there is no run of an id.
        UnknownNameError: `format` is none.
    """
    if format not in FORMATS:
        raise UnknownNameError("format", format, FORMATS)
    target = Path(target).expanduser().absolute()
    _check(target, run_ids)
    runs = selected(store, run_ids)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}{TEMPORARY_SUFFIX}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        _write(runs, temporary, format, predictions=predictions, models=models, progress=progress)
        if target.suffix == ZIP:
            packed = temporary.with_name(f"{temporary.name}{ZIP}")
            try:
                _pack(temporary, packed, target.stem, progress)
                os.replace(packed, target)
            finally:
                packed.unlink(missing_ok=True)
        else:
            if target.is_dir():
                target.rmdir()  # it is empty
            os.rename(temporary, target)
    except OSError as error:
        raise ExportError(
            f"{str(target)!r} cannot be written: {error.strerror or error}. Expected a new folder, or a name that ends "
            "in '.zip', where there is room. Choose another place."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return Exported(target, format, len(runs), _size(target))


def _check(target: Path, run_ids: Sequence[str]) -> None:
    if not run_ids:
        raise ExportError("No run to export. Expected one id at least. List runs with 'python -m cnnlab runs'.")
    if target.exists() and not (target.is_dir() and target.suffix != ZIP and not any(target.iterdir())):
        raise ExportError(
            f"There is something at {str(target)!r} already. Expected a new place. "
            "Choose another, or delete that first."
        )


def _write(
    runs: Sequence[RunToExport],
    folder: Path,
    format: str,
    *,
    predictions: bool,
    models: bool,
    progress: Progress | None,
) -> None:
    def tell(done: int) -> None:
        if progress is not None:
            progress("writing runs", done, len(runs))

    if format == "parquet":
        to_parquet(runs, folder, tell, predictions=predictions)
    elif format == "csv":
        to_csv(runs, folder, tell)
    elif format == "tensorboard":
        to_tensorboard(runs, folder, tell)
    else:
        to_mlflow(runs, folder, tell, predictions=predictions, models=models)


def _pack(folder: Path, target: Path, name: str, progress: Progress | None) -> None:
    """Write a folder as a zip in which all lies below `name`."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=5) as archive:
        for done, path in enumerate(files):
            method = zipfile.ZIP_STORED if path.suffix in _STORED else zipfile.ZIP_DEFLATED
            archive.write(path, f"{name}/{path.relative_to(folder).as_posix()}", compress_type=method)
            if progress is not None:
                progress("packing", done + 1, len(files))


def _size(target: Path) -> int:
    files = [target] if target.is_file() else [path for path in target.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files)
