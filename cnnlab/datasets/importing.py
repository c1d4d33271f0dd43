"""Import your own images: a zip or a folder with one sub-folder per class.

Imports next to nothing: the processes that decode a large zip start first, and NumPy, pydantic and
the steps of the import (`cnnlab.datasets.import_steps`) are loaded meanwhile.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnlab.datasets.pool import BYTES_WORTH_PROCESSES, Pool

if TYPE_CHECKING:
    from cnnlab.datasets.shape_choice import ImportOptions
    from cnnlab.datasets.storage import DatasetInfo, Progress

__all__ = ["ImportOptions", "import_images"]


def import_images(
    source: Path,
    store_root: Path,
    name: str,
    options: "ImportOptions | None" = None,
    progress: "Progress | None" = None,
) -> "DatasetInfo":
    """Import a zip or folder as data set `name`.

    The same files with the same options are the same version. Nothing is left behind when it fails.

    Args:
        progress: Called with stage, done and total; what it raises stops the import.

    Raises:
        ImportRefusedError: the source is unsafe, or holds nothing that can be imported.
        DatasetError: the name is taken, a class is missing from a split, or the disk is full.
    """
    source = Path(source).absolute()
    with Pool() as pool:
        if source.is_file() and source.stat().st_size > BYTES_WORTH_PROCESSES:
            pool.start()
        # One process lists the zip while this one loads the steps.
        listing = pool.ask("list", source) if pool.is_started else None
        from cnnlab.datasets import import_steps

        report = progress or (lambda _stage, _done, _total: None)
        chosen = options or import_steps.ImportOptions()
        return import_steps.run_import(source, Path(store_root), name, chosen, report, pool, listing)


def __getattr__(name: str) -> Any:
    if name == "ImportOptions":
        from cnnlab.datasets.shape_choice import ImportOptions

        return ImportOptions
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
