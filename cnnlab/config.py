"""What a run is asked to do, checked once at the door.

A `RunConfig` that exists is valid. The form, the command line, the YAML, the help and
the config differences all come from the models here and from the catalogues.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Self

import yaml
from pydantic import Field, field_validator, model_validator

from cnnlab.architectures.catalogue import get_architecture
from cnnlab.augmentation.language import parse
from cnnlab.datasets.catalogue import DATASETS
from cnnlab.errors import ConfigError
from cnnlab.parameters import Parameters, check
from cnnlab.settings.compute import ComputeConfig
from cnnlab.settings.heads import HeadsConfig
from cnnlab.settings.training import TrainingConfig
from cnnlab.settings.transfer import TransferConfig
from cnnlab.settings.tricks import TricksConfig

# Two runs that differ only here ask for the same thing: they form a group.
NOT_IN_FINGERPRINT = ("name", "notes", "repeats")
TRAINING_NOT_IN_FINGERPRINT = ("seed", "checkpoint_every_s")


class DataConfig(Parameters):
    dataset: str = Field("digits", title="Data set", description="A name from 'python -m cnnlab datasets list'.")
    version: str | None = Field(
        None,
        title="Version",
        description="Of an imported set; the newest when left out. Every run records the real one.",
    )
    image_size: int | None = Field(
        None,
        ge=8,
        le=1024,
        title="Image size",
        description="Height and width the network sees; when left out, what the architecture proposes for the images.",
        json_schema_extra={"unit": "px"},
    )
    outputs: tuple[str, ...] | None = Field(
        None, title="Outputs", description="Which labels to learn, for sets with several; all when left out."
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, title="Parameters", description="Of a generated set, such as count and noise of 'shapes'."
    )

    @model_validator(mode="after")
    def _check_parameters(self) -> Self:
        # An imported set is known only to a store: whether it exists is asked at submission.
        if self.dataset in DATASETS:
            checked = DATASETS[self.dataset].check(self.parameters)
            object.__setattr__(self, "parameters", checked.model_dump())
        elif self.parameters:
            raise ConfigError(
                f"Data set {self.dataset!r} takes no parameters, got {', '.join(sorted(self.parameters))}. "
                "Leave 'parameters' out, or choose a generated set such as 'shapes'."
            )
        return self


class ArchitectureConfig(Parameters):
    name: str = Field("lenet5", title="Architecture", description="A name from the catalogue.")
    parameters: dict[str, Any] = Field(default_factory=dict, title="Parameters", description="Of the architecture.")

    @model_validator(mode="after")
    def _check_parameters(self) -> Self:
        checked = get_architecture(self.name).check(self.parameters)
        object.__setattr__(self, "parameters", checked.model_dump())
        return self


class RunConfig(Parameters):
    """One run: data, network, augmentation, training and where it computes."""

    name: str = Field("", max_length=80, title="Name", description="Shown in tables; made from the config when empty.")
    notes: str = Field("", max_length=4000, title="Notes", description="For yourself; changes nothing.")
    data: DataConfig = Field(default_factory=lambda: DataConfig(), title="Data")
    architecture: ArchitectureConfig = Field(default_factory=lambda: ArchitectureConfig(), title="Architecture")
    augmentation: str = Field(
        "", title="Augmentation", description="A line such as 'flip_lr|crop(pad=4)|cutout(8)'; empty for none."
    )
    training: TrainingConfig = Field(default_factory=lambda: TrainingConfig(), title="Training")
    tricks: TricksConfig = Field(default_factory=lambda: TricksConfig(), title="Tricks")
    transfer: TransferConfig = Field(default_factory=lambda: TransferConfig(), title="Transfer")
    heads: HeadsConfig = Field(default_factory=lambda: HeadsConfig(), title="Outputs")
    compute: ComputeConfig = Field(default_factory=lambda: ComputeConfig(), title="Compute")
    repeats: int = Field(
        1, ge=1, le=50, title="Repeats", description="Runs with the seeds seed, seed + 1, ...: they form a group."
    )

    @field_validator("augmentation")
    @classmethod
    def _check_augmentation(cls, line: str) -> str:
        return parse(line).line()

    @model_validator(mode="after")
    def _check_continued_once(self) -> Self:
        if self.training.continue_from is not None and self.repeats > 1:
            raise ConfigError(
                f"repeats={self.repeats} does not fit continue_from: one run is continued, with its own seed. "
                "Expected 1. Continue the runs of a group one by one."
            )
        return self

    @model_validator(mode="after")
    def _check_image_size(self) -> Self:
        entry = get_architecture(self.architecture.name)
        size = self.data.image_size
        if size is not None and size < entry.smallest_px:
            raise ConfigError(
                f"image_size={size} is too small for {entry.title}. Expected at least {entry.smallest_px} px. "
                f"Its natural size is {entry.natural_px} px."
            )
        if entry.check_size:
            entry.check_size(self.architecture.parameters, self.image_size)
        parse(self.augmentation).check_image_size(self.image_size)
        return self

    @model_validator(mode="after")
    def _check_transfer(self) -> Self:
        self.transfer.check_epochs(self.training.epochs)
        self.transfer.check_architecture(self.architecture.name, self.architecture.parameters)
        if self.transfer.source and self.tricks.whiten_first_conv:
            raise ConfigError(
                f"whiten_first_conv is on, but the first weights come from {self.transfer.source!r}. Expected one of "
                "the two. Leave whiten_first_conv out, or train from scratch."
            )
        return self

    @model_validator(mode="after")
    def _check_growing(self) -> Self:
        share, entry = self.tricks.start_size_share, get_architecture(self.architecture.name)
        if share is None:
            return self
        if entry.has_one_size:
            raise ConfigError(one_size_only(entry.name, self.image_size))
        if round(share * self.image_size) < entry.smallest_px:
            raise ConfigError(
                f"start_size_share={share:g} begins with {round(share * self.image_size)} px, too small for "
                f"{entry.title}. Expected at least {entry.smallest_px} px. Raise start_size_share or image_size."
            )
        if min(round(self.tricks.growing_share * self.training.epochs), self.training.epochs - 1) < 1:
            raise ConfigError(
                f"start_size_share={share:g} has no epoch to grow in: growing_share={self.tricks.growing_share:g} of "
                f"epochs={self.training.epochs} is none. Expected one epoch of it at least, before the last. "
                "Train longer, raise growing_share, or leave start_size_share out."
            )
        return self

    @property
    def image_size(self) -> int:
        """Height and width that the network sees, in pixels."""
        return self.data.image_size or get_architecture(self.architecture.name).natural_px

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, mappings and scalars, in the order of the models."""
        return self.model_dump(mode="json")

    def to_yaml(self) -> str:
        """Return the whole config as YAML that `from_yaml` reads back."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True)

    def fingerprint(self) -> str:
        """Return 12 hexadecimal digits that runs of one group share: the seed is left out.

        What is as by default is left out too, so that a setting added later parts no group.
        """
        asked = self.model_dump(mode="json", exclude_defaults=True)
        entry = get_architecture(self.architecture.name)
        chosen = _changed(self.architecture.parameters, entry.parameters)
        asked = {**asked, "architecture": {"name": entry.name, "parameters": chosen}}
        values = {key: value for key, value in asked.items() if key not in NOT_IN_FINGERPRINT}
        values["training"] = {
            key: value for key, value in values.get("training", {}).items() if key not in TRAINING_NOT_IN_FINGERPRINT
        }
        text = json.dumps(values, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def expanded(self) -> list["RunConfig"]:
        """Return one config per repeat, each with its own seed and without repeats."""
        first = self.training.seed
        return [
            self.model_copy(update={"repeats": 1, "training": self.training.model_copy(update={"seed": first + index})})
            for index in range(self.repeats)
        ]


def one_size_only(network: str, size: int) -> str:
    """Return the sentence that refuses smaller images for a network whose weights are made for one size."""
    return (
        f"start_size_share is given, but {network!r} takes images of one size only, here {size} px: its weights are "
        "made for them. Expected a network that averages its last map, such as 'resnet'. Choose another architecture, "
        "or leave start_size_share out."
    )


def _changed(values: Mapping[str, Any], model: type[Parameters]) -> dict[str, Any]:
    # A parameter without a default, such as the path of an own file, is always a choice.
    needs_values = any(field.is_required() for field in model.model_fields.values())
    defaults = (model.model_construct() if needs_values else model()).model_dump(mode="json", warnings=False)
    return {name: value for name, value in values.items() if name not in defaults or value != defaults[name]}


def config_from_dict(values: Mapping[str, Any] | Any) -> RunConfig:
    """Build a config from nested mappings; raises `ConfigError` naming the first fault."""
    return check(RunConfig, values, "a run")


def config_from_yaml(text: str) -> RunConfig:
    """Build a config from YAML text; raises `ConfigError` naming the first fault."""
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}" if mark else ""
        raise ConfigError(f"The YAML cannot be read{place}. Check its indentation and quotes.") from None
    return config_from_dict(values or {})


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return `{"training.epochs": 20, ...}` from nested mappings."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{name}."))
        else:
            flat[name] = value
    return flat
