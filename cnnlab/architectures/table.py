"""The table of architectures in the README, made from the catalogue: `python -m cnnlab.architectures.table`."""

import re
from pathlib import Path

from cnnlab.architectures.catalogue import ARCHITECTURES
from cnnlab.architectures.entry import Architecture

README = Path(__file__).resolve().parents[2] / "README.md"
BEGIN, END = "<!-- architectures: begin -->", "<!-- architectures: end -->"


def markdown() -> str:
    """Return one row per architecture, with the published count of its default network."""
    head = ["| name | network | trainable parameters | source |", "| --- | --- | ---: | --- |"]
    return "\n".join([*head, *(_row(entry) for entry in ARCHITECTURES.values())])


def with_table(readme: str) -> str:
    """Return the README with today's table between its marks."""
    return re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{markdown()}\n{END}", readme, flags=re.DOTALL)


def _row(entry: Architecture) -> str:
    params = f"{entry.published_params:,}" if entry.published_params else ""
    return f"| `{entry.name}` | {entry.label} | {params} | {entry.source} |"


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
