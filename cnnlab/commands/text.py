"""A config written as the command that makes it."""

import math
import shlex
from collections.abc import Mapping
from typing import Any, Literal

import yaml

from cnnlab.architectures.catalogue import get_architecture
from cnnlab.commands.options import OPTIONS, ConfigOption
from cnnlab.config import RunConfig
from cnnlab.datasets.catalogue import DATASETS
from cnnlab.parameters import specs


def as_command(config: RunConfig, verb: Literal["train", "submit"] = "submit") -> str:
    """Return `python -m cnnlab VERB ...` with the options that are not at their defaults.

    Data set and architecture are always named, so that the command can be read.
    """
    return " ".join(["python -m cnnlab", verb, *as_options(config)])


def as_options(config: RunConfig) -> list[str]:
    """Return the options, each quoted for a POSIX shell."""
    values, defaults = config.to_dict(), RunConfig().to_dict()
    words: list[str] = []
    for option in OPTIONS:
        value = _at(values, option.path)
        if option.is_mapping:
            default: Any = _default_parameters(config, option)
        else:
            default = _at(defaults, option.path)
        if option.flag in ("--dataset", "--architecture") or value != default:
            words += _words(config, option, value, default)
    return words


def _words(config: RunConfig, option: ConfigOption, value: Any, default: Any) -> list[str]:
    if option.is_mapping:
        changed = {name: item for name, item in (value or {}).items() if item != default.get(name)}
        written = _brief(option, config, changed)
        return [f"{option.flag} {shlex.quote(f'{name}={value_text(item)}')}" for name, item in written.items()]
    if option.is_list:
        return [f"{option.flag} {shlex.quote(str(item))}" for item in value or []]
    if isinstance(value, bool):
        return [option.flag if value else f"--no-{option.flag[2:]}"]
    # An empty value, against a default that is none, still has to be written to be said.
    return [f"{option.flag} {shlex.quote(str(value))}"]


def value_text(value: Any) -> str:
    """Return a value as YAML in one line, which `cnnlab.commands.options.pairs` reads back.

    >>> value_text([{"kind": "conv", "filters": 8}, "max_pool"])
    '[{kind: conv, filters: 8}, max_pool]'
    >>> value_text("no")
    "'no'"
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=math.inf)
    return text.removesuffix("\n").removesuffix("\n...")


def _brief(option: ConfigOption, config: RunConfig, changed: Mapping[str, Any]) -> dict[str, Any]:
    if option.path[0] != "architecture":
        return dict(changed)
    written = get_architecture(config.architecture.name).brief(config.architecture.parameters)
    return {name: written[name] for name in changed}


def _at(values: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    current: Any = values
    for key in path:
        current = current[key]
    return current


def _default_parameters(config: RunConfig, option: ConfigOption) -> dict[str, Any]:
    if option.path == ("architecture", "parameters"):
        return {spec.name: spec.default for spec in specs(get_architecture(config.architecture.name).parameters)}
    if option.path == ("data", "parameters"):
        entry = DATASETS.get(config.data.dataset)
        return entry.check({}).model_dump() if entry else {}
    return option.spec.default or {}
