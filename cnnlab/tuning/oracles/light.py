"""keras-tuner without a framework for networks behind it: an oracle trains nothing.

What is used of keras_tuner comes from here. Where Keras is not imported yet it gets its NumPy backend, and
processes that are started later hear nothing of that. Measured: 1.5 s of processor time and 229 MB, with
TensorFlow 3.8 s and 793 MB.
"""

import importlib.abc
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from cnnlab.frameworks import import_keras

_BORROWED = "jax"


class _StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Modules that hold whatever is asked of them and compute nothing.

    Keras's NumPy backend borrows convolutions and more from JAX, which need not be installed.
    """

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        return ModuleSpec(fullname, self, is_package=True) if fullname.partition(".")[0] == _BORROWED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: there is no code."""


class _StandIn(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        # A class, so that it can be called, derived from, and put around functions as a decorator.
        return type(name, (), {"__init__": lambda *_, **__: None, "__call__": lambda _, *given, **__: given[0]})


def _import_light_keras() -> None:
    before = os.environ.get("KERAS_BACKEND")
    finder = None if _BORROWED in sys.modules else _StandIns()
    if finder:
        sys.meta_path.insert(0, finder)
    try:
        import_keras("numpy")
    finally:
        if finder:
            sys.meta_path.remove(finder)
            for name in [name for name in sys.modules if name.partition(".")[0] == _BORROWED]:
                del sys.modules[name]
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
