"""Known tricks as changes to tick: what a baseline lacks is offered, what it has can be taken away."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cnnlab.ablation import Change, changed
from cnnlab.architectures.catalogue import get_architecture
from cnnlab.augmentation.catalogue import OPS
from cnnlab.augmentation.language import make_step, parse
from cnnlab.config import RunConfig, flatten
from cnnlab.errors import ConfigError
from cnnlab.parameters import specs

# Common values of the literature; another one can always be typed.
TRAINING: tuple[tuple[str, dict[str, Any]], ...] = (
    ("label smoothing", {"training.label_smoothing": 0.1}),
    ("weight decay", {"training.weight_decay": 5e-4}),
    ("cosine schedule", {"training.schedule": "cosine"}),
    ("one-cycle schedule", {"training.schedule": "one_cycle"}),
    ("step schedule", {"training.schedule": "step"}),
    ("constant rate", {"training.schedule": "constant"}),
    ("warm-up", {"training.warmup_epochs": 1.0}),
    ("SGD with momentum", {"training.optimizer": "sgd", "training.learning_rate": 0.05}),
    ("AdamW", {"training.optimizer": "adamw"}),
    ("early stopping", {"training.early_stopping_epochs": 5}),
)
TRICKS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("gradient clipping", {"tricks.clip_norm": 1.0}),
    ("average of weights", {"tricks.ema_decay": 0.999}),
    ("sharpness-aware steps", {"tricks.sam_rho": 0.05}),
    ("decay of all weights", {"tricks.decay_all": True}),
    ("focal loss", {"tricks.focal_gamma": 2.0}),
    ("balanced class weights", {"tricks.class_weights": "balanced"}),
    ("growing images", {"tricks.start_size_share": 0.5}),
    ("flips at test time", {"tricks.test_time": "flip"}),
)


@dataclass(frozen=True)
class Offer:
    """A change that fits a baseline, and the heading it stands under."""

    group: str
    change: Change


def offers(baseline: RunConfig, num_outputs: int = 1) -> list[Offer]:
    """Return the changes that make a difference to `baseline`; what does not fit it is left out.

    Args:
        num_outputs: That the baseline learns: with several their weights can be learnt.
    """
    found = []
    for group, name, settings in _known(baseline, num_outputs):
        change = Change(name=name, settings=settings)
        try:
            makes_difference = changed(baseline, change).fingerprint() != baseline.fingerprint()
            if not makes_difference:
                change = Change(name=f"no {name}", settings=_undone(settings))
                makes_difference = changed(baseline, change).fingerprint() != baseline.fingerprint()
        except ConfigError:
            continue
        if makes_difference:
            found.append(Offer(group, change))
    return found


def _known(baseline: RunConfig, num_outputs: int) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, settings in TRAINING:
        yield "Training", name, settings
    present = [step.op for step in parse(baseline.augmentation).steps]
    for op in OPS.values():
        title = op.title[0].lower() + op.title[1:] if op.title[1:2].islower() else op.title
        if op.name in present:
            yield "Augmentation", f"no {title}", {"augmentation-": op.name}
        else:
            yield "Augmentation", title, {"augmentation+": make_step(op.name).text()}
    for name, settings in TRICKS:
        yield "Tricks", name, settings
    if num_outputs > 1:
        yield "Tricks", "learnt weights of outputs", {"heads.uncertainty_weighting": True}
    architecture = get_architecture(baseline.architecture.name)
    for spec in specs(architecture.parameters):
        if spec.kind == "boolean":
            value = not baseline.architecture.parameters[spec.name]
            title = spec.title[0].lower() + spec.title[1:]
            yield "Network", title if value else f"no {title}", {f"architecture.parameters.{spec.name}": value}


def _undone(settings: Mapping[str, Any]) -> dict[str, Any]:
    defaults = flatten(RunConfig().to_dict())
    return {key: defaults[key] for key in settings}
