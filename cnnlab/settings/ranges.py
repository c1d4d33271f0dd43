"""Where a searched setting may lie: a choice, integers or numbers, and under which conditions.

A range is written in YAML as a mapping, a choice also as a plain list, or as a text (see `range_text`).
"""

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, field_validator, model_validator

from cnnlab.errors import ConfigError
from cnnlab.parameters import Parameters

# Beyond this a range with steps is as good as continuous, and a grid over it never ends.
MOST_VALUES = 1_000_000


class _Conditional(Parameters):
    only_if: dict[str, tuple[Any, ...]] = Field(
        default_factory=dict,
        title="Only if",
        description="Searched only where each of these settings has one of its values.",
    )

    @field_validator("only_if", mode="before")
    @classmethod
    def _take_single_values(cls, conditions: Any) -> Any:
        if not isinstance(conditions, Mapping):
            return conditions
        return {path: values if isinstance(values, (list, tuple)) else (values,) for path, values in conditions.items()}


class ChoiceRange(_Conditional):
    """One of some values, without an order."""

    kind: Literal["choice"] = "choice"
    values: tuple[Any, ...] = Field(title="Values")

    @model_validator(mode="after")
    def _check(self) -> Self:
        texts = [value_key(value) for value in self.values]
        if len(texts) < 2:
            raise ConfigError(
                f"A choice of {len(texts)} is no choice. Expected two values or more. Put a single value into 'run'."
            )
        if len(set(texts)) < len(texts):
            double = next(text for text in texts if texts.count(text) > 1)
            raise ConfigError(f"The choice has {double} twice. Expected different values. Leave one of them out.")
        return self

    def grid(self, points: int) -> list[Any]:
        """Return all values; `points` is for ranges that are continuous."""
        return list(self.values)

    @property
    def count(self) -> int | None:
        """How many values there are."""
        return len(self.values)

    def holds(self, value: Any) -> bool:
        """Return whether the value is one of these, `true` and 1 being two values."""
        return value_key(value) in {value_key(one) for one in self.values}

    def body_text(self) -> str:
        """Return what stands between the brackets."""
        return ", ".join(flow(value) for value in self.values)


class _Numeric(_Conditional):
    low: float = Field(title="Lowest")
    high: float = Field(title="Highest")
    step: float | None = Field(None, title="Step")
    log: bool = Field(False, title="Logarithmic", description="Each doubling is drawn equally often.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        low, high, step, log = self.low, self.high, self.step, self.log
        if low >= high:
            raise ConfigError(f"low={low:g} is not below high={high:g}. Expected low < high. Swap or widen them.")
        if log and low <= 0:
            raise ConfigError(f"low={low:g} has no logarithm. Expected low > 0 with log. Raise low, or leave log out.")
        if log and step not in (None, 1):
            raise ConfigError(f"step={step:g} and log are both given. Expected one of them. Leave one out.")
        if step is not None and (step <= 0 or step > high - low):
            raise ConfigError(
                f"step={step:g} does not fit [{low:g}, {high:g}]. Expected a step in (0, {high - low:g}]. "
                "Make it smaller."
            )
        if self.count is not None and self.count > MOST_VALUES:
            raise ConfigError(
                f"The range has {self.count} values. Expected at most {MOST_VALUES}. Make the step larger."
            )
        return self

    @property
    def count(self) -> int | None:
        """How many values there are; None where continuous."""
        raise NotImplementedError

    def holds(self, value: Any) -> bool:
        """Return whether the value can be drawn."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        if not self.low - 1e-9 <= value <= self.high + 1e-9:
            return False
        place = (value - self.low) / self.step if self.step else 0.0
        return abs(place - round(place)) < 1e-6

    def body_text(self) -> str:
        """Return what stands between the brackets."""
        parts = [repr(self.low), repr(self.high)]
        if self.step is not None and self.step != type(self).model_fields["step"].default:
            parts.append(f"step={self.step!r}")
        return ", ".join([*parts, "log"] if self.log else parts)


class IntRange(_Numeric):
    """Integers from `low` to `high`, both included where the step meets them."""

    kind: Literal["int"] = "int"
    low: int = Field(title="Lowest")
    high: int = Field(title="Highest")
    step: int = Field(1, title="Step")

    @property
    def count(self) -> int | None:
        return (self.high - self.low) // self.step + 1

    def grid(self, points: int) -> list[Any]:
        """Return all values, of a logarithmic range about `points` with both ends."""
        if not self.log:
            return list(range(self.low, self.high + 1, self.step))
        return sorted({round(value) for value in _spread(self.low, self.high, points, is_log=True)})


class FloatRange(_Numeric):
    """Numbers from `low` to `high`, every one or in steps."""

    kind: Literal["float"] = "float"
    step: float | None = Field(None, title="Step", description="Every number where left out.")

    @property
    def count(self) -> int | None:
        return None if self.step is None else int((self.high - self.low) / self.step + 1e-6) + 1

    def grid(self, points: int) -> list[Any]:
        """Return all values, of a continuous range `points` with both ends."""
        if self.step is None:
            return [tidy(self, value) for value in _spread(self.low, self.high, points, is_log=self.log)]
        return [tidy(self, self.low + index * self.step) for index in range(self.count or 0)]


AnyRange = ChoiceRange | IntRange | FloatRange
Range = Annotated[AnyRange, Field(discriminator="kind")]


def tidy(searched: AnyRange, value: Any) -> Any:
    """Return a value as it is tried: inside the range, an integer where asked, 0.3 and not 0.30000000000000004."""
    if isinstance(searched, FloatRange):
        return min(max(float(f"{value:.12g}"), searched.low), searched.high)
    if isinstance(searched, IntRange):
        return min(max(round(value), searched.low), searched.high)
    return value


def nearest(searched: AnyRange, value: Any) -> Any:
    """Return the value of a range nearest to any value: the first of a choice that lacks it, the low end for none.

    >>> nearest(IntRange(low=8, high=32, step=8), 21)
    24
    """
    if isinstance(searched, ChoiceRange):
        keys = [value_key(one) for one in searched.values]
        return searched.values[keys.index(value_key(value))] if value_key(value) in keys else searched.values[0]
    if not isinstance(value, (int, float)):
        return searched.low
    if searched.step is not None and not searched.log:
        places = (searched.count or 1) - 1
        value = searched.low + min(max(round((value - searched.low) / searched.step), 0), places) * searched.step
    return tidy(searched, value)


def value_key(value: Any) -> str:
    """Return a text that two values share only where they are the same: `true`, `1` and `"1"` are three."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def flow(value: Any) -> str:
    """Return a value as YAML in one line, as it stands between the brackets of a list."""
    text = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=math.inf, sort_keys=False)
    return text.strip()[1:-1]


def _spread(low: float, high: float, points: int, *, is_log: bool) -> list[float]:
    share = [index / (points - 1) for index in range(points)]
    if is_log:
        return [low * (high / low) ** part for part in share]
    return [low + (high - low) * part for part in share]
