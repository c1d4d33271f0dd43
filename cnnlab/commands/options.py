"""The config as command-line options, made from its models: what the form asks, the command line asks.

One table says which option sets which place of the config; parsing (`with_config`) and
writing (`cnnlab.commands.text`) both read it.
"""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from cnnlab.config import (
    ArchitectureConfig,
    ComputeConfig,
    DataConfig,
    HeadsConfig,
    RunConfig,
    TrainingConfig,
    TransferConfig,
    TricksConfig,
    config_from_dict,
)
from cnnlab.errors import ConfigError
from cnnlab.parameters import Parameters, ParameterSpec, check, specs

FILE_OPTION = Annotated[
    Path | None, typer.Option("--config", "-c", help="A YAML file, as 'copy as YAML' gives it; options win over it.")
]
TYPES: dict[str, Any] = {"integer": int, "number": float, "boolean": bool}


@dataclass(frozen=True)
class ConfigOption:
    """One option: its flag, the place of the config that it sets, and what that place is."""

    flag: str
    path: tuple[str, ...]
    spec: ParameterSpec
    short: str = ""

    @property
    def keyword(self) -> str:
        return self.flag.removeprefix("--").replace("-", "_")

    @property
    def is_mapping(self) -> bool:
        return self.spec.holds == "mapping"

    @property
    def is_list(self) -> bool:
        return self.spec.holds == "list"

    def declaration(self) -> Any:
        """Return the annotated type that typer reads; nothing given stays None."""
        flags = [f"{self.flag}/--no-{self.flag[2:]}" if self.spec.kind == "boolean" else self.flag]
        flags += [self.short] if self.short else []
        option = typer.Option(*flags, help=self._help(), show_default=False)
        kind = list[str] if self.is_mapping or self.is_list else TYPES.get(self.spec.kind, str)
        return Annotated[kind | None, option]

    def _help(self) -> str:
        parts = [self.spec.help]
        if self.is_mapping:
            parts.append("Given as name=value; may be repeated.")
        if self.is_list:
            parts.append("May be repeated.")
        if self.spec.choices:
            parts.append(f"One of {', '.join(map(str, self.spec.choices))}.")
        if self.spec.range_text():
            parts.append(f"In {self.spec.range_text()}{' ' + self.spec.unit if self.spec.unit else ''}.")
        if self.spec.default not in (None, "", {}):
            parts.append(f"Default: {self.spec.default}.")
        return " ".join(parts)


def _options(model: type[Parameters], prefix: tuple[str, ...], flags: Mapping[str, str]) -> list[ConfigOption]:
    found = {spec.name: spec for spec in specs(model)}
    chosen = flags or {name: f"--{name.replace('_', '-')}" for name in found}
    return [ConfigOption(flag, (*prefix, name), found[name]) for name, flag in chosen.items()]


OPTIONS: tuple[ConfigOption, ...] = (
    *_options(
        DataConfig,
        ("data",),
        {
            "dataset": "--dataset",
            "version": "--data-version",
            "image_size": "--image-size",
            "outputs": "--output",
            "parameters": "--data-param",
        },
    ),
    *_options(ArchitectureConfig, ("architecture",), {"name": "--architecture"}),
    ConfigOption("--param", ("architecture", "parameters"), specs(ArchitectureConfig)[1], short="-p"),
    *_options(RunConfig, (), {"augmentation": "--augmentation"}),
    *_options(TrainingConfig, ("training",), {}),
    *_options(TricksConfig, ("tricks",), {}),
    *_options(
        TransferConfig,
        ("transfer",),
        {name: f"--transfer-{name.replace('_', '-')}" for name in TransferConfig.model_fields},
    ),
    *_options(
        HeadsConfig, ("heads",), {name: f"--heads-{name.replace('_', '-')}" for name in HeadsConfig.model_fields}
    ),
    *_options(ComputeConfig, ("compute",), {}),
    *_options(RunConfig, (), {"repeats": "--repeats", "name": "--name", "notes": "--notes"}),
)


def with_config(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give `command(config, ...)` every option of a config, and `--config FILE` beneath them."""
    return _with_options(command, OPTIONS, config_of)


def with_study(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give `command(values, ...)` every option of a config, and `--config FILE` of a study or of a run beneath them.

    `values` are nested mappings of a study, not checked yet.
    """

    def build(file: Path | None, given: Mapping[str, Any]) -> dict[str, Any]:
        values = _read(file) if file else {}
        study = values if "space" in values else {"run": values}
        study["run"] = study.get("run") or {}
        for option in OPTIONS:
            value = given.get(option.keyword)
            if value is not None and value != []:
                _set(study["run"], option, value)
        return study

    return _with_options(command, OPTIONS, build)


def with_model(model: type[Parameters], where: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give `command(parameters, ...)` one option per field of a parameter model, and `--config FILE` beneath them."""
    options = _options(model, (), {})

    def build(file: Path | None, given: Mapping[str, Any]) -> Parameters:
        chosen = {name: value for name, value in given.items() if value is not None}
        return check(model, {**(_read(file) if file else {}), **chosen}, where)

    return lambda command: _with_options(command, options, build)


def _with_options(
    command: Callable[..., Any],
    options: Sequence[ConfigOption],
    build: Callable[[Path | None, Mapping[str, Any]], Any],
) -> Callable[..., Any]:
    own = list(inspect.signature(command).parameters.values())[1:]
    added = [inspect.Parameter("config_file", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=FILE_OPTION)]
    added += [
        inspect.Parameter(option.keyword, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=option.declaration())
        for option in options
    ]

    @functools.wraps(command)
    def wrapper(**given: Any) -> Any:
        file = given.pop("config_file")
        return command(build(file, {option.keyword: given.pop(option.keyword) for option in options}), **given)

    signature = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in [*own, *added]]
    wrapper.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in signature}
    return wrapper


def config_of(config_file: Path | None, given: Mapping[str, Any]) -> RunConfig:
    """Build the config of a YAML file and of options by keyword, None meaning 'not given'.

    Raises:
        ConfigError: the file cannot be read, or a value is wrong.
    """
    values = _read(config_file) if config_file else {}
    for option in OPTIONS:
        value = given.get(option.keyword)
        if value is not None and value != []:
            _set(values, option, value)
    return config_from_dict(values)


def read_config(path: Path) -> RunConfig:
    """Return the config of a YAML file.

    Raises:
        ConfigError: it cannot be read, or a value is wrong.
    """
    return config_from_dict(_read(path))


def pairs(items: list[str], flag: str) -> dict[str, Any]:
    """Return `{"width": 16}` from `["width=16"]`; values are read as YAML."""
    found: dict[str, Any] = {}
    for item in items:
        name, equals, text = item.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"{flag} {item!r} cannot be read. Expected name=value, such as {flag} width=16.")
        try:
            found[name.strip()] = yaml.safe_load(text)
        except yaml.YAMLError:
            raise ConfigError(
                f"{flag} {item!r} cannot be read: its value is no YAML. Check its brackets, colons and quotes."
            ) from None
    return found


def _set(values: dict[str, Any], option: ConfigOption, value: Any) -> None:
    place = values
    for key in option.path[:-1]:
        place = place.setdefault(key, {})
        if not isinstance(place, dict):
            raise ConfigError(f"{key!r} of the YAML is not a mapping. Expected 'name: value' pairs beneath it.")
    if option.is_mapping:
        # Another architecture or data set has other parameters: those of the file still apply where given.
        place[option.path[-1]] = {**(place.get(option.path[-1]) or {}), **pairs(value, option.flag)}
    else:
        place[option.path[-1]] = value


def _read(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"No file {str(path)!r}. Give the path of a YAML file to --config.") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"{str(path)!r} cannot be read as YAML: {reason}. Check its indentation.") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{str(path)!r} holds no config. Expected 'name: value' pairs, as 'copy as YAML' gives.")
    return values
