"""A plan of an ablation: a baseline, changes to it, and how many seeds each is trained with.

A change is a name and settings by dotted key: `{"training.label_smoothing": 0.1}`. Steps of the
augmentation are added and taken away by `augmentation+` and `augmentation-`, so that such changes add up.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import yaml
from pydantic import Field, model_validator

from cnnlab.augmentation.language import Pipe, parse
from cnnlab.config import RunConfig, config_from_dict
from cnnlab.errors import ConfigError
from cnnlab.parameters import Parameters, check

BASELINE = "baseline"
# An ablation decides over these itself, or they would change what is tested on.
KEPT = ("name", "notes", "repeats", "training.seed", "data.dataset", "data.version", "data.parameters")
_NEXT_SETTING = re.compile(r";(?=\s*[a-z_][a-z0-9_.]*[+-]?\s*=)")
_SETTING = re.compile(r"\s*[a-z_]+(\.[A-Za-z0-9_]+)*[+-]?\s*=")


class Change(Parameters):
    """Something that is done differently."""

    name: str = Field(min_length=1, max_length=60, title="Name")
    settings: dict[str, Any] = Field(min_length=1, title="Settings", description="New values by dotted key.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if "=" in self.name or self.name.strip().casefold() == BASELINE or self.name != self.name.strip():
            raise ConfigError(
                f"{self.name!r} cannot name a change. Expected a text without '=', and not '{BASELINE}'. "
                "Choose another name, such as 'smooth labels'."
            )
        for key in self.settings:
            if key in KEPT or key.startswith("data.parameters."):
                raise ConfigError(
                    f"Change {self.name!r} sets {key}, which an ablation keeps as it is: all its runs are tested on "
                    "the same images, with seeds of the plan. Expected another setting. Leave it out."
                )
        return self


@dataclass(frozen=True)
class Variant:
    """One config of an ablation.

    Attributes:
        change: What was changed last; None for the baseline.
        against: Place of the variant that this one is compared with.
    """

    name: str
    config: RunConfig
    change: Change | None = None
    against: int = 0


class AblationPlan(Parameters):
    """What an ablation trains."""

    name: str = Field("", max_length=60, title="Name")
    seeds: int = Field(
        3, ge=1, le=50, title="Seeds", description="Runs of each variant, with the baseline's seed, seed + 1, ..."
    )
    is_cumulative: bool = Field(
        False,
        title="One after another",
        description="Each change comes on top of those before it, and is compared with the step before.",
    )
    changes: tuple[Change, ...] = Field(min_length=1, title="Changes")
    baseline: RunConfig = Field(title="Baseline")

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [change.name.casefold() for change in self.changes]
        double = next((change.name for change in self.changes if names.count(change.name.casefold()) > 1), None)
        if double:
            raise ConfigError(f"Two changes are called {double!r}. Expected different names. Rename one of them.")
        self.variants()
        return self

    def variants(self) -> list[Variant]:
        """Return the baseline and one variant per change, in their order.

        Raises:
            ConfigError: a change is not valid for the baseline, or changes nothing.
        """
        # All begin alike: none goes on from where another run stood.
        training = self.baseline.training.model_copy(update={"continue_from": None})
        first = self.baseline.model_copy(update={"repeats": 1, "training": training})
        found = [Variant(BASELINE, first)]
        for place, change in enumerate(self.changes):
            against = place if self.is_cumulative else 0
            config = changed(found[against].config, change)
            if config.fingerprint() == found[against].config.fingerprint():
                raise ConfigError(
                    f"Change {change.name!r} changes nothing: {found[against].name} has "
                    f"{settings_text(change.settings)} already. Leave it out, or give another value."
                )
            found.append(Variant(f"+ {change.name}" if self.is_cumulative else change.name, config, change, against))
        return found

    def runs(self) -> list[tuple[Variant, RunConfig]]:
        """Return each variant with the config to submit: named, with the seeds of the plan as repeats."""
        title = self.name or f"{self.baseline.architecture.name} on {self.baseline.data.dataset}"
        return [
            (one, one.config.model_copy(update={"name": f"{title}: {one.name}"[:80], "repeats": self.seeds}))
            for one in self.variants()
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, mappings and scalars."""
        return self.model_dump(mode="json")

    def to_yaml(self) -> str:
        """Return the plan as YAML that `plan_from_yaml` reads back."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True)


def plan_from_dict(values: Mapping[str, Any] | Any) -> AblationPlan:
    """Build a plan from nested mappings; raises `ConfigError` naming the first fault."""
    return check(AblationPlan, values, "an ablation")


def plan_from_yaml(text: str) -> AblationPlan:
    """Build a plan from YAML; raises `ConfigError` naming the first fault."""
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError("The YAML of the plan cannot be read. Check its indentation and quotes.") from None
    return plan_from_dict(values)


def changed(config: RunConfig, change: Change) -> RunConfig:
    """Return `config` with the settings of a change.

    Raises:
        ConfigError: a setting is unknown or does not fit.
    """
    values = config.to_dict()
    settings = dict(change.settings)
    if "architecture.name" in settings:  # another network has other parameters
        values["architecture"] = {"name": settings.pop("architecture.name"), "parameters": {}}
    for key, value in settings.items():
        if key in ("augmentation+", "augmentation-"):
            values["augmentation"] = _augmentation(str(values["augmentation"]), key[-1], str(value))
        else:
            _set(values, key, value, change.name)
    try:
        return config_from_dict(values)
    except ConfigError as error:
        raise ConfigError(f"Change {change.name!r}: {error}") from None


def parse_change(text: str) -> Change:
    """Read 'name=key=value;key=value'; without a name it is called as its settings.

    >>> parse_change("smooth=training.label_smoothing=0.1").settings
    {'training.label_smoothing': 0.1}
    >>> parse_change("training.epochs=3").name
    'training.epochs 3'
    """
    head, equals, rest = text.partition("=")
    is_named = bool(_SETTING.match(rest))
    parts = _NEXT_SETTING.split(rest if is_named else text)
    settings: dict[str, Any] = {}
    for part in parts:
        key, sign, value = part.partition("=")
        if not equals or not sign or not key.strip():
            raise ConfigError(
                f"The change {text!r} cannot be read. Expected name=key=value, several settings parted by ';', such as "
                "'smooth labels=training.label_smoothing=0.1'."
            )
        try:
            settings[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ConfigError(
                f"The change {text!r} cannot be read: the value of {key.strip()} is no YAML. Check its brackets and "
                "quotes."
            ) from None
    name = head.strip() if is_named else settings_text(settings).replace("=", " ")[:60].strip()
    return check(Change, {"name": name, "settings": settings}, "a change")


def change_text(change: Change) -> str:
    """Return what `parse_change` reads back."""
    return f"{change.name}={settings_text(change.settings, ';')}"


def settings_text(settings: Mapping[str, Any], between: str = "; ") -> str:
    """Return `training.label_smoothing=0.1; ...`."""
    return between.join(f"{key}={_value_text(value)}" for key, value in settings.items())


def _value_text(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...")


def _augmentation(line: str, sign: str, step: str) -> str:
    steps = parse(line).steps
    if sign == "+":
        return Pipe((*steps, *parse(step).steps)).line()
    return Pipe(tuple(one for one in steps if one.op != step)).line()


def _set(values: dict[str, Any], key: str, value: Any, name: str) -> None:
    place: Any = values
    *path, last = key.split(".")
    for part in path:
        if isinstance(place, dict) and part not in place:
            place[part] = {}  # the check of the whole says what is unknown
        place = place[part] if isinstance(place, dict) else None
    if not isinstance(place, dict):
        raise ConfigError(
            f"Change {name!r}: {key} goes too deep. Expected the dotted key of a setting, such as "
            "training.label_smoothing. Look it up in the YAML of a run."
        )
    place[last] = value
