"""The checked-in recipes, and what each says of itself."""

from itertools import takewhile
from pathlib import Path

RECIPES = Path(__file__).resolve().parents[2] / "experiments" / "recipes"
MEASURED = "Measured on"
REPEAT = "Repeat it with:"


def recipe_files() -> dict[str, Path]:
    """Return the checked-in recipes by name."""
    return {path.stem: path for path in sorted(RECIPES.glob("*.yaml"))}


def opening(path: Path) -> str:
    """Return the comment that a recipe opens with: source, what it reaches in what time on what, how to repeat it."""
    comment = takewhile(lambda line: line.startswith("#"), path.read_text(encoding="utf-8").splitlines())
    return " ".join(line.lstrip("# ") for line in comment)


def promise(path: Path) -> list[str]:
    """Return the opening without the commands, which a form has no use for: what it is, then what was measured."""
    said = opening(path).split(REPEAT)[0].strip()
    return said.replace(f" {MEASURED}", f"\n{MEASURED}", 1).split("\n")
