"""The search space as keras-tuner's hyperparameters, conditions included."""

from typing import Any

from cnnlab.settings.ranges import AnyRange, ChoiceRange, FloatRange
from cnnlab.settings.study import StudyConfig
from cnnlab.tuning.oracles.light import Choice, Float, Int, Parent, keras_tuner
from cnnlab.tuning.space import encode


def hyperparameters(study: StudyConfig, *, as_grid: bool = False) -> keras_tuner.HyperParameters:
    """Return one hyperparameter per searched setting, by its dotted place, parents first.

    Conditions are joined by AND. Choices hold values as `cnnlab.tuning.space.encode` writes them.

    Args:
        as_grid: All ranges become choices of the values that a grid tries.
    """
    found = keras_tuner.HyperParameters()
    for path, searched in study.space.items():
        conditions = [
            Parent(parent, [encode(study.space[parent], value, as_text=as_grid) for value in values])
            for parent, values in study.conditions[path].items()
        ]
        found.merge([_hyperparameter(study, path, searched, conditions, as_grid)])
    return found


def _hyperparameter(study: StudyConfig, path: str, searched: AnyRange, conditions: list[Parent], as_grid: bool) -> Any:
    if as_grid or isinstance(searched, ChoiceRange):
        values = searched.grid(study.algorithm.grid_points)
        texts = [encode(searched, value, as_text=as_grid) for value in values]
        return Choice(path, texts, conditions=conditions)
    kind = Float if isinstance(searched, FloatRange) else Int
    return kind(
        path,
        searched.low,
        searched.high,
        step=None if searched.log else searched.step,
        sampling="log" if searched.log else "linear",
        conditions=conditions,
    )
