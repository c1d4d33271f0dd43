"""What can be set in the convolution lab; the sliders of the page, the address and the checks come from here."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from cnnlab.parameters import Parameters, check, specs

Operation = Literal["standard", "depthwise", "separable", "transposed", "max_pooling", "average_pooling"]
Padding = Literal["valid", "same", "full"]

OPERATIONS: dict[str, str] = {
    "standard": "Convolution",
    "depthwise": "Depthwise convolution",
    "separable": "Separable convolution",
    "transposed": "Transposed convolution",
    "max_pooling": "Max pooling",
    "average_pooling": "Average pooling",
}
SUMMARIES: dict[str, str] = {
    "standard": "Every filter looks at all channels of its group and makes one feature map.",
    "depthwise": "Every channel has a filter of its own; channels are not mixed.",
    "separable": "First a depthwise convolution, then a 1×1 convolution (pointwise) that mixes the channels.",
    "transposed": "Every input cell stamps the kernel, times its value, into a larger output; stamps add up.",
    "max_pooling": "Every window gives its largest value. There is nothing to learn.",
    "average_pooling": "Every window gives its mean. There is nothing to learn.",
}
WITH_WEIGHTS: list[Any] = ["standard", "depthwise", "separable", "transposed"]
MAKE_MAPS: list[Any] = ["standard", "separable", "transposed"]
STANDARD: list[Any] = ["standard"]
POOLINGS = ("max_pooling", "average_pooling")
MOST_FILTERS = 8


class Settings(Parameters):
    """One layer of the lab, checked: what exists can be computed, apart from what the input decides."""

    operation: Operation = Field("standard", title="Operation")
    mode: Literal["correlation", "convolution"] = Field(
        "correlation",
        title="Kernel",
        description="Networks correlate: the kernel lies on the input as it is. A convolution turns it by 180° first.",
        json_schema_extra={"only_if": {"operation": WITH_WEIGHTS}},
    )
    size: int = Field(3, ge=1, le=11, title="Kernel size F", json_schema_extra={"unit": "cells"})
    stride: int = Field(
        1, ge=1, le=5, title="Stride S", description="How many cells the window moves from one output cell to the next."
    )
    padding: Padding = Field(
        "valid",
        title="Padding P",
        description=(
            "valid: none. same: as many zeros as make the output ⌈input / stride⌉ wide. "
            "full: so many that the window touches every cell with every cell of the kernel."
        ),
    )
    dilation: int = Field(
        1,
        ge=1,
        le=5,
        title="Dilation D",
        description="The kernel's cells lie D apart: a wider view with as many weights.",
        json_schema_extra={"only_if": {"operation": WITH_WEIGHTS}},
    )
    filters: int = Field(
        1,
        ge=1,
        le=MOST_FILTERS,
        title="Filters K",
        description="Each makes one feature map.",
        json_schema_extra={"only_if": {"operation": MAKE_MAPS}},
    )
    groups: int = Field(
        1,
        ge=1,
        le=MOST_FILTERS,
        title="Groups G",
        description="Channels and filters are split into G groups that do not see each other.",
        json_schema_extra={"only_if": {"operation": STANDARD}},
    )

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.stride > 1 and self.dilation > 1:
            raise ValueError(
                f"stride={self.stride} and dilation={self.dilation} do not go together: Keras has no such layer. "
                "Expected one of them to be 1. Set the stride or the dilation to 1."
            )
        if self.padding == "full" and self.operation not in ("standard", "depthwise", "separable"):
            raise ValueError(
                f"Padding 'full' does not exist for {OPERATIONS[self.operation].lower()}. "
                "Expected 'valid' or 'same'. Choose one of them."
            )
        if self.filters % self.groups:
            raise ValueError(
                f"filters={self.filters} cannot be split into groups={self.groups}. Expected a multiple of "
                f"{self.groups}. Set the filters to {-(-self.filters // self.groups) * self.groups} or the groups to 1."
            )
        return self

    @property
    def is_pooling(self) -> bool:
        return self.operation in POOLINGS

    @property
    def reach(self) -> int:
        """Side of the window on the input: `D(F - 1) + 1`."""
        return self.dilation * (self.size - 1) + 1


def check_settings(values: Mapping[str, Any]) -> Settings:
    """Build settings from `values`; what means nothing for the operation is left at its default.

    Raises:
        ConfigError: names the first wrong value, what is expected and the way out.
    """
    operation = {"operation": values.get("operation", "standard")}
    means_nothing = {spec.name for spec in specs(Settings) if not spec.applies(operation)}
    return check(Settings, {name: value for name, value in values.items() if name not in means_nothing}, "the lab")
