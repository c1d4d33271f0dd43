"""What is added to plain training, each off by default."""

from typing import Literal

from pydantic import Field

from cnnlab.parameters import Parameters
from cnnlab.settings.trick_notes import OF_TRICKS as NOTES


class TricksConfig(Parameters):
    """What is added to plain training, each off by default and free to be combined."""

    scale_rate_from_batch: int | None = Field(
        None,
        ge=1,
        le=65_536,
        title=NOTES["scale_rate_from_batch"].title,
        description=NOTES["scale_rate_from_batch"].description,
        json_schema_extra={"unit": "images", "group": "Optimizer"},
    )
    clip_norm: float | None = Field(
        None,
        gt=0,
        le=10_000,
        title=NOTES["clip_norm"].title,
        description=NOTES["clip_norm"].description,
        json_schema_extra={"group": "Optimizer"},
    )
    ema_decay: float | None = Field(
        None,
        gt=0,
        lt=1,
        title=f"{NOTES['ema_decay'].title}: decay",
        description=NOTES["ema_decay"].description,
        json_schema_extra={"step": 0.001, "group": "Optimizer"},
    )
    sam_rho: float | None = Field(
        None,
        gt=0,
        le=10,
        title=f"{NOTES['sam_rho'].title}: rho",
        description=NOTES["sam_rho"].description,
        json_schema_extra={"step": 0.01, "group": "Optimizer"},
    )
    decay_all: bool = Field(
        False,
        title=NOTES["decay_all"].title,
        description=NOTES["decay_all"].description,
        json_schema_extra={"group": "Optimizer"},
    )
    offset_rate: float = Field(
        1.0,
        gt=0,
        le=1000,
        title=NOTES["offset_rate"].title,
        description=NOTES["offset_rate"].description,
        json_schema_extra={"log": True, "group": "Optimizer"},
    )
    whiten_first_conv: bool = Field(
        False,
        title=NOTES["whiten_first_conv"].title,
        description=NOTES["whiten_first_conv"].description,
        json_schema_extra={"group": "First weights"},
    )
    focal_gamma: float = Field(
        0.0,
        ge=0,
        le=10,
        title=f"{NOTES['focal_gamma'].title}: gamma",
        description=NOTES["focal_gamma"].description,
        json_schema_extra={"step": 0.5, "group": "Loss"},
    )
    class_weights: Literal["none", "balanced", "effective_number"] = Field(
        "none",
        title=NOTES["class_weights"].title,
        description=NOTES["class_weights"].description,
        json_schema_extra={"group": "Loss"},
    )
    effective_number_beta: float = Field(
        0.999,
        ge=0,
        lt=1,
        title="Effective number: beta",
        description="How fast further images of a class stop counting: n of them count as "
        "(1 - beta^n) / (1 - beta). 0 weighs all classes alike, near 1 is nearly balanced.",
        json_schema_extra={
            "step": 0.001,
            "group": "Loss",
            "only_if": {"class_weights": ["effective_number"]},
        },
    )
    distill_from: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        title=NOTES["distill_from"].title,
        description=NOTES["distill_from"].description,
        json_schema_extra={"refers_to": "run", "group": "Distillation"},
    )
    distill_temperature: float = Field(
        4.0,
        ge=1,
        le=100,
        title="Temperature",
        description="Both networks' logits are divided by it: the higher, the more the teacher's small "
        "probabilities count.",
        json_schema_extra={"step": 0.5, "group": "Distillation", "only_if_set": "distill_from"},
    )
    distill_weight: float = Field(
        0.5,
        gt=0,
        le=1,
        title="Teacher's share",
        description="Of the loss, against the labels' share; 1 learns from the teacher alone.",
        json_schema_extra={"group": "Distillation", "only_if_set": "distill_from"},
    )
    start_size_share: float | None = Field(
        None,
        ge=0.25,
        lt=1,
        title=NOTES["start_size_share"].title,
        description=NOTES["start_size_share"].description,
        json_schema_extra={"step": 0.05, "group": "Image size"},
    )
    growing_share: float = Field(
        0.75,
        gt=0,
        lt=1,
        title="Growing",
        description="Share of the epochs over which the images grow, where they begin smaller.",
        json_schema_extra={"step": 0.05, "group": "Image size", "only_if_set": "start_size_share"},
    )
    test_time: Literal["none", "flip", "shifts", "flip_and_shifts"] = Field(
        "none",
        title=NOTES["test_time"].title,
        description=NOTES["test_time"].description,
        json_schema_extra={"group": "Evaluation"},
    )
    test_time_shift_px: int = Field(
        1,
        ge=1,
        le=16,
        title="Shift",
        description="How far the shifted views are moved: up, down, left and right.",
        json_schema_extra={
            "unit": "px",
            "group": "Evaluation",
            "only_if": {"test_time": ["shifts", "flip_and_shifts"]},
        },
    )
