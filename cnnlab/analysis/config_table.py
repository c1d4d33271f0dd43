"""The settings in which runs differ, and which of their values are as by default."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnnlab.config import config_from_dict, flatten
from cnnlab.errors import CNNLabError
from cnnlab.settings.ranges import value_key

# A seed tells the members of a group apart, and says nothing of what was asked for.
OF_A_MEMBER = ("training.seed", "training.checkpoint_every_s")


@dataclass(frozen=True)
class Setting:
    """One setting, by its dotted key, with a value per run; `is_default` where that is what the run would have got."""

    field: str
    values: tuple[Any, ...]
    is_default: tuple[bool, ...]

    @property
    def is_implied(self) -> bool:
        """Return whether nobody chose it: each run has its default, or has no such setting, as of another network."""
        return all(value is None or is_default for value, is_default in zip(self.values, self.is_default, strict=True))

    def differs(self, one: int, other: int) -> bool:
        """Return whether somebody chose it differently for two runs, by their places."""
        first, second = self.values[one], self.values[other]
        if value_key(first) == value_key(second):
            return False
        is_of_another = first is None or second is None
        return not (is_of_another and all(self.values[at] is None or self.is_default[at] for at in (one, other)))

    @property
    def distinct(self) -> tuple[Any, ...]:
        """Return the different values, in order of appearance."""
        return tuple({value_key(value): value for value in self.values}.values())


def settings_of(
    differences: Sequence[tuple[str, Mapping[str, Any]]],
    run_ids: Sequence[str],
    bases: Mapping[str, tuple[str, str]],
    *,
    is_grouped: bool = False,
) -> list[Setting]:
    """Return the settings that differ, in the order of the config.

    Args:
        differences: Of `queries.config_differences`.
        run_ids: The order of the values.
        bases: Data set and architecture of each run, on which its defaults depend.
        is_grouped: Each run stands for a group: what tells its members apart is left out.
    """
    defaults = {run_id: default_values(*bases[run_id]) for run_id in run_ids}
    return [
        Setting(
            field,
            tuple(values.get(run_id) for run_id in run_ids),
            tuple(_is_default(field, values.get(run_id), defaults[run_id]) for run_id in run_ids),
        )
        for field, values in differences
        if not (is_grouped and field in OF_A_MEMBER)
    ]


@functools.lru_cache(maxsize=256)
def default_values(dataset: str, architecture: str) -> Mapping[str, Any]:
    """Return the flat config of a run of which only data set and architecture were said; empty where there is none."""
    try:
        config = config_from_dict({"data": {"dataset": dataset}, "architecture": {"name": architecture}})
    except CNNLabError:  # a network of one's own, a run of another tool
        return {}
    return flatten(config.to_dict())


def _is_default(field: str, value: Any, defaults: Mapping[str, Any]) -> bool:
    if field in ("data.dataset", "architecture.name"):  # whoever trains says these
        return False
    return field in defaults and value_key(defaults[field]) == value_key(value)
