"""keras-tuner without a framework for networks behind it: an oracle trains nothing.

What is used of keras_tuner comes from here. Where Keras is not imported yet it gets its NumPy backend, and
processes that are started later hear nothing of that. Measured: 1.5 s of processor time and 229 MB, with
TensorFlow 3.8 s and 793 MB.
"""

import os
import sys

from cnnlab.frameworks import import_keras


def _import_light_keras() -> None:
    before = os.environ.get("KERAS_BACKEND")
    try:
        import_keras("numpy")
    finally:
        os.environ.pop("KERAS_BACKEND", None)
        if before is not None:
            os.environ["KERAS_BACKEND"] = before


if "keras" not in sys.modules:
    _import_light_keras()

import keras_tuner  # noqa: E402
from keras_tuner.oracles import (  # noqa: E402
    BayesianOptimizationOracle,
    GridSearchOracle,
    HyperbandOracle,
    RandomSearchOracle,
)
from keras_tuner.src.engine import conditions  # noqa: E402
from keras_tuner.src.engine.conditions import Parent  # noqa: E402
from keras_tuner.src.engine.hyperparameters.hp_types import Choice, Float, Int  # noqa: E402
from keras_tuner.src.engine.metrics_tracking import MetricObservation  # noqa: E402
from keras_tuner.src.engine.trial import Trial, TrialStatus  # noqa: E402
from keras_tuner.src.tuners.gridsearch import LinkedList  # noqa: E402

# keras-tuner 1.4.8 prints the first value of every condition that it sends to a worker.
vars(conditions)["print"] = lambda *_: None

__all__ = [
    "BayesianOptimizationOracle",
    "Choice",
    "Float",
    "GridSearchOracle",
    "HyperbandOracle",
    "Int",
    "LinkedList",
    "MetricObservation",
    "Parent",
    "RandomSearchOracle",
    "Trial",
    "TrialStatus",
    "keras_tuner",
]
