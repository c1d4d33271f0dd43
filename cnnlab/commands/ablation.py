"""`ablate`, `ablation`: queue one run per change of a baseline, and see what each change does."""

import math
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from cnnlab.ablation import AblationPlan, change_text, parse_change, plan_from_dict, plan_from_yaml, settings_text
from cnnlab.analysis.ablation import Effect
from cnnlab.commands.options import with_config
from cnnlab.commands.output import JsonOption, percent, print_json, print_table, say
from cnnlab.commands.text import as_options
from cnnlab.config import RunConfig
from cnnlab.errors import ConfigError, RunNotFoundError
from cnnlab.launch.queue import Queue
from cnnlab.runs.ablations import Ablation, list_ablations, read_ablation
from cnnlab.runs.store import Store
from cnnlab.submit_ablation import ACTIVE, effects_of, submit_ablation

METHODS = {
    "seeds_and_images": "seeds and test images together",
    "welch": "Welch's t over seeds",
    "paired": "the same images, exact McNemar",
}


@with_config
def ablate(
    config: RunConfig,
    changes: Annotated[
        list[str] | None,
        typer.Option("--change", help="name=key=value, settings parted by ';'; may be repeated, in order."),
    ] = None,
    plan_file: Annotated[
        Path | None,
        typer.Option("--plan", help="A whole plan as YAML, as 'copy as YAML' gives it, in place of all else."),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=50, help="Runs of each variant.")] = 3,
    is_cumulative: Annotated[
        bool, typer.Option("--cumulative", help="Each change comes on top of those before it.")
    ] = False,
    json: JsonOption = False,
    priority: Annotated[int, typer.Option("--priority", help="Higher goes first.")] = 0,
) -> None:
    """Queue a baseline and one variant per change, each with several seeds."""
    plan = _read_plan(plan_file, changes) if plan_file else _plan(config, changes or [], seeds, is_cumulative)
    made = submit_ablation(Store(), plan, priority=priority)
    if json:
        print_json(_document(made))
        return
    print(made.ablation_id)
    say(f"{len(made.all_run_ids)} runs queued. See them with 'python -m cnnlab ablation {made.ablation_id}'.")


def ablation(
    ablation_id: Annotated[str, typer.Argument(help="An id; all ablations are listed where it is left out.")] = "",
    output: Annotated[str, typer.Option("--output", help="Of networks with several; else the main one.")] = "",
    json: JsonOption = False,
) -> None:
    """Show what each change of an ablation does, or list the ablations of the store."""
    store = Store()
    Queue().tick()
    if not ablation_id:
        _list(store, is_json=json)
        return
    found = read_ablation(store, ablation_id)
    effects = effects_of(store, found, output or None)
    if json:
        states = {run_id: _state(store, run_id) for run_id in found.all_run_ids}
        print_json(_document(found) | {"states": states, "effects": [_effect_document(one) for one in effects]})
        return
    _print(store, found, effects)


def _plan(config: RunConfig, changes: list[str], seeds: int, is_cumulative: bool) -> AblationPlan:
    if not changes:
        raise ConfigError(
            "There is nothing to change. Expected at least one --change, such as "
            "--change 'smooth labels=training.label_smoothing=0.1'. Add one."
        )
    return plan_from_dict(
        {
            "name": config.name[:60],
            "seeds": seeds,
            "is_cumulative": is_cumulative,
            "changes": [parse_change(text).model_dump() for text in changes],
            "baseline": config.model_copy(update={"name": "", "repeats": 1}).to_dict(),
        }
    )


def _read_plan(path: Path, changes: list[str] | None) -> AblationPlan:
    if changes:
        raise ConfigError("--plan and --change are both given. Expected one of them. Write the change into the plan.")
    try:
        return plan_from_yaml(path.read_text(encoding="utf-8"))
    except OSError:
        raise ConfigError(f"No file {str(path)!r}. Give the path of a YAML file to --plan.") from None


def command_text(plan: AblationPlan) -> str:
    """Return the command that queues `plan`."""
    named = plan.baseline.model_copy(update={"name": plan.name})
    words = ["python -m cnnlab ablate", *as_options(named)]
    words += [f"--change {shlex.quote(change_text(change))}" for change in plan.changes]
    words += [f"--seeds {plan.seeds}"] + ["--cumulative"] * plan.is_cumulative
    return " ".join(words)


def _list(store: Store, *, is_json: bool) -> None:
    found = list_ablations(store)
    if is_json:
        print_json({"ablations": [_document(one) for one in found]})
    elif not found:
        print(
            "No ablations yet. Queue one with 'python -m cnnlab ablate --config base.yaml "
            '--change "smooth labels=training.label_smoothing=0.1"\'.'
        )
    else:
        rows = [
            (one.ablation_id, one.title, ", ".join(change.name for change in one.plan.changes), one.plan.seeds)
            for one in found
        ]
        print_table(("ablation", "name", "changes", "seeds"), rows, right=("seeds",))


def _print(store: Store, found: Ablation, effects: list[Effect]) -> None:
    settings = ["", *(settings_text(change.settings) for change in found.plan.changes)]
    rows = [
        (one.name, text, one.n, percent(one.mean), *_effect_cells(one))
        for one, text in zip(effects, settings, strict=True)
    ]
    columns = ("variant", "settings", "n", "test accuracy", "effect", "95 % interval", "p (Holm)", "verdict")
    print_table(columns, rows, right=columns[2:7])
    methods = {METHODS[one.method] for one in effects if one.method}
    if methods:
        say(f"Compared by {' and '.join(sorted(methods))}. Intervals are of each change by itself, p of all together.")
    if "paired" in {one.method for one in effects}:
        say("One seed tells two networks apart, not two settings: ask for --seeds 3 to see how much chance there is.")
    waiting = sum(_state(store, run_id) in ACTIVE for run_id in found.all_run_ids)
    if waiting:
        say(f"{waiting} of {len(found.all_run_ids)} runs wait or train.")


def _effect_cells(one: Effect) -> tuple[str, str, str, str]:
    difference = one.difference
    if difference is None:
        return "", "", "", one.reason
    interval = "" if math.isnan(difference.low) else f"{100 * difference.low:+.2f} to {100 * difference.high:+.2f}"
    p = "" if math.isnan(one.p) else f"{one.p:.2g}"
    verdict = one.reason or ("more than noise" if one.is_more_than_noise else "may be noise")
    return f"{100 * difference.value:+.2f}", interval, p, verdict


def _document(found: Ablation) -> dict[str, Any]:
    variants = found.plan.variants()
    return {
        "ablation_id": found.ablation_id,
        "name": found.title,
        "created_at": found.created_at,
        "seeds": found.plan.seeds,
        "is_cumulative": found.plan.is_cumulative,
        "variants": [
            {"name": one.name, "settings": one.change.settings if one.change else {}, "run_ids": list(group)}
            for one, group in zip(variants, found.run_ids, strict=True)
        ],
    }


def _effect_document(one: Effect) -> dict[str, Any]:
    difference = one.difference
    return {
        "variant": one.name,
        "n": one.n,
        "test_accuracy": one.mean,
        "test_accuracy_95": [one.low, one.high],
        "against": one.against or None,
        "effect": difference.value if difference else None,
        "effect_95": [difference.low, difference.high] if difference else None,
        "p_holm": one.p,
        "method": one.method or None,
        "is_more_than_noise": one.is_more_than_noise if not math.isnan(one.p) else None,
        "reason": one.reason or None,
    }


def _state(store: Store, run_id: str) -> str:
    try:
        return store.read_status(run_id).state
    except RunNotFoundError:
        return "deleted"
