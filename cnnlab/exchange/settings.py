"""A tool's parameters as a config: what has a place in ours goes there, the rest stays free under `parameters`."""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from cnnlab.exchange.found import Scalar

LONGEST_TEXT = 8000
MOST_PARAMETERS = 5000
_LARGEST = {"batch_size": 2**31 - 1, "epochs": 2**31 - 1, "seed": 2**63 - 1}

# By dotted place, what it holds and what tools call it.
PLACES: dict[str, tuple[type, tuple[str, ...]]] = {
    "data.dataset": (str, ("dataset", "data", "dataset_name", "data_name")),
    "architecture.name": (str, ("architecture", "model", "arch", "model_name", "backbone", "network")),
    "training.optimizer": (str, ("optimizer", "opt", "optim", "optimizer_name")),
    "training.learning_rate": (float, ("learning_rate", "lr", "base_lr", "initial_lr", "init_lr", "opt_learning_rate")),
    "training.batch_size": (int, ("batch_size", "bs", "batchsize", "train_batch_size")),
    "training.epochs": (int, ("epochs", "num_epochs", "n_epochs", "max_epochs", "nb_epochs")),
    "training.seed": (int, ("seed", "random_seed", "random_state", "manual_seed")),
    "training.weight_decay": (float, ("weight_decay", "wd")),
    "training.momentum": (float, ("momentum",)),
}
PLACE_OF = {name: place for place, (_, names) in PLACES.items() for name in (place, *names)}


def typed(text: Scalar) -> Scalar:
    """Return the number or truth that a text says; tools such as MLflow keep texts only.

    >>> typed("0.010"), typed("32"), typed("True"), typed("adam"), typed("None"), typed("1_000")
    (0.01, 32, True, 'adam', None, '1_000')
    """
    if not isinstance(text, str):
        return text
    word = text.strip()
    if word in ("True", "true", "False", "false"):
        return word in ("True", "true")
    if word in ("None", "null", ""):
        return None
    if "_" in word:  # Python reads it as a number, nobody else does
        return text
    for kind in (int, float):
        try:
            value = kind(word)
        except ValueError:
            continue
        return value if math.isfinite(value) else text
    return text


def as_config(parameters: Mapping[str, Scalar]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return nested values like those of a config, and the tool's name of each that has a place in ours."""
    config: dict[str, Any] = {}
    free: dict[str, Scalar] = {}
    renamed: dict[str, str] = {}
    for name, text in list(parameters.items())[:MOST_PARAMETERS]:
        place = PLACE_OF.get(name.lower().replace("-", "_"))
        value = typed(text)
        if place and place not in renamed and (fitting := _fitting(place, value)) is not None:
            section, key = place.split(".")
            config.setdefault(section, {})[key] = fitting
            renamed[place] = name
        else:
            free[name[:250]] = _storable(value)
    return {**config, **({"parameters": free} if free else {})}, renamed


def group_of(config: Mapping[str, Any], identity: str) -> str:
    """Return 12 hexadecimal digits that runs share whose parameters differ in the seed alone.

    Runs that keep no seed share them with none: nobody knows whether they differ in what was not written down.
    """
    training = dict(config.get("training", {}))
    seed = training.pop("seed", None)
    known = {**config, "training": training} if seed is not None else {"identity": identity}
    text = json.dumps(known, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _fitting(place: str, value: Scalar) -> Scalar:
    """Return the value with the type that its place has, None where it does not fit."""
    kind = PLACES[place][0]
    if kind is str:
        return value[:200] if isinstance(value, str) and value.strip() else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    if kind is int:
        limit = _LARGEST[place.rpartition(".")[2]]
        return int(value) if value == int(value) and 0 <= value <= limit else None
    return float(value)


def _storable(value: Scalar) -> Scalar:
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
