"""Open CNN Lab, or test it, on a machine that has Python and nothing of ours.

    python3 lab.py dashboard    installs what is needed and opens the dashboard
    python3 lab.py test         installs what is needed and runs every check and test

Both use the virtual environment `.venv` beside this file and install again only when
`requirements.txt` or `pyproject.toml` changed. Words after the verb go on to the dashboard
or to pytest. Standard library only: it runs before anything is installed.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LEAST_PYTHON = (3, 11)
# Files go whole to one process per core, in the order of `tests/conftest.py`: the long ones first.
ON_ALL_CORES = ("-n", "logical", "--dist", "loadfile", "--no-loadscope-reorder", "--durations", "15")
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")


def main() -> int:
    """Do what the first word says; return the exit code."""
    verb, rest = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("", [])
    if verb not in ("dashboard", "test"):
        print(__doc__)
        return 0 if verb in ("", "-h", "--help", "help") else 2
    if sys.version_info < LEAST_PYTHON:
        print(f"Python {sys.version.split()[0]} is too old. CNN Lab needs 3.11 or newer. Install one from python.org.")
        return 2
    try:
        return open_dashboard(rest) if verb == "dashboard" else test(rest)
    except subprocess.CalledProcessError as error:
        print(f"This step failed: {' '.join(map(str, error.cmd))}. Its own words are above.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def open_dashboard(rest: list[str]) -> int:
    """Install and serve until Ctrl-C."""
    install("")
    say("opening the dashboard; Ctrl-C closes it, and trainings go on")
    return subprocess.call([PYTHON, "-m", "cnnlab", "dashboard", *rest], cwd=ROOT, env=environment())


def test(rest: list[str]) -> int:
    """Install, then run the linter, the type checker and every test; return the first failure's code.

    The type checker works on one core and the tests wait for processes they started: side by side they end sooner.
    """
    install("[test]")
    if not find_chromium():
        install_chromium()
    for name, command in (
        ("the linter", ["-m", "ruff", "check", "."]),
        ("the formatter", ["-m", "ruff", "format", "--check", "."]),
    ):
        if code := verdict(name, start(name, command)):
            return code
    checker = start("the type checker", ["-m", "mypy"])
    tests = start("the tests", ["-m", "pytest", *ON_ALL_CORES, *rest])
    codes = [verdict("the type checker", checker), verdict("the tests", tests)]
    return next((code for code in codes if code), 0)


def start(name: str, command: list[str]) -> subprocess.Popen:
    """Say what begins, and start it."""
    say(f"running {name}")
    return subprocess.Popen([PYTHON, *command], cwd=ROOT, env=environment())


def verdict(name: str, process: subprocess.Popen) -> int:
    """Wait for a check, say so where it found something, and return its exit code."""
    code = process.wait()
    if code:
        print(f"{name} found something, see above", file=sys.stderr, flush=True)
    return code


def environment() -> dict[str, str]:
    """Return the environment of what runs in `.venv`: what Python compiles is kept there, whatever the machine says.

    Nothing is compiled while installing. Where PYTHONDONTWRITEBYTECODE is set, as in many containers, each process
    would compile all that it imports again: Keras with TensorFlow in 4.0 s of processor time in place of 1.5 s.
    """
    kept = dict(os.environ)
    if kept.pop("PYTHONDONTWRITEBYTECODE", ""):
        kept["PYTHONPYCACHEPREFIX"] = str(VENV / "bytecode")
    return kept


def install(extra: str) -> None:
    """Make the virtual environment and install into it, unless that is done already."""
    if not PYTHON.exists():
        say(f"making a virtual environment in {VENV}")
        make_environment()
    stamp = VENV / f"installed{extra}.txt"
    wanted = fingerprint()
    if stamp.exists() and stamp.read_text() == wanted:
        say("everything is installed already")
        return
    say("installing what is needed (about 2 GB on disk; a few minutes the first time)")
    target = ["-r", "requirements.txt", *([f"-e.{extra}"] if extra else [])]
    run([PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", *target])
    stamp.write_text(wanted)


def make_environment() -> None:
    """Make `.venv`; where the system's Python came without that, say how to get it."""
    try:
        run([sys.executable, "-m", "venv", str(VENV)])
    except subprocess.CalledProcessError:
        shutil.rmtree(VENV, ignore_errors=True)
        print("On Debian and Ubuntu: 'apt install python3-venv', then run this again.", file=sys.stderr)
        raise


def fingerprint() -> str:
    """Return a hash of what decides what is installed, the folder included since the install points at it."""
    parts = [(ROOT / name).read_bytes() for name in ("requirements.txt", "pyproject.toml")]
    return hashlib.sha256(b"\0".join([*parts, str(ROOT).encode(), sys.version.encode()])).hexdigest()


def find_chromium() -> str | None:
    """Return the browser that the browser tests would take: the variable's, the system's or Playwright's."""
    named = os.environ.get("CNNLAB_CHROMIUM")
    found = named or next((path for path in map(shutil.which, CHROMIUMS) if path), None)
    if found:
        return found
    code = "from playwright.sync_api import sync_playwright as p\nwith p() as b: print(b.chromium.executable_path)"
    answer = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=False)
    path = answer.stdout.strip()
    return path if path and Path(path).exists() else None


def install_chromium() -> None:
    """Install a browser for the browser tests: Debian's where apt works, else Playwright's own."""
    say("installing a browser for the browser tests")
    if shutil.which("apt-get"):
        sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        updated = subprocess.call([*sudo, "apt-get", "update", "-qq"], env=quiet) == 0
        if updated and subprocess.call([*sudo, "apt-get", "install", "-y", "-qq", "chromium"], env=quiet) == 0:
            return
    run([PYTHON, "-m", "playwright", "install", "chromium"])


def run(command: list) -> None:
    """Run a command in the project's folder; an exit code other than 0 is an error."""
    subprocess.run(command, cwd=ROOT, check=True)


def say(what: str) -> None:
    """Tell what happens next."""
    print(f"CNN Lab: {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
