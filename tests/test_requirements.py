"""The two lists of requirements name the same packages."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_requirements_pin_exactly_what_the_project_depends_on():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith(("#", "-"))]
    assert {re.split("[>=]=", line)[0] for line in pins} == {re.split("[>=]=", line)[0] for line in project}
    assert all("==" in line for line in pins)
    assert lines[-1] == "-e ."
