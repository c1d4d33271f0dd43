"""The search space of a study: how large it is, values drawn from it, and the run that values ask for.

Values are `{dotted setting: value}` and hold only what is searched beside the others: no momentum for Adam.
Needs no keras and no keras-tuner.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from cnnlab.config import RunConfig, config_from_dict
from cnnlab.errors import ConfigError
from cnnlab.settings import counting
from cnnlab.settings.layer_places import place_of, with_chosen
from cnnlab.settings.objectives import LATENCY
from cnnlab.settings.ranges import AnyRange, ChoiceRange, nearest, tidy, value_key
from cnnlab.settings.searched import ARCHITECTURE, base_value, layers_of
from cnnlab.settings.study import StudyConfig

Values = dict[str, Any]
# Behind these names Hyperband says which rung a trial is on; they are no settings of a run.
TUNER = "tuner/"


def active(study: StudyConfig, values: Mapping[str, Any]) -> Values:
    """Return those of `values` that are searched beside the others, in the order of the space."""
    kept: Values = {}
    for path in study.space:
        if path in values and is_active(study, path, kept):
            kept[path] = values[path]
    return kept


def is_active(study: StudyConfig, path: str, values: Mapping[str, Any]) -> bool:
    """Return whether a setting is searched beside the `values` of those before it."""
    return counting.is_active(study.conditions, path, values)


def size(study: StudyConfig) -> int | None:
    """Return how many different trials there can be; None where a range is continuous."""
    return counting.count(study.space, study.conditions)


def grid_size(study: StudyConfig) -> int:
    """Return how many trials a grid over the space has, of continuous ranges as many points as it is told."""
    return counting.count_grid(study.space, study.conditions, study.algorithm.grid_points)


def sample(study: StudyConfig, rng: np.random.Generator) -> Values:
    """Return values drawn at random, each range evenly (or evenly on a logarithmic scale)."""
    values: Values = {}
    for path, searched in study.space.items():
        if is_active(study, path, values):
            values[path] = _draw(searched, rng)
    return values


def own(study: StudyConfig) -> Values:
    """Return the values that the run has itself; of one outside its range the nearest in it."""
    values: Values = {}
    for path, searched in study.space.items():
        if is_active(study, path, values):
            values[path] = nearest(searched, base_value(study.run, path))
    return values


def apply(study: StudyConfig, values: Mapping[str, Any], *, epochs: int | None = None) -> RunConfig:
    """Return the run of a trial: the study's run with `values`, its budget, and nothing of earlier runs.

    Args:
        epochs: Of a trial on a lower rung of Hyperband, whose whole schedule, warm-up included, is that short.

    Raises:
        ConfigError: the values do not go together, such as an image size that a network does not take.
    """
    nested = study.run.to_dict()
    nested["repeats"] = 1
    training = nested["training"]
    training["continue_from"] = None
    if study.budget.epochs is not None:
        training["epochs"] = study.budget.epochs
    if study.budget.early_stopping_patience is not None:
        training["early_stopping_epochs"] = study.budget.early_stopping_patience
    if any(one.metric == LATENCY for one in study.objectives):
        nested["compute"]["measure_latency"] = True
    chosen = active(study, values)
    name = chosen.pop(ARCHITECTURE, study.run.architecture.name)
    if name != study.run.architecture.name:  # another network has other parameters
        nested["architecture"] = {"name": name, "parameters": {}}
    for path, value in chosen.items():
        if place_of(path) is None:
            _put(nested, path, value)
    if name == study.run.architecture.name and any(map(place_of, study.space)):
        nested["architecture"]["parameters"]["layers"] = with_chosen(layers_of(study.run), study.space, chosen)
    if epochs is not None and epochs < training["epochs"]:
        training["warmup_epochs"] *= epochs / training["epochs"]
        training["epochs"] = epochs
    return config_from_dict(nested)


def encode(searched: AnyRange, value: Any, *, as_text: bool = False) -> Any:
    """Return a value as keras-tuner and Optuna take it: other than choices of texts, choices become JSON texts.

    They know neither null nor lists, and turn true and false into 1 and 0.

    Args:
        as_text: Of any range, as for a grid, which takes all ranges for choices.
    """
    if _is_of_texts(searched):
        return value
    return value_key(value) if as_text or isinstance(searched, ChoiceRange) else value


def decode(study: StudyConfig, encoded: Mapping[str, Any]) -> Values:
    """Return the values behind those of a keras-tuner trial; what is not searched beside the others is left out."""
    values: Values = {}
    for path, searched in study.space.items():
        if path in encoded:
            value = encoded[path]
            is_json = isinstance(value, str) and not _is_of_texts(searched)
            values[path] = tidy(searched, json.loads(value) if is_json else value)
    return active(study, values)


def rung_epochs(encoded: Mapping[str, Any]) -> int | None:
    """Return to how many epochs in all a trial of Hyperband trains; None for the other algorithms."""
    found = encoded.get(f"{TUNER}epochs")
    return None if found is None else int(found)


def seen_share(study: StudyConfig, tried: Iterable[Mapping[str, Any]]) -> float | None:
    """Return which share of all possible trials was tried, in [0, 1]; None where there are infinitely many."""
    whole = size(study)
    if whole is None:
        return None
    return len({value_key(active(study, values)) for values in tried}) / whole


def coverage(study: StudyConfig, tried: Sequence[Mapping[str, Any]], bins: int = 10) -> dict[str, float]:
    """Return of each range which share was tried, in [0, 1]: of its values, or of so many even parts of it."""
    shares: dict[str, float] = {}
    for path, searched in study.space.items():
        values = [found[path] for found in (active(study, one) for one in tried) if path in found]
        if searched.count is not None and (isinstance(searched, ChoiceRange) or searched.count <= bins):
            shares[path] = len({value_key(value) for value in values}) / searched.count
        elif not isinstance(searched, ChoiceRange):
            places = [_place(searched.low, searched.high, searched.log, float(value)) for value in values]
            shares[path] = len({min(int(place * bins), bins - 1) for place in places}) / bins
    return shares


def refused_share(study: StudyConfig, rng: np.random.Generator, draws: int = 50) -> tuple[float, str]:
    """Return which share of random trials no run can be made of, in [0, 1], and the first reason."""
    refused, reason = 0, ""
    for _ in range(draws):
        try:
            apply(study, sample(study, rng))
        except ConfigError as error:
            refused, reason = refused + 1, reason or str(error)
    return refused / draws, reason


def _is_of_texts(searched: AnyRange) -> bool:
    return isinstance(searched, ChoiceRange) and all(isinstance(one, str) for one in searched.values)


def _put(nested: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    place = nested
    for parent in parents:
        place = place[parent]
    place[last] = value


def _draw(searched: AnyRange, rng: np.random.Generator) -> Any:
    if isinstance(searched, ChoiceRange):
        return searched.values[int(rng.integers(len(searched.values)))]
    if searched.count is not None and not searched.log:
        return tidy(searched, searched.low + int(rng.integers(searched.count)) * (searched.step or 1))
    # Each integer gets the numbers that round to it, the two ends as wide a share as the others.
    margin = 0.5 if searched.count is not None else 0.0
    low, high = searched.low - margin, searched.high + margin
    if not searched.log:
        return tidy(searched, rng.uniform(low, high))
    return tidy(searched, math.exp(rng.uniform(math.log(low), math.log(high))))


def _place(low: float, high: float, is_log: bool, value: float) -> float:
    if is_log:
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)
