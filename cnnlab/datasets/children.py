"""What a child process of our own is given. Standard library alone: it is wanted before anything else is imported."""

import os
import sys
from pathlib import Path


def child_environment() -> dict[str, str]:
    """Return an environment in which a child finds this very package, wherever it was started."""
    paths = [_package_root(), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"}


def bare_environment() -> dict[str, str]:
    """Return an environment in which `python -S`, half as long at starting, finds what this process finds."""
    paths = [_package_root(), *filter(None, sys.path)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONIOENCODING": "utf-8"}


def _package_root() -> str:
    return str(Path(__file__).resolve().parents[2])
