"""One description of a setting for its many faces: form, command line, YAML, help, search space.

A parameter model is a pydantic model whose fields carry title, description, range and,
in `json_schema_extra`, `unit`, `step`, `log` (a logarithmic scale fits), `only_if`
(`{"optimizer": ["sgd"]}`: the field means something only there), `only_if_set` (the name of an
optional field beside it, likewise), `group` (the heading under
which a form draws it), `refers_to` (`run`: its value is the id of a run) and `placeholder` (what an
empty field says that it means).
"""

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from cnnlab.errors import ConfigError, suggestion


class Parameters(BaseModel):
    """Base of every parameter model: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=())

    def brief(self) -> dict[str, Any]:
        """Return the values as a person would write them; a model may leave out what goes without saying."""
        return self.model_dump(mode="json")


class NoParameters(Parameters):
    """For what has nothing to set."""


Model = TypeVar("Model", bound=BaseModel)
Kind = Literal["integer", "number", "boolean", "choice", "text", "other"]
Holds = Literal["one", "list", "mapping"]


@dataclass(frozen=True)
class ParameterSpec:
    """What a form, a command line or a search space needs to know of one field."""

    name: str
    title: str
    kind: Kind
    default: Any
    help: str
    low: float | None
    high: float | None
    is_low_open: bool
    is_high_open: bool
    choices: tuple[Any, ...]
    step: float | None
    unit: str
    is_log: bool
    is_optional: bool
    only_if: Mapping[str, list[Any]]
    only_if_set: str
    holds: Holds
    group: str
    refers_to: str
    placeholder: str = ""

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return whether the field means something beside the other `values`."""
        if self.only_if_set and not values.get(self.only_if_set):
            return False
        return all(values.get(name) in allowed for name, allowed in self.only_if.items())

    def range_text(self) -> str:
        """Return the range as mathematicians write it, `(0, 10]`, or an empty string."""
        if self.low is None and self.high is None:
            return ""
        low = "(-inf" if self.low is None else f"{'(' if self.is_low_open else '['}{self.low:g}"
        high = "inf)" if self.high is None else f"{self.high:g}{')' if self.is_high_open else ']'}"
        return f"{low}, {high}"


def specs(model: type[BaseModel]) -> list[ParameterSpec]:
    """Return one spec per field of `model`, in order."""
    return [_spec(name, field) for name, field in model.model_fields.items()]


def check(model: type[Model], values: Mapping[str, Any] | Any, where: str = "") -> Model:
    """Build `model` from `values`.

    Raises:
        ConfigError: names the first wrong value, what is expected and the way out.
    """
    if not isinstance(values, Mapping):
        place = f" for {where}" if where else ""
        raise ConfigError(f"{values!r} is not a mapping{place}. Expected 'name: value' pairs.")
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError(_sentence(model, error, where)) from None


def _spec(name: str, field: FieldInfo) -> ParameterSpec:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    low, high, is_low_open, is_high_open = _bounds(field)
    kind, choices, is_optional = _kind(field.annotation)
    return ParameterSpec(
        name=name,
        title=field.title or name.replace("_", " ").capitalize(),
        kind=kind,
        default=None if field.is_required() else field.get_default(call_default_factory=True, validated_data={}),
        help=field.description or "",
        low=low,
        high=high,
        is_low_open=is_low_open,
        is_high_open=is_high_open,
        choices=choices,
        step=typing.cast(Any, extra.get("step")),
        unit=str(extra.get("unit", "")),
        is_log=bool(extra.get("log", False)),
        is_optional=is_optional,
        only_if=typing.cast(Any, extra.get("only_if", {})),
        only_if_set=str(extra.get("only_if_set", "")),
        holds=_holds(field.annotation),
        group=str(extra.get("group", "")),
        refers_to=str(extra.get("refers_to", "")),
        placeholder=str(extra.get("placeholder", "")),
    )


def _bounds(field: FieldInfo) -> tuple[float | None, float | None, bool, bool]:
    found = {
        key: getattr(item, key)
        for item in field.metadata
        for key in ("gt", "ge", "lt", "le")
        if getattr(item, key, None) is not None
    }
    return found.get("gt", found.get("ge")), found.get("lt", found.get("le")), "gt" in found, "lt" in found


def _holds(annotation: Any) -> Holds:
    annotation, _ = _without_none(annotation)
    origin = typing.get_origin(annotation) or annotation
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "mapping"
    return "list" if origin in (tuple, list) else "one"


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotation, False
    parts = typing.get_args(annotation)
    inner = [part for part in parts if part is not type(None)]
    return inner[0] if len(inner) == 1 else annotation, len(inner) < len(parts)


def _kind(annotation: Any) -> tuple[Kind, tuple[Any, ...], bool]:
    annotation, is_optional = _without_none(annotation)
    if typing.get_origin(annotation) is Literal:
        return "choice", typing.get_args(annotation), is_optional
    kinds: dict[Any, Kind] = {bool: "boolean", int: "integer", float: "number", str: "text"}
    return kinds.get(annotation, "other"), (), is_optional


def _sentence(model: type[BaseModel], error: ValidationError, where: str) -> str:
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    name = ".".join(path)
    message, value = first["msg"], first.get("input")
    if first["type"] == "value_error":  # raised by our own validators, which speak in sentences
        return message.removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        place = f" for {where}" if where else ""
        known = _fields_at(model, path[:-1])
        return f"Unknown setting {name!r}{place}. {suggestion(path[-1], known)}"
    if first["type"] == "missing":
        return f"{name} is missing{f' for {where}' if where else ''}. Add it as '{name}: value'."
    spec = _spec_at(model, path)
    if first["type"] in ("greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number"):
        kind = "an integer" if spec and spec.kind == "integer" else "a number"
        expected = f"{kind} in {spec.range_text()}" if spec and spec.range_text() else message
        return f"{name}={value!r} is out of range. Expected {expected}."
    if spec and spec.kind == "choice":
        hint = suggestion(str(value), [str(choice) for choice in spec.choices])
        return f"{name}={value!r} is not known. {hint}"
    return f"{name}={value!r} cannot be used. {message[0].upper()}{message[1:]}."


def _fields_at(model: type[BaseModel], path: list[str]) -> list[str]:
    current: Any = model
    for part in path:
        field = getattr(current, "model_fields", {}).get(part)
        current = field.annotation if field else None
    return list(getattr(current, "model_fields", {}))


def _spec_at(model: type[BaseModel], path: list[str]) -> ParameterSpec | None:
    current: Any = model
    for part in path[:-1]:
        field = getattr(current, "model_fields", {}).get(part)
        if field is None:
            return None
        current = field.annotation
    field = getattr(current, "model_fields", {}).get(path[-1]) if path else None
    return _spec(path[-1], field) if field else None
