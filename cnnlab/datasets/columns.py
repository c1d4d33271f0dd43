"""Several columns of labels from the names of class folders: 'red_shirt' is a colour and an article.

Imports NumPy alone.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cnnlab.errors import ConfigError, ImportRefusedError

# They name columns of samples.parquet and layers of networks.
_OUTPUT = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_TAKEN = frozenset(["sample_id", "split", "width", "height", "sha256", "source_name"])


@dataclass(frozen=True)
class Columns:
    """How classes become labels of one output or of several.

    Attributes:
        outputs: Class names by output, sorted.
        numbers: By output, the label of each class of the source, int32 `(num_classes,)`.
    """

    outputs: Mapping[str, tuple[str, ...]]
    numbers: Mapping[str, np.ndarray]


def output_names(text: str) -> tuple[str, ...]:
    """Return the names in 'colour, article'."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def check_split(separator: str, outputs: str) -> None:
    """Refuse a separator without names of outputs, the other way round, and names that cannot be.

    Raises:
        ConfigError: names the fault and the way out.
    """
    names = output_names(outputs)
    if not separator and not names:
        return
    if not separator:
        raise ConfigError(
            f"outputs={outputs!r} is given without split_names. Expected the text at which class names are split, "
            "such as '_'. Give both, or leave both out."
        )
    if len(names) < 2:
        raise ConfigError(
            f"outputs={outputs!r} names {len(names) or 'no'} output{'' if len(names) == 1 else 's'}. Expected one name "
            f"for each part between {separator!r}, two or more. Give them separated by commas, such as "
            "'colour,article'."
        )
    for name in names:
        if not _OUTPUT.fullmatch(name) or name in _TAKEN or names.count(name) > 1:
            raise ConfigError(
                f"{name!r} cannot name an output here. Expected different names of letters, digits and '_', beginning "
                f"with a letter, and none of {', '.join(sorted(_TAKEN))}. Choose another name."
            )


def split_columns(class_names: Sequence[str], separator: str, outputs: str) -> Columns:
    """Split each class name at `separator` into one class per output; without a separator there is one, 'label'.

    Raises:
        ImportRefusedError: a name has more or fewer parts than there are outputs, or an output has one class only.
    """
    if not separator:
        return Columns({"label": tuple(class_names)}, {"label": np.arange(len(class_names), dtype=np.int32)})
    names = output_names(outputs)
    parts = [tuple(part.strip() for part in class_name.split(separator)) for class_name in class_names]
    for class_name, found in zip(class_names, parts, strict=True):
        if len(found) != len(names) or not all(found):
            raise ImportRefusedError(
                f"Class {class_name!r} splits at {separator!r} into {_said(found)}, not into {len(names)} parts "
                f"({', '.join(names)}). Every class name needs one part per output. Rename the folder, or choose "
                "another separator or other outputs."
            )
    classes = {name: tuple(sorted({found[place] for found in parts})) for place, name in enumerate(names)}
    for name, known in classes.items():
        if len(known) == 1:
            raise ImportRefusedError(
                f"Output {name!r} has one class only, {known[0]!r}. Expected two or more. Leave that part out of the "
                "folders' names, or add a folder with another one."
            )
    numbers = {
        name: np.array([classes[name].index(found[place]) for found in parts], np.int32)
        for place, name in enumerate(names)
    }
    return Columns(classes, numbers)


def _said(parts: Sequence[str]) -> str:
    if len(parts) == 1:
        return "1 part"
    empty = "" if all(parts) else ", some of them empty"
    return f"{len(parts)} parts{empty}"
