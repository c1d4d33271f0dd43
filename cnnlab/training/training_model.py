"""The training model of a config: network, augmentation, losses and what tricks add to a step."""

from collections.abc import Mapping

import keras
import numpy as np
from numpy.typing import NDArray

from cnnlab.augmentation.language import Pipe
from cnnlab.augmentation.ops import build_augmenter
from cnnlab.config import RunConfig
from cnnlab.datasets.storage import DatasetInfo
from cnnlab.runs.store import Store
from cnnlab.training.averages import WeightAverages
from cnnlab.training.class_weights import weights_of_outputs
from cnnlab.training.distillation import load_teacher
from cnnlab.training.growing import build_growing
from cnnlab.training.losses import build_loss
from cnnlab.training.model import TrainingModel
from cnnlab.training.models import network_shape
from cnnlab.training.output_weights import build_output_weights


def build_training_model(
    config: RunConfig,
    info: DatasetInfo,
    networks: tuple[keras.Model, keras.Model | None],
    pipe: Pipe,
    labels: Mapping[str, NDArray[np.int32]],
    store: Store,
) -> TrainingModel:
    """Return what an engine runs in each step.

    Args:
        networks: As from `build_networks`.
        pipe: The augmentation that is left to the step.
        labels: Of the train split, by output.
        store: Where the run of a teacher is looked for.

    Raises:
        ConfigError: weights of outputs or the teacher do not fit.
    """
    shape, tricks = network_shape(config, info), config.tricks
    num_classes = {name: len(classes) for name, classes in shape.outputs.items()}
    class_weights = weights_of_outputs(tricks, labels, num_classes)
    return TrainingModel(
        networks[0],
        build_augmenter(pipe, shape.input_shape, seed=config.training.seed) if pipe.steps else None,
        num_classes,
        {
            name: build_loss(config.training.label_smoothing, tricks.focal_gamma, class_weights[name])
            for name in num_classes
        },
        networks[1],
        build_output_weights(config.heads, list(num_classes)),
        teacher=load_teacher(tricks, store, shape.outputs, shape.input_shape),
        averages=None if tricks.ema_decay is None else WeightAverages(networks[0], tricks.ema_decay),
        sam_rho=tricks.sam_rho,
        growing=build_growing(config, *networks),
    )
