"""How a run trains: optimizer, schedule, length."""

from typing import Literal, Self

from pydantic import Field, model_validator

from cnnlab.errors import ConfigError
from cnnlab.parameters import Parameters


class TrainingConfig(Parameters):
    epochs: int = Field(20, ge=1, le=10_000, title="Epochs", description="Passes over the training images.")
    batch_size: int = Field(
        64, ge=1, le=8192, title="Batch size", description="Images per step.", json_schema_extra={"log": True}
    )
    optimizer: Literal["sgd", "rmsprop", "adam", "adamw", "adagrad"] = Field(
        "adam", title="Optimizer", description="How gradients become steps; 'sgd' has momentum."
    )
    learning_rate: float = Field(
        0.002,
        gt=0,
        le=10,
        title="Learning rate",
        description="The highest of the schedule.",
        json_schema_extra={"log": True},
    )
    momentum: float = Field(
        0.9,
        ge=0,
        lt=1,
        title="Momentum",
        description="Share of the last step that is kept.",
        json_schema_extra={"only_if": {"optimizer": ["sgd"]}},
    )
    nesterov: bool = Field(
        True,
        title="Nesterov momentum",
        description="Look ahead along the momentum before taking the gradient.",
        json_schema_extra={"only_if": {"optimizer": ["sgd"]}},
    )
    schedule: Literal["constant", "cosine", "step", "one_cycle"] = Field(
        "cosine", title="Schedule", description="How the learning rate moves over the epochs."
    )
    warmup_epochs: float = Field(
        0.0,
        ge=0,
        le=1000,
        title="Warm-up",
        description="Epochs over which the learning rate climbs from near zero.",
        json_schema_extra={"unit": "epochs"},
    )
    step_every_epochs: int = Field(
        10,
        ge=1,
        le=10_000,
        title="Step every",
        description="Epochs between two drops of the learning rate.",
        json_schema_extra={"unit": "epochs", "only_if": {"schedule": ["step"]}},
    )
    step_factor: float = Field(
        0.1,
        gt=0,
        lt=1,
        title="Step factor",
        description="What the learning rate is multiplied by at each drop.",
        json_schema_extra={"only_if": {"schedule": ["step"]}},
    )
    weight_decay: float = Field(
        0.0,
        ge=0,
        le=1,
        title="Weight decay",
        description="Share of each kernel taken off per step, times the learning rate (decoupled, as in AdamW).",
        json_schema_extra={"log": True},
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, title="Label smoothing", description="Share of each label spread over all classes."
    )
    early_stopping_epochs: int = Field(
        0,
        ge=0,
        le=10_000,
        title="Early stopping",
        description="Stop after that many epochs without a lower validation loss and keep the best; 0 never stops.",
        json_schema_extra={"unit": "epochs"},
    )
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32",
        title="Precision",
        description="Of the layers' arithmetic; weights stay in 32 bits. 'bfloat16' on newer CPUs and GPUs, "
        "'float16' on GPUs.",
    )
    time_budget_minutes: float | None = Field(
        None,
        gt=0,
        le=100_000,
        title="Time budget",
        description="Stop after this much training and keep the best weights; without limit when left out.",
        json_schema_extra={"unit": "minutes"},
    )
    checkpoint_every_s: float = Field(
        30.0,
        ge=0,
        le=86_400,
        title="Checkpoint every",
        description="Least time between two checkpoints: what a killed run loses at most. 0 writes one per epoch.",
        json_schema_extra={"unit": "s"},
    )
    continue_from: str | None = Field(
        None,
        title="Continue from",
        description="A completed run whose last state the training goes on from; 'epochs' count from its first one, "
        "and the learning rate follows the schedule over all of them.",
        json_schema_extra={"refers_to": "run"},
    )
    deterministic: bool = Field(
        False,
        title="Deterministic",
        description="Refuse operations whose sums depend on chance, on GPUs too; on a CPU runs repeat without it.",
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, title="Seed", description="Of weights, data order and augmentation.")

    @model_validator(mode="after")
    def _check_warmup(self) -> Self:
        if self.warmup_epochs >= self.epochs:
            raise ConfigError(
                f"warmup_epochs={self.warmup_epochs:g} leaves nothing of epochs={self.epochs}. "
                "Expected fewer warm-up epochs than epochs. Shorten the warm-up or train longer."
            )
        return self
