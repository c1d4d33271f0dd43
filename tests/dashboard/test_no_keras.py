"""No page imports Keras or what brings it along: a page must open in a second."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
HEAVY = ("keras", "tensorflow", "jax", "torch", "keras_tuner")
MODULES = sorted(
    ".".join(path.relative_to(PROJECT).with_suffix("").parts)
    for folder in ("dashboard", "dashboard/components")
    for path in (PROJECT / folder).glob("*.py")
    if path.stem not in ("__init__", "app")
)
PAGES = sorted((PROJECT / "dashboard" / "app_pages").glob("[a-z]*.py"))
IMPORT_ALL = """
import ast, importlib, sys
for name in {modules!r}:
    importlib.import_module(name)
for path in {pages!r}:  # a page draws when it is run: only what it imports is of interest
    tree = ast.parse(open(path, encoding="utf-8").read())
    found = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
    exec(compile(ast.Module(found, []), path, "exec"), {{}})
{extra}
print(",".join(sorted(set({heavy!r}) & set(sys.modules))))
"""


def imported(extra: str = "") -> list[str]:
    code = IMPORT_ALL.format(modules=MODULES, pages=[str(page) for page in PAGES], heavy=HEAVY, extra=extra)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=120, check=True
    )
    return [name for name in done.stdout.strip().split(",") if name]


def test_no_page_imports_keras():
    assert MODULES
    assert PAGES
    assert imported() == []


@pytest.mark.parametrize("name", ["jax", "keras_tuner"])
def test_this_test_would_see_it(name, tmp_path):
    # A module of that name, imported behind another's back, stands for a page that does so.
    (tmp_path / f"{name}.py").write_text("")
    (tmp_path / "harmless.py").write_text(f"import {name}")
    assert imported(f"sys.path.insert(0, {str(tmp_path)!r}); import harmless") == [name]
