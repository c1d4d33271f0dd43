"""Ranges as text, for the command line and for short YAML.

`float(1e-4, 1e-1, log)`, `int(8, 64, step=8)`, `choice(sgd, adam)`, each with ` if training.optimizer=sgd`
behind it where it has a meaning only there (conditions are joined by `and`, their values by `|`).
"""

import re
from typing import Any

import yaml

from cnnlab.errors import ConfigError
from cnnlab.parameters import check
from cnnlab.settings.ranges import AnyRange, ChoiceRange, FloatRange, IntRange, flow

EXAMPLES = "'float(1e-4, 1e-1, log)', 'int(8, 64, step=8)' or 'choice(sgd, adam)'"
_TEXT = re.compile(r"\s*(?P<kind>[a-z]+)\s*\((?P<body>.*?)\)\s*(?:\bif\s+(?P<conditions>\S.*))?$", re.DOTALL)


def parse_range(text: str) -> AnyRange:
    """Read a range as the command line takes it.

    >>> parse_range("int(8, 64, step=8) if architecture.name=lenet5|resnet").count
    8

    Raises:
        ConfigError: it cannot be read.
    """
    match = _TEXT.match(text)
    models: dict[str, type[AnyRange]] = {"choice": ChoiceRange, "int": IntRange, "float": FloatRange}
    if not match or match["kind"] not in models:
        raise ConfigError(f"The range {text!r} cannot be read. Expected {EXAMPLES}. Check its name and brackets.")
    kind, body = match["kind"], match["body"]
    values: dict[str, Any] = {"kind": kind, "only_if": _conditions(match["conditions"] or "", text)}
    if kind == "choice":
        values["values"] = _list(body, text)
    else:
        values |= _numbers(body, text)
    return check(models[kind], values, f"the range {text!r}")


def range_text(searched: AnyRange) -> str:
    """Return what `parse_range` reads back."""
    text = f"{searched.kind}({searched.body_text()})"
    conditions = [f"{path}={'|'.join(flow(one) for one in values)}" for path, values in searched.only_if.items()]
    return f"{text} if {' and '.join(conditions)}" if conditions else text


def _numbers(body: str, text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for place, part in enumerate(part.strip() for part in body.split(",")):
        name, equals, value = part.partition("=")
        if part == "log":
            found["log"] = True
        elif equals and name.strip() in ("low", "high", "step"):
            found[name.strip()] = value.strip()
        elif place < 2 and not equals:
            found[("low", "high")[place]] = part
        else:
            raise ConfigError(
                f"{part!r} in the range {text!r} cannot be read. Expected low, high, and 'step=...' or 'log' behind "
                f"them, as in {EXAMPLES}. Leave it out."
            )
    return found


def _conditions(text: str, whole: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in re.split(r"\s+and\s+", text) if text else []:
        path, equals, values = part.partition("=")
        if not equals:
            raise ConfigError(
                f"The condition {part!r} in the range {whole!r} cannot be read. Expected a setting and its values, "
                "such as 'if training.optimizer=sgd|rmsprop'. Write it so, or leave it out."
            )
        found[path.strip()] = [_list(value, whole)[0] for value in values.split("|")]
    return found


def _list(body: str, text: str) -> list[Any]:
    try:
        values = yaml.safe_load(f"[{body}]")
    except yaml.YAMLError:
        values = None
    if not isinstance(values, list) or not values:
        raise ConfigError(
            f"The values in {text!r} cannot be read. Expected them with commas between. Put those that hold commas or "
            "brackets in quotes."
        )
    return values
