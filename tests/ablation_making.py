"""Ablations as they are when their runs have ended, made in milliseconds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from made_runs import make_run

from cnnlab.ablation import plan_from_dict
from cnnlab.runs.ablations import Ablation, create_ablation, write_ablation
from cnnlab.runs.store import Store

CHANGES: list[dict[str, Any]] = [
    {"name": "smooth labels", "settings": {"training.label_smoothing": 0.1}},
    {"name": "cutout", "settings": {"augmentation+": "cutout(8)"}},
]


def make_ablation(
    store: Store,
    accuracies: Sequence[Sequence[float]] = ((0.90, 0.91, 0.92), (0.95, 0.96, 0.97), (0.89, 0.92, 0.94)),
    state: str = "completed",
    **values: Any,
) -> Ablation:
    """Write an ablation whose variants have runs of these test accuracies."""
    plan = plan_from_dict({"baseline": {"training": {"epochs": 2}}, "changes": CHANGES, **values})
    made = create_ablation(store, plan)
    groups = [
        tuple(
            make_run(store.root, state, accuracy, **_nested(config.to_dict(), name=variant.name, seed=seed))
            for seed, accuracy in enumerate(group)
        )
        for (variant, config), group in zip(plan.runs(), accuracies, strict=True)
    ]
    made = replace(made, run_ids=tuple(groups))
    write_ablation(store, made)
    return made


def _nested(values: Mapping[str, Any], *, name: str, seed: int) -> dict[str, Any]:
    return {**values, "name": name, "repeats": 1, "training": {**values["training"], "seed": seed}}
