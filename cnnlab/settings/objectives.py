"""What a search makes better: names of what a run logs, and which way is better."""

from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from cnnlab.errors import ConfigError, suggestion
from cnnlab.parameters import Parameters

Direction = Literal["max", "min"]


@dataclass(frozen=True)
class Metric:
    """A number of a run that a search can aim at.

    Attributes:
        is_per_epoch: Known after each epoch, so that a trial can be stopped early by it; else known once.
        is_per_output: Also offered as `<name>/<output>`, of one output of several.
    """

    title: str
    direction: Direction
    unit: str = ""
    is_per_epoch: bool = False
    is_per_output: bool = False


# Measured at the end of a run, and only where it is asked for.
LATENCY = "latency_ms"
OBJECTIVES: dict[str, Metric] = {
    "val_accuracy": Metric("Validation accuracy", "max", is_per_epoch=True, is_per_output=True),
    "val_loss": Metric("Validation loss", "min", is_per_epoch=True, is_per_output=True),
    "train_accuracy": Metric("Training accuracy", "max", is_per_epoch=True, is_per_output=True),
    "train_loss": Metric("Training loss", "min", is_per_epoch=True, is_per_output=True),
    "num_params": Metric("Parameters", "min", "parameters"),
    "trainable_params": Metric("Trained parameters", "min", "parameters"),
    "macs": Metric("MACs of one image", "min", "multiply-accumulates"),
    LATENCY: Metric("Latency of one image", "min", "ms"),
    "train_s": Metric("Time spent training", "min", "s"),
    "images_per_s": Metric("Training speed", "max", "1/s"),
}


class Objective(Parameters):
    """One number to make better.

    Metrics of `OBJECTIVES` bring their direction; any other number that a run logs can be named with one.
    """

    metric: str = Field("val_accuracy", min_length=1, max_length=200, title="Metric")
    direction: Direction = Field("max", title="Direction", description="Whether more or less is better.")

    @model_validator(mode="before")
    @classmethod
    def _fill_direction(cls, values: Any) -> Any:
        if isinstance(values, str):
            values = parse_objective(values)
        if not isinstance(values, dict) or values.get("direction") is not None:
            return values
        name = str(values.get("metric", "val_accuracy"))
        known = metric(name)
        if known is None:
            raise ConfigError(
                f"Nothing says which way {name!r} is better. {suggestion(name, OBJECTIVES)} "
                f"For another logged number give its direction: '{name}:max' or '{name}:min'."
            )
        return {**values, "direction": known.direction}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.metric.startswith("test_"):
            raise ConfigError(
                f"Objective {self.metric!r} would choose by the test images, which are there to judge what was chosen. "
                f"Expected a metric of the validation images. Use 'val_{self.metric.removeprefix('test_')}'."
            )
        return self

    @property
    def is_per_epoch(self) -> bool:
        """Whether it is known after each epoch; assumed of a number that the table does not have."""
        known = metric(self.metric)
        return known is None or known.is_per_epoch

    @property
    def title(self) -> str:
        """Its name for people."""
        known = metric(self.metric)
        output = self.metric.partition("/")[2]
        return f"{known.title if known else self.metric}{f' of {output}' if known and output else ''}"

    def text(self) -> str:
        """Return what `parse_objective` reads back."""
        return f"{self.metric}:{self.direction}"


def metric(name: str) -> Metric | None:
    """Return what the table knows of a metric, also of one output's; None where it knows nothing."""
    whole, slash, output = name.partition("/")
    known = OBJECTIVES.get(whole)
    return known if known and (not slash or (output and known.is_per_output)) else None


def parse_objective(text: str) -> dict[str, Any]:
    """Return the values that 'val_accuracy:max' or 'macs' says, for `Objective`."""
    name, _, direction = text.strip().rpartition(":") if text.strip().endswith((":max", ":min")) else (text, "", "")
    return {"metric": name.strip()} | ({"direction": direction} if direction else {})
