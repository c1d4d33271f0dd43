"""What a number is, by the name that a tool gave it: split, output and metric.

Names have no standard, so this knows the habits: `val_loss` (Keras), `train/loss` (PyTorch Lightning and others),
`Loss/train` (PyTorch's tutorials), `epoch_loss` in a folder `validation` (Keras for TensorBoard). What is not
recognised keeps its own name and counts to `train`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cnnlab.errors import ConfigError

SPLITS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val", "eval": "val", "evaluation": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
METRICS = {
    "loss": "loss",
    "accuracy": "accuracy", "acc": "accuracy", "acc1": "accuracy", "acc@1": "accuracy", "top1": "accuracy",
    "top-1": "accuracy", "top_1": "accuracy", "categorical_accuracy": "accuracy",
    "sparse_categorical_accuracy": "accuracy",
    "learning_rate": "learning_rate", "lr": "learning_rate",
}  # fmt: skip
# Which epoch a step is of: no number of its own.
EPOCH = "epoch"
# Keras writes each validation a second time, counted in batches.
_REPEATED = re.compile(r"(?:.*/)?evaluation_.+_vs_iterations")


@dataclass(frozen=True)
class Target:
    """What a name becomes.

    Attributes:
        is_percent: The numbers are percent and become shares; None: accuracies above 1 are, other numbers are not.
    """

    split: str
    metric: str
    output: str = ""
    is_percent: bool | None = None

    def text(self) -> str:
        """Return the target as commands take it: `'val:accuracy'`, `'val:label:accuracy%'` for percent, `!` for not."""
        parts = [self.split, *([self.output] if self.output else []), self.metric]
        return ":".join(parts) + {True: "%", False: "!", None: ""}[self.is_percent]


def target_of(text: str) -> Target | None:
    """Return what `Target.text` wrote; None for `-`, which leaves the number out.

    Raises:
        ConfigError: it is no target.
    """
    if text.strip() == "-":
        return None
    is_percent = {"%": True, "!": False}.get(text[-1:])
    parts = text.rstrip("%!").strip().split(":")
    if not 2 <= len(parts) <= 3 or not all(parts) or parts[0] not in ("train", "val", "test"):
        raise ConfigError(
            f"{text!r} is no place for a number. Expected split:metric or split:output:metric, the split being train, "
            "val or test, or '-' to leave it out. Write for instance 'val:accuracy', or 'val:accuracy%' for percent."
        )
    return Target(parts[0], parts[-1], parts[1] if len(parts) == 3 else "", is_percent)


def targets(names: Iterable[str], *, is_ours: bool = False) -> dict[str, Target | None]:
    """Return what each name of a run is; None for what repeats others.

    Two names never become the same: the one that is less like ours, or comes later, keeps its own.

    Args:
        is_ours: CNN Lab wrote the names, as `name_of`.
    """
    ordered = list(dict.fromkeys(names))
    if is_ours:
        return {name: _own(name) for name in ordered}
    found: dict[str, Target | None] = {}
    taken: set[Target] = set()
    outputs = _outputs(_parted(name)[1] for name in ordered)
    for name in sorted(ordered, key=lambda one: _parted(one)[1] not in METRICS.values()):  # 'accuracy' before 'acc'
        if _REPEATED.fullmatch(name):
            found[name] = None
            continue
        target, count = _target(name, outputs), 1
        while target in taken:
            target = Target(target.split, name if count == 1 else f"{name} {count}")
            count += 1
        taken.add(target)
        found[name] = target
    return {name: found[name] for name in ordered}


def is_validation(found: Mapping[str, Target | None], points: Mapping[str, int]) -> bool:
    """Return whether what is called `test` was the validation: there is no other, and a test happens once.

    Args:
        points: How many numbers each name has.
    """
    splits = {target.split for target in found.values() if target}
    tested = [name for name, target in found.items() if target and target.split == "test"]
    return "val" not in splits and any(points[name] > 1 for name in tested)


def as_validation(found: Mapping[str, Target | None]) -> dict[str, Target | None]:
    """Return the targets with `val` in the place of `test`."""
    return {
        name: replace(target, split="val") if target and target.split == "test" else target
        for name, target in found.items()
    }


def said_target(split: str, output: str, metric: str) -> Target:
    """Return the target of what a tool keeps apart; a split that is none of ours stays in the name."""
    known = SPLITS.get(split.strip().lower())
    name = METRICS.get(metric.lower(), metric)
    return Target(known, name, output) if known else Target("train", name_of(split, "", metric), output)


def own_target(split: str, output: str, metric: str) -> Target:
    """Return the target of what CNN Lab keeps apart, whose words are ours already."""
    return Target(split, metric, output)


def name_of(split: str, output: str, metric: str) -> str:
    """Return the name under which a number is exported; `targets` with `is_ours` undoes it."""
    return "/".join(part for part in (split, output, metric) if part)


def _own(name: str) -> Target:
    split, _, rest = name.partition("/")
    output, _, metric = rest.rpartition("/")
    return Target(split, metric, output) if split in SPLITS.values() and metric else Target("train", name)


def _target(name: str, outputs: set[str]) -> Target:
    split, base = _parted(name)
    for output in outputs:
        metric = METRICS.get(base.removeprefix(f"{output}_").lower())
        if metric and base.startswith(f"{output}_"):
            return Target(split, metric, output)
    return Target(split, METRICS.get(base.lower(), base))


def _parted(name: str) -> tuple[str, str]:
    """Return the split that a name speaks of, and the rest of it."""
    parts = name.split("/")
    if len(parts) > 1 and parts[0].lower() in SPLITS:
        return SPLITS[parts[0].lower()], _without_epoch("/".join(parts[1:]))
    if len(parts) > 1 and parts[-1].lower() in SPLITS:
        return SPLITS[parts[-1].lower()], _without_epoch("/".join(parts[:-1]))
    for between in ("_", "-", ".", " "):
        first, _, rest = name.partition(between)
        if rest and first.lower() in SPLITS:
            return SPLITS[first.lower()], _without_epoch(rest)
        rest, _, last = name.rpartition(between)
        if rest and last.lower() in SPLITS:
            return SPLITS[last.lower()], _without_epoch(rest)
    return "train", _without_epoch(name)


def _without_epoch(name: str) -> str:
    short = re.sub(r"^epoch_|_epoch$", "", name)
    return short if (short and short.lower() in METRICS) or name.startswith("epoch_") else name


def _outputs(bases: Iterable[str]) -> set[str]:
    """Return the outputs of a Keras network with several: those of which both loss and accuracy are there."""
    known = set(bases)
    losses = {base.removesuffix("_loss") for base in known if base.endswith("_loss")}
    return {
        output
        for output in losses
        if any(f"{output}_{name}" in known for name, metric in METRICS.items() if metric == "accuracy")
    }
