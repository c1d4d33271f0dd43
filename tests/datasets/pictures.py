"""Small image files and archives for the tests of this folder."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def image_bytes(
    number: int = 0, size: tuple[int, int] = (8, 8), mode: str = "RGB", kind: str = "PNG", **save: Any
) -> bytes:
    """Return a file with random pixels that `number` decides; `size` is width and height."""
    width, height = size
    pixels = np.random.RandomState(number).randint(0, 256, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, kind, **save)
    return buffer.getvalue()


def class_files(
    per_class: int = 6, classes: tuple[str, ...] = ("cat", "dog"), prefix: str = "", **options: Any
) -> dict[str, bytes]:
    """Return `per_class` different PNG files in a folder per class."""
    return {
        f"{prefix}{name}/{index:03d}.png": image_bytes(1000 * (position + 1) + index, **options)
        for position, name in enumerate(classes)
        for index in range(per_class)
    }


def write_zip(path: Path, files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def write_folder(root: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def leftovers(store: Path) -> list[str]:
    """Return every path in the store, as a list to compare with nothing."""
    return sorted(str(path.relative_to(store)) for path in store.rglob("*") if path != store / "datasets")
