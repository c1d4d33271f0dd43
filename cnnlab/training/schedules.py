"""Learning-rate schedules for Keras optimizers."""

from typing import Any

import keras
import numpy as np


class TableSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Look the learning rate up by step, so that training obeys exactly the curve that the form drew.

    Args:
        values: One learning rate per step; the last one holds beyond the end.
    """

    def __init__(self, values: Any):
        super().__init__()
        self.values = np.asarray(values, dtype="float32")

    def __call__(self, step: Any) -> Any:
        position = keras.ops.minimum(keras.ops.cast(step, "int32"), len(self.values) - 1)
        return keras.ops.take(keras.ops.convert_to_tensor(self.values), position)

    def get_config(self) -> dict[str, Any]:
        return {"values": self.values.tolist()}
