"""From the plan of an ablation to its queued runs, and from its runs to what each change did."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import polars as pl

from cnnlab.ablation import AblationPlan
from cnnlab.analysis.ablation import Effect, Scores, effects
from cnnlab.errors import ConfigError, RunNotFoundError
from cnnlab.launch.queue import Queue
from cnnlab.runs import queries
from cnnlab.runs.ablations import Ablation, create_ablation, write_ablation
from cnnlab.runs.store import Store
from cnnlab.submit import checked_for, submit_runs

# Returns the columns sample_id, label and predicted of a run's test images, for one output.
ReadAnswers = Callable[[str, str], pl.DataFrame]
ACTIVE = ("queued", "running", "paused")


def submit_ablation(store: Store, plan: AblationPlan, *, queue: Queue | None = None, priority: int = 0) -> Ablation:
    """Queue the runs of all variants; nothing is queued where one of them would be refused.

    Raises:
        ConfigError, DatasetError, QueueError: as `cnnlab.submit.submit_runs`; the variant is named.
    """
    queue = queue or Queue()
    runs = plan.runs()
    for variant, config in runs:
        try:
            checked_for(store, queue, config)
        except ConfigError as error:
            raise ConfigError(f"{variant.name}: {error}") from None
    made = create_ablation(store, plan)
    groups = list(made.run_ids)
    for place, (_, config) in enumerate(runs):
        groups[place] = tuple(submit_runs(store, config, queue=queue, priority=priority))
        made = replace(made, run_ids=tuple(groups))
        write_ablation(store, made)  # after each variant: a queue that fails halfway leaves no run unknown
    return made


def scores_of(store: Store, ablation: Ablation, output: str | None = None) -> list[Scores]:
    """Return what the runs of each variant reached so far; a deleted run is as one that failed.

    Args:
        output: The one to speak of; the main output of each run where it is left out.
    """
    return [
        _scores(store, variant.name, run_ids, ablation.plan.seeds, output)
        for variant, run_ids in zip(ablation.plan.variants(), ablation.run_ids, strict=True)
    ]


def effects_of(
    store: Store,
    ablation: Ablation,
    output: str | None = None,
    scores: Sequence[Scores] | None = None,
    read: ReadAnswers | None = None,
) -> list[Effect]:
    """Return what each change did so far, the baseline first.

    Args:
        output: As of `scores_of`.
        scores: From `scores_of`, where they are known already.
        read: Of the answers of a run; from the store where it is left out.
    """

    def answers(run_id: str) -> pl.DataFrame:
        chosen = output or _main_output(store, run_id)
        frame = read(run_id, chosen) if read else queries.answers(store, run_id, chosen)
        is_right = (pl.col("predicted") == pl.col("label")).fill_null(value=False).alias("is_right")
        return frame.select("sample_id", is_right)

    against = [variant.against for variant in ablation.plan.variants()]
    return effects(scores or scores_of(store, ablation, output), against, answers)


def outputs_of(store: Store, ablation: Ablation) -> list[str]:
    """Return the outputs of the runs that are done, the main one first."""
    found: dict[str, None] = {}
    for run_id in ablation.all_run_ids:
        result = _result(store, run_id)
        if result:
            found |= dict.fromkeys([result["main_output"], *result["outputs"]])
    return list(found)


def _scores(store: Store, name: str, run_ids: tuple[str, ...], seeds: int, output: str | None) -> Scores:
    done, accuracies, versions, num_images, active = [], [], set(), 0, 0
    for run_id in run_ids:
        try:
            active += store.read_status(run_id).state in ACTIVE
        except RunNotFoundError:
            continue
        result = _result(store, run_id)
        test = (result or {}).get("test", {}).get(output or (result or {}).get("main_output")) or {}
        if test.get("accuracy") is not None:
            done.append(run_id)
            accuracies.append(float(test["accuracy"]))
            num_images = int(test["n"])
            versions.add(str((result or {}).get("dataset_version")))
    return Scores(name, tuple(done), tuple(accuracies), seeds, active, num_images, frozenset(versions))


def _result(store: Store, run_id: str) -> dict | None:
    try:
        return store.read_result(run_id) if store.read_status(run_id).state == "completed" else None
    except RunNotFoundError:
        return None


def _main_output(store: Store, run_id: str) -> str:
    return str((_result(store, run_id) or {}).get("main_output"))
