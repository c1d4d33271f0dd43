"""Where a run computes."""

from typing import Literal

from pydantic import Field

from cnnlab.parameters import Parameters


class ComputeConfig(Parameters):
    backend: Literal["tensorflow", "jax", "torch"] = Field(
        "tensorflow", title="Backend", description="Of Keras, in the run's own process; it must be installed."
    )
    slots: int = Field(
        1, ge=1, le=64, title="Slots", description="How many GPUs, or CPU slots where there is none, the run takes."
    )
    measure_latency: bool = Field(
        False,
        title="Measure latency",
        description="At the end, for a second: how long the trained network takes for one image, where it was trained.",
    )
