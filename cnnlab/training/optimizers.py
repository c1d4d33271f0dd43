"""The optimizers by name, from a checked config."""

from typing import Any

import keras

from cnnlab.config import TrainingConfig, TricksConfig
from cnnlab.training.output_weights import LOG_VARIANCES


def build_optimizer(
    training: TrainingConfig, learning_rate: Any, tricks: TricksConfig | None = None
) -> keras.optimizers.Optimizer:
    """Build the optimizer of `training` with a rate or schedule.

    Weight decay is decoupled for every optimizer (Loshchilov and Hutter 2017, arXiv:1711.05101)
    and spares biases and the scales and offsets of normalisation (He et al. 2018, arXiv:1812.01187,
    section 3.1) unless `tricks` decay all.
    """
    tricks = tricks or TricksConfig()
    common: dict[str, Any] = {
        "learning_rate": learning_rate,
        "weight_decay": training.weight_decay or None,
        "global_clipnorm": tricks.clip_norm,
    }
    optimizers = keras.optimizers
    optimizer: keras.optimizers.Optimizer
    match training.optimizer:
        case "sgd":
            optimizer = optimizers.SGD(momentum=training.momentum, nesterov=training.nesterov, **common)
        case "rmsprop":
            optimizer = optimizers.RMSprop(**common)
        case "adam":
            optimizer = optimizers.Adam(**common)
        case "adamw":
            optimizer = optimizers.AdamW(**common)
        case "adagrad":
            optimizer = optimizers.Adagrad(**common)
    if optimizer.weight_decay:
        spared = [] if tricks.decay_all else ["bias", "gamma", "beta"]
        optimizer.exclude_from_weight_decay(var_names=[*spared, LOG_VARIANCES])
    if training.precision == "float16":
        # Gradients below 6e-8 would be zero. Source: Micikevicius et al. 2017, arXiv:1710.03740.
        return optimizers.LossScaleOptimizer(optimizer)
    return optimizer
