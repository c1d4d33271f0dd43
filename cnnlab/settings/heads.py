"""How several outputs are weighed in one training."""

from collections.abc import Mapping, Sequence
from typing import Self

from pydantic import Field, model_validator

from cnnlab.errors import ConfigError, suggestion
from cnnlab.parameters import Parameters

HIGHEST_WEIGHT = 1000.0
HIGHEST_RATE = 100.0


class HeadsConfig(Parameters):
    """How several outputs are weighed in one training."""

    weights: dict[str, float] = Field(
        default_factory=dict,
        title="Weights",
        description="Of each output's loss in the sum, such as colour=0.5; 1 where left out.",
    )
    rates: dict[str, float] = Field(
        default_factory=dict,
        title="Learning-rate factors",
        description="What the learning rate of an output's head is multiplied by, such as colour=10; "
        "1 where left out, 0 leaves the head as it began.",
    )
    uncertainty_weighting: bool = Field(
        False,
        title="Learn the weights",
        description="Weighs the outputs by their uncertainty, which is learnt with the network "
        "(Kendall et al. 2018, arXiv:1705.07115).",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        for output, weight in self.weights.items():
            if not 0 < weight <= HIGHEST_WEIGHT:
                raise ConfigError(
                    f"heads.weights.{output}={weight:g} is out of range. Expected a number in (0, {HIGHEST_WEIGHT:g}]. "
                    "To leave an output out, name the others in data.outputs."
                )
        for output, rate in self.rates.items():
            if not 0 <= rate <= HIGHEST_RATE:
                raise ConfigError(
                    f"heads.rates.{output}={rate:g} is out of range. Expected a number in [0, {HIGHEST_RATE:g}]."
                )
        if self.uncertainty_weighting and self.weights:
            raise ConfigError(
                "heads.weights and heads.uncertainty_weighting are both given. Expected one of them: weights are "
                "either fixed or learnt. Leave the weights out, or switch uncertainty_weighting off."
            )
        return self

    def check_outputs(self, outputs: Sequence[str]) -> None:
        """Refuse what does not fit the outputs that a run learns.

        Raises:
            ConfigError: a weight or a rate is of no output of these, or there is one output only and its
                weight is to be learnt.
        """
        for place, given in (("weights", self.weights), ("rates", self.rates)):
            for name in given:
                if name not in outputs:
                    raise ConfigError(
                        f"heads.{place} names {name!r}, which is no output of this run. {suggestion(name, outputs)}"
                    )
        if self.uncertainty_weighting and len(outputs) < 2:
            raise ConfigError(
                f"uncertainty_weighting has nothing to weigh: the run learns {outputs[0]!r} only. Expected two outputs "
                "or more. Switch it off, or learn more outputs of the data set."
            )

    def all_weights(self, outputs: Sequence[str]) -> Mapping[str, float]:
        """Return the fixed weight of each output."""
        return {name: self.weights.get(name, 1.0) for name in outputs}
