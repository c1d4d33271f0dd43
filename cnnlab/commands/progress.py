"""How far a long command is: a bar for a person, JSON lines for a page."""

import json
import sys
import time
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

# Stage, how many are done, of how many.
Tell = Callable[[str, int, int], None]
TELL_EVERY_S = 0.2
ProgressOption = Annotated[
    bool, typer.Option("--progress-json", help="Tell the progress as JSON lines on standard error.")
]
Result = TypeVar("Result")


def with_progress(is_json: bool, work: Callable[[Tell], Result]) -> Result:
    """Run `work` with what shows its progress, on standard error."""
    if is_json:
        return work(JsonLines())
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        tasks: dict[str, Any] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=total)
            bar.update(tasks[stage], completed=done, total=total)

        return work(show)


class JsonLines:
    """Tells each stage's beginning and end, else a few times a second: a page that looks reads all lines."""

    def __init__(self) -> None:
        self._told: tuple[str, float] = ("", 0.0)

    def __call__(self, stage: str, done: int, total: int) -> None:
        last_stage, told_at = self._told
        if done < total and stage == last_stage and time.monotonic() - told_at < TELL_EVERY_S:
            return
        self._told = (stage, time.monotonic())
        sys.stderr.write(json.dumps({"stage": stage, "done": done, "total": total}) + "\n")
        sys.stderr.flush()
