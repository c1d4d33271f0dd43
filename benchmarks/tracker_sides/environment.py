"""Where a tracker is installed: a virtual environment of its own, or the one that runs this."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tracker_sides.side import Side

ROOT = Path(__file__).parents[2]


class NotMeasurableError(Exception):
    """Why a tracker cannot be measured here."""


@dataclass(frozen=True)
class Environment:
    """The programs of a tracker, and the tracker's version."""

    scripts: Path
    version: str

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.scripts / "python")


def environment_of(side: Side, cache: Path) -> Environment:
    """Return the environment of a tracker; one that is missing in `cache` is made.

    Raises:
        NotMeasurableError: the tracker cannot be installed.
    """
    if side.requirement is None:
        from cnnlab import __version__

        return Environment(Path(sys.executable).parent, __version__)
    folder = cache / f"venv-{side.requirement.replace('==', '-')}-python{sys.version_info[0]}.{sys.version_info[1]}"
    scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
    environment = Environment(scripts, side.requirement.partition("==")[2])
    if not (folder / "installed").exists():
        print(f"Installing {side.requirement} ...", flush=True)
        _run([sys.executable, "-m", "venv", "--clear", str(folder)])
        _run([environment.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", side.requirement])
        (folder / "installed").touch()
    return environment


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [f"exit {done.returncode}"]
        raise NotMeasurableError(f"it cannot be installed ({errors[-1].removeprefix('ERROR: ')})")
