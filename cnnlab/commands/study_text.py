"""A study written as the command that begins it."""

import shlex

from cnnlab.commands.text import as_options
from cnnlab.settings.range_text import range_text
from cnnlab.settings.searching import AlgorithmConfig, BudgetConfig, PruningConfig
from cnnlab.settings.study import StudyConfig

FILE = "study.yaml"


def study_command(study: StudyConfig) -> str:
    """Return `python -m cnnlab tune ...` with all that is not as by default.

    What has no option, such as the details of an algorithm, takes the study's YAML: then the command names its file.
    """
    said = StudyConfig(
        name=study.name,
        run=study.run,
        space=study.space,
        objectives=study.objectives,
        algorithm=AlgorithmConfig(name=study.algorithm.name),
        budget=BudgetConfig(trials=study.budget.trials, hours=study.budget.hours, executions=study.budget.executions),
        pruning=PruningConfig(rule=study.pruning.rule),
        workers=study.workers,
        engine=study.engine,
        seed=study.seed,
    )
    if said != study or study.run.repeats != 1:
        return f"python -m cnnlab tune --config {FILE}"
    base = study.run.model_copy(update={"name": study.name})
    words = ["python -m cnnlab tune", *as_options(base)]
    words += [f"--search {shlex.quote(f'{path}={range_text(one)}')}" for path, one in study.space.items()]
    words += [f"--objective {shlex.quote(objective.text())}" for objective in study.objectives]
    defaults = StudyConfig(space=study.space, run=study.run, objectives=study.objectives)
    if study.algorithm != defaults.algorithm or len(study.objectives) > 1:
        words.append(f"--algorithm {study.algorithm.name}")
    words += [f"--trials {study.budget.trials}"] if study.budget.trials is not None else []
    words += [f"--hours {study.budget.hours:g}"] if study.budget.hours is not None else []
    words += [f"--executions {study.budget.executions}"] if study.budget.executions > 1 else []
    words += [f"--pruning {study.pruning.rule}"] if study.pruning.rule != "none" else []
    words += [f"--workers {study.workers}"] if study.workers > 1 else []
    words += [f"--engine {shlex.quote(study.engine)}"] if study.engine != defaults.engine else []
    words += [f"--search-seed {study.seed}"] if study.seed else []
    return " ".join(words)
