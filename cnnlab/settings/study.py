"""What a study searches: a run, ranges for some of its settings, what is to become better, and what it may cost.

A `StudyConfig` that exists is valid, apart from combinations of values that a network refuses: such a trial
fails with its reason.
"""

import functools
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Self

import yaml
from pydantic import Field, field_validator, model_validator

from cnnlab.augmentation.language import parse
from cnnlab.config import RunConfig
from cnnlab.errors import ConfigError
from cnnlab.parameters import Parameters, check
from cnnlab.settings.counting import count_grid
from cnnlab.settings.layer_places import whole_layers
from cnnlab.settings.objectives import Objective
from cnnlab.settings.range_text import parse_range
from cnnlab.settings.ranges import Range
from cnnlab.settings.rungs import sweep_size
from cnnlab.settings.searched import Conditions, check_parent, check_range, conditions
from cnnlab.settings.searching import (
    BEGINS_ANYWHERE,
    MOST_TRIALS,
    PRUNED,
    SEVERAL_OBJECTIVES,
    TRIALS,
    AlgorithmConfig,
    BudgetConfig,
    PruningConfig,
)


class StudyConfig(Parameters):
    """A search over the settings of a run.

    `space` has one range per searched setting, by dotted place. A parameter that only some of the searched
    architectures have is searched only with these, and a setting that means something only beside others
    (momentum only with 'sgd') only there: that needs no `only_if`.
    """

    name: str = Field("", max_length=80, title="Name", description="Shown in tables; made from the run when empty.")
    notes: str = Field("", max_length=4000, title="Notes", description="For yourself; changes nothing.")
    run: RunConfig = Field(
        default_factory=lambda: RunConfig(), title="Run", description="What is not searched; its repeats do not count."
    )
    space: dict[str, Range] = Field(min_length=1, title="Search space", description="Ranges by dotted setting.")
    objectives: tuple[Objective, ...] = Field(
        default_factory=lambda: (Objective(),), min_length=1, max_length=5, title="Objectives"
    )
    algorithm: AlgorithmConfig = Field(default_factory=lambda: AlgorithmConfig(), title="Algorithm")
    budget: BudgetConfig = Field(default_factory=lambda: BudgetConfig(), title="Budget")
    pruning: PruningConfig = Field(default_factory=lambda: PruningConfig(), title="Pruning")
    workers: int = Field(1, ge=1, le=256, title="Workers", description="Trials at the same time.")
    engine: str = Field(
        "local", min_length=1, max_length=80, title="Engine",
        description="Who places the workers: 'local' is this machine; installed packages may bring clusters.",
    )  # fmt: skip
    keep_checkpoints: int = Field(
        3, ge=1, le=1000, title="Kept checkpoints", description="Trained networks of the best trials stay on disk."
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, title="Seed", description="Of the search; runs begin at the run's seed.")

    @field_validator("space", mode="before")
    @classmethod
    def _read_texts(cls, space: Any) -> Any:
        if not isinstance(space, Mapping):
            return space
        return {str(path): _as_range(searched) for path, searched in space.items()}

    @model_validator(mode="after")
    def _check_space(self) -> Self:
        space = whole_layers(self.space)
        checked = {path: check_range(self.run, space, path) for path in space}
        for line in getattr(checked.get("augmentation"), "values", ()):
            parse(line)
        for path, searched in checked.items():
            for parent in searched.only_if:
                check_parent(self.run, checked, path, parent)
        object.__setattr__(self, "space", _parents_first(self.run, checked))
        return self

    @functools.cached_property
    def conditions(self) -> dict[str, Conditions]:
        """Of each searched setting, on which values of other searched ones it depends (all must hold)."""
        return {path: conditions(self.run, self.space, path) for path in self.space}

    @model_validator(mode="after")
    def _check_epochs(self) -> Self:
        if "training.epochs" in self.space and (self.budget.epochs or self.algorithm.name in ("hyperband", "asha")):
            other = "budget.epochs" if self.budget.epochs else f"algorithm {self.algorithm.name!r}"
            raise ConfigError(
                f"space.training.epochs and {other} both decide how long a trial trains. Expected one of them. "
                "Leave training.epochs out of the space."
            )
        return self

    @model_validator(mode="after")
    def _check_objectives(self) -> Self:
        names = [objective.metric for objective in self.objectives]
        if len(set(names)) < len(names):
            raise ConfigError(
                f"Objectives {', '.join(names)} have one twice. Expected different metrics. Leave one out."
            )
        if len(names) > 1 and self.algorithm.name not in SEVERAL_OBJECTIVES:
            raise ConfigError(
                f"Algorithm {self.algorithm.name!r} takes one objective, got {', '.join(names)}. Expected one of the "
                f"algorithms {', '.join(SEVERAL_OBJECTIVES)} for several. Choose one of these, or keep one objective."
            )
        return self

    @model_validator(mode="after")
    def _check_beginning(self) -> Self:
        if self.algorithm.begin_with_run and self.algorithm.name not in BEGINS_ANYWHERE:
            raise ConfigError(
                f"algorithm.begin_with_run does not go with algorithm {self.algorithm.name!r}. Expected one of "
                f"{', '.join(BEGINS_ANYWHERE)}. Set it to false."
            )
        return self

    @model_validator(mode="after")
    def _check_stopping(self) -> Self:
        rule, name, first = self.pruning.rule, self.algorithm.name, self.objectives[0]
        if rule != "none" and (name not in PRUNED or len(self.objectives) > 1):
            what = f"algorithm {name!r}" if name not in PRUNED else "several objectives"
            raise ConfigError(
                f"pruning.rule={rule!r} does not go with {what}. Expected one objective and one of the algorithms "
                f"{', '.join(PRUNED)}. Set pruning.rule to 'none'."
            )
        if (rule != "none" or name in ("hyperband", "asha")) and not first.is_per_epoch:
            what = f"pruning.rule={rule!r}" if rule != "none" else f"Algorithm {name!r}"
            raise ConfigError(
                f"{what} stops trials early, but {first.metric!r} is known at their end only. Expected an objective of "
                "each epoch, such as 'val_accuracy'. Choose one, or let all trials train to their end."
            )
        return self

    @property
    def stops_early(self) -> bool:
        """Whether trials are stopped by what they measure after an epoch; Hyperband's all come to their end."""
        return self.pruning.rule != "none" or self.algorithm.name == "asha"

    @functools.cached_property
    def trials(self) -> int:
        """How many trials may begin: what the budget says, else all of a grid or of Hyperband's sweeps, else 20."""
        algorithm = self.algorithm
        if self.budget.trials is not None:
            return self.budget.trials
        if algorithm.name == "hyperband":
            return min(algorithm.iterations * sweep_size(self.epochs, algorithm.factor), MOST_TRIALS)
        if algorithm.name == "grid":
            return min(count_grid(self.space, self.conditions, algorithm.grid_points), MOST_TRIALS)
        return TRIALS

    @property
    def epochs(self) -> int:
        """The most epochs of one run of a trial, where `training.epochs` is not searched."""
        return self.budget.epochs or self.run.training.epochs

    @property
    def title(self) -> str:
        """The name, or one made from the run."""
        return self.name or f"{self.algorithm.name}: {self.run.architecture.name} on {self.run.data.dataset}"

    def space_hash(self) -> str:
        """Return 12 hexadecimal digits of what the trials of a study share: space, run and objectives.

        Trials of another one cannot be gone on with: their values or scores mean something else.
        """
        kept = self.run.model_dump(mode="json", exclude={"name", "notes", "repeats"})
        values = self.model_dump(mode="json", include={"space", "objectives"}) | {"run": kept}
        text = json.dumps(values, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, mappings and scalars, in the order of the models."""
        return self.model_dump(mode="json")

    def to_yaml(self) -> str:
        """Return the whole study as YAML that `study_from_yaml` reads back."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True)


def study_from_dict(values: Mapping[str, Any] | Any) -> StudyConfig:
    """Build a study from nested mappings; raises `ConfigError` naming the first fault."""
    return check(StudyConfig, values, "a study")


def study_from_yaml(text: str) -> StudyConfig:
    """Build a study from YAML text; raises `ConfigError` naming the first fault."""
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}" if mark else ""
        raise ConfigError(f"The YAML of the study cannot be read{place}. Check its indentation and quotes.") from None
    return study_from_dict(values or {})


def _as_range(searched: Any) -> Any:
    if isinstance(searched, str):
        return parse_range(searched)
    if isinstance(searched, (list, tuple)):
        return {"kind": "choice", "values": list(searched)}
    return searched


def _parents_first(run: RunConfig, space: dict[str, Any]) -> dict[str, Any]:
    # Kept in the given order as far as it goes: a parent must be drawn before what depends on it.
    parents = {path: set(conditions(run, space, path)) for path in space}
    ordered: dict[str, Any] = {}
    while len(ordered) < len(space):
        ready = next((path for path in space if path not in ordered and parents[path] <= ordered.keys()), None)
        if ready is None:
            left = ", ".join(path for path in space if path not in ordered)
            raise ConfigError(
                f"The conditions of {left} go round in a circle. Expected one of them without. Take an 'only_if' away."
            )
        ordered[ready] = space[ready]
    return ordered
