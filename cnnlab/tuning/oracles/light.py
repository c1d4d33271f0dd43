"""keras-tuner without what it imports beside its search: an oracle trains nothing, and most need no scikit-learn.

What is used of keras_tuner comes from here. Keras is there for networks to tune, callbacks and saved models, and
scikit-learn, with pandas behind it, for the Gaussian process of one algorithm (`cnnlab.tuning.oracles.bayesian`).
Whoever imports Keras or scikit-learn afterwards gets them as ever. Measured (n = 3): a worker of a study has 97 MiB
and 0.4 s of processor time behind its imports; with scikit-learn 240 MiB and 1.6 s.
"""

import importlib
import sys
from types import SimpleNamespace
from typing import Any

from cnnlab.frameworks import without
from cnnlab.stand_ins import standing_in

# What keras-tuner 1.4.8 takes by `from keras import *`.
_TAKEN = (
    "applications", "applications.efficientnet", "callbacks", "config", "initializers", "layers", "losses", "metrics",
    "models", "optimizers", "random", "regularizers", "saving",
)  # fmt: skip


def _serialize(obj: Any) -> dict[str, Any]:
    return {"class_name": type(obj).__name__, "config": obj.get_config()}


def _deserialize(config: dict[str, Any], _custom: Any, module_objects: dict[str, Any]) -> Any:
    return module_objects[config["class_name"]].from_config(config["config"])


def _import_keras_tuner() -> None:
    is_there = "keras" in sys.modules
    with standing_in("keras"), without("scipy", "sklearn", "pandas"):
        if not is_there:
            keras: Any = importlib.import_module("keras")
            keras.version, keras.Model = lambda: "3.0", object
            for name in _TAKEN:
                importlib.import_module(f"keras.{name}")  # becomes an attribute of `keras`
            # Only what hyperparameters are written down by: keras-tuner asks what else it has.
            keras.utils = SimpleNamespace(serialize_keras_object=_serialize, deserialize_keras_object=_deserialize)
        importlib.import_module("keras_tuner")


_import_keras_tuner()

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
