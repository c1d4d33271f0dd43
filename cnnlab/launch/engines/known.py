"""Engines by name: this machine, and those that installed packages bring."""

import functools
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from cnnlab.errors import QueueError, UnknownNameError
from cnnlab.launch.engines.base import Placer
from cnnlab.launch.engines.local import LocalEngine

LOCAL = "local"
# A package says `[project.entry-points."cnnlab.engines"]` and names what makes its engine, without arguments.
GROUP = "cnnlab.engines"


@functools.cache  # a look at all installed packages takes as long as a page
def _points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP) if point.name != LOCAL}


def engine_names() -> list[str]:
    """Return the names of all engines, this machine first."""
    return [LOCAL, *sorted(_points())]


def make_placer(name: str) -> Placer:
    """Return the engine that places the workers of a study.

    Raises:
        UnknownNameError: no installed package brings one of that name.
        QueueError: its package cannot be used.
    """
    if name == LOCAL:
        return LocalEngine()
    point = _points().get(name)
    if point is None:
        raise UnknownNameError("engine", name, engine_names())
    try:
        make: Callable[[], Any] = point.load()
        placer: Placer = make()
    except Exception as error:  # it is another package's code
        raise QueueError(
            f"The engine {name!r} of {point.value!r} cannot be used: {type(error).__name__}: {error}. Expected a "
            "package that works here. Install it again, or let this machine train with engine 'local'."
        ) from error
    return placer
