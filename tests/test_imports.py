"""Imports point one way, and no page loads Keras."""

import ast
import functools
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FRAMEWORKS = ("keras", "tensorflow", "jax", "torch", "keras_tuner")

# Lower imports higher only: what a module's place is, the longest prefix decides.
RANKS = {
    "cnnlab": 0,
    "cnnlab.errors": 0,
    "cnnlab.stand_ins": 0,
    "cnnlab.files": 1,
    "cnnlab.frameworks": 1,
    "cnnlab.processes": 1,
    "cnnlab.parameters": 1,
    "cnnlab.formula": 1,
    "cnnlab.datasets.catalogue": 2,
    "cnnlab.architectures.catalogue": 2,
    "cnnlab.architectures.entry": 2,
    "cnnlab.architectures.entries": 2,
    "cnnlab.architectures.layer_list": 2,
    "cnnlab.architectures.layer_list_shapes": 2,
    "cnnlab.augmentation.catalogue": 2,
    "cnnlab.augmentation.language": 2,
    "cnnlab.settings": 2,
    "cnnlab.config": 3,
    "cnnlab.settings.searched": 3,
    "cnnlab.settings.study": 3,
    "cnnlab.ablation": 3,
    "cnnlab.ablation_offers": 3,
    "cnnlab.datasets": 4,
    "cnnlab.runs": 4,
    "cnnlab.published": 4,
    "cnnlab.doctor": 5,
    "cnnlab.launch": 5,
    "cnnlab.plots": 5,
    "cnnlab.convolution": 5,
    "cnnlab.exchange": 5,
    "cnnlab.analysis": 5,
    "cnnlab.query": 5,
    "cnnlab.architectures": 6,
    "cnnlab.augmentation": 6,
    "cnnlab.training": 7,
    "cnnlab.inspector": 8,
    "cnnlab.submit": 8,
    "cnnlab.submit_ablation": 8,
    "cnnlab.tuning": 8,
    "cnnlab.warm_worker": 9,
    "cnnlab.worker": 9,
    "cnnlab.commands": 9,
    "cnnlab.__main__": 10,
    "dashboard": 11,
}
# The command line opens the dashboard, on demand.
ALLOWED = {("cnnlab.__main__", "dashboard.launcher")}


@functools.cache
def modules() -> list[tuple[str, Path]]:
    """Every module of the product by its dotted name."""
    paths = [path for top in ("cnnlab", "dashboard") for path in sorted((ROOT / top).rglob("*.py"))]
    return [(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path) for path in paths]


@functools.cache
def imports(source: str) -> frozenset[str]:
    """Every module that a source imports, at its top or later."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def rank(module: str) -> int:
    """How high a module stands."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        if (name := ".".join(parts[:length])) in RANKS:
            return RANKS[name]
    raise AssertionError(f"{module} has no place in RANKS")


def source(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_imports_point_one_way():
    known = {module for module, _ in modules()}
    wrong = [
        f"{name} imports {imported}"
        for name, path in modules()
        for imported in imports(source(path)) & known
        # A package's own __init__ is empty: importing from a package names its modules.
        if not (ROOT / imported.replace(".", "/")).is_dir()
        if rank(imported) > rank(name) and (name, imported) not in ALLOWED
    ]
    assert wrong == []


def tops(path: Path) -> set[str]:
    """The packages that a module imports, at its top or later."""
    return {imported.split(".")[0] for imported in imports(source(path))}


def test_the_library_never_imports_streamlit():
    assert [name for name, path in modules() if name.startswith("cnnlab") and "streamlit" in tops(path)] == []


def frameworks_loaded_by(statements: str) -> set[str]:
    """Which frameworks a fresh Python has loaded after some statements."""
    code = f"{statements}\nimport sys\nprint(*[name for name in {FRAMEWORKS!r} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(answer.stdout.split())


def frameworks_loaded_with(names: Iterable[str]) -> set[str]:
    return frameworks_loaded_by(
        "import importlib\n" + "\n".join(f"importlib.import_module({name!r})" for name in names)
    )


def test_no_page_loads_keras():
    dashboard = [(name, path) for name, path in modules() if "dashboard" in path.parts]
    pages = [name for name, _ in dashboard if name.startswith("dashboard.app_pages.")]
    drawing = {*pages, "dashboard.app"}  # these draw when they are imported: only what they import is of interest
    ours = {module for module, _ in modules()}
    # Everything that a page imports, also inside its functions, also through other modules of the dashboard.
    imported = {one for _, path in dashboard for one in imports(source(path)) if one in ours}
    assert pages
    assert [name for name, path in dashboard if tops(path) & {*FRAMEWORKS}] == []
    assert frameworks_loaded_with(sorted(({name for name, _ in dashboard} | imported) - drawing)) == set()


def test_the_test_above_can_fail(tmp_path):
    # Modules of their names, imported behind another's back, stand for a page that does so.
    for name in FRAMEWORKS:
        (tmp_path / f"{name}.py").write_text("")
    (tmp_path / "harmless.py").write_text(f"import {', '.join(FRAMEWORKS)}")
    statements = f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nimport harmless"
    assert frameworks_loaded_by(statements) == set(FRAMEWORKS)


def test_what_forms_and_commands_import_loads_no_keras():
    names = ("cnnlab.config", "cnnlab.commands.options", "cnnlab.runs.store", "cnnlab.launch.queue",
             "cnnlab.training.rates", "cnnlab.inspector.client", "cnnlab.datasets.storage",
             "cnnlab.datasets.importing", "cnnlab.__main__")  # fmt: skip
    assert frameworks_loaded_with(names) == set()
