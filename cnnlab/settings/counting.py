"""How many different trials a search space has, whole or as a grid, settings that are not always searched included.

A space is `{dotted setting: range}`, parents before what depends on them; conditions say of each setting
on which values of others it depends.
"""

from collections.abc import Mapping
from typing import Any

from cnnlab.settings.ranges import AnyRange, ChoiceRange, value_key

Space = Mapping[str, AnyRange]
# Of each setting: by other searched settings the values beside which it is searched; all must hold.
AllConditions = Mapping[str, Mapping[str, tuple[Any, ...]]]


def is_active(conditions: AllConditions, path: str, values: Mapping[str, Any]) -> bool:
    """Return whether a setting is searched beside the `values` of those before it."""
    return all(
        parent in values and any(value_key(values[parent]) == value_key(one) for one in allowed)
        for parent, allowed in conditions[path].items()
    )


def count(space: Space, conditions: AllConditions) -> int | None:
    """Return how many different trials there can be; None where a range is continuous."""
    if any(searched.count is None for searched in space.values()):
        return None
    return _count(space, conditions, list(space), {})


def count_grid(space: Space, conditions: AllConditions, points: int) -> int:
    """Return how many trials a grid has that takes so many points of each continuous range."""
    choices = {path: ChoiceRange(values=tuple(searched.grid(points))) for path, searched in space.items()}
    return _count(choices, conditions, list(choices), {})


def _count(space: Space, conditions: AllConditions, paths: list[str], values: dict[str, Any]) -> int:
    if not paths:
        return 1
    path, *rest = paths
    if not is_active(conditions, path, values):
        return _count(space, conditions, rest, values)
    searched = space[path]
    named = [one for other in rest for parent, ones in conditions[other].items() if parent == path for one in ones]
    different = {value_key(one): one for one in named if searched.holds(one)}
    # Values that no condition names are all alike for what follows.
    others = (searched.count or 0) - len(different)
    found = others * _count(space, conditions, rest, values | {path: None}) if others else 0
    return found + sum(_count(space, conditions, rest, values | {path: one}) for one in different.values())
