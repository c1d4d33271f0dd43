"""How a search chooses its trials, what it may cost, and when it stops a trial."""

from typing import Literal

from pydantic import Field

from cnnlab.parameters import Parameters

AlgorithmName = Literal["random", "grid", "bayesian", "hyperband", "tpe", "asha", "nsga2"]
# The others are taught by one number: of several they would learn a sum that nobody asked for.
SEVERAL_OBJECTIVES: tuple[AlgorithmName, ...] = ("random", "grid", "tpe", "nsga2")
# Hyperband and ASHA stop trials by their own rule; NSGA-II compares whole trials with each other.
PRUNED: tuple[AlgorithmName, ...] = ("random", "grid", "bayesian", "tpe")
# A grid has its own order, and Hyperband begins a whole rung.
BEGINS_ANYWHERE: tuple[AlgorithmName, ...] = ("random", "bayesian", "tpe", "asha", "nsga2")

TRIALS, MOST_TRIALS = 20, 100_000


class AlgorithmConfig(Parameters):
    """How the next trial is chosen."""

    name: AlgorithmName = Field(
        "random",
        title="Algorithm",
        description="'random' and 'grid' learn nothing; 'bayesian' (Gaussian process) and 'tpe' (tree of Parzen "
        "estimators) learn from the trials before; 'hyperband' and 'asha' begin many and go on with the best; "
        "'nsga2' evolves a front of several objectives.",
    )
    begin_with_run: bool = Field(
        False,
        title="Begin with the run as it is",
        description="The first trial has the run's own settings, the nearest in its range of one that lies outside: "
        "on the validation images the best trial is then at least as good.",
        json_schema_extra={"only_if": {"name": list(BEGINS_ANYWHERE)}},
    )
    initial_points: int | None = Field(
        None,
        ge=1,
        le=10_000,
        title="Random trials first",
        description="Before it learns; when left out 10 for TPE, three per searched setting for Bayesian, at most half "
        "of the trials.",
        json_schema_extra={"only_if": {"name": ["bayesian", "tpe"]}},
    )
    beta: float = Field(
        2.6,
        ge=0,
        le=100,
        title="Beta",
        description="How much the uncertain attracts: deviations taken off the expected value.",
        json_schema_extra={"only_if": {"name": ["bayesian"]}},
    )
    factor: int = Field(
        3,
        ge=2,
        le=20,
        title="Reduction factor",
        description="One trial in so many goes on to that many times the epochs.",
        json_schema_extra={"only_if": {"name": ["hyperband", "asha"]}},
    )
    min_epochs: int = Field(
        1,
        ge=1,
        le=10_000,
        title="First rung",
        description="Epochs before a trial can be stopped for the first time.",
        json_schema_extra={"unit": "epochs", "only_if": {"name": ["asha"]}},
    )
    iterations: int = Field(
        1,
        ge=1,
        le=100,
        title="Sweeps",
        description="How often Hyperband goes through all its brackets.",
        json_schema_extra={"only_if": {"name": ["hyperband"]}},
    )
    population: int = Field(
        20,
        ge=2,
        le=1000,
        title="Population",
        description="Trials per generation.",
        json_schema_extra={"only_if": {"name": ["nsga2"]}},
    )
    grid_points: int = Field(
        5,
        ge=2,
        le=1000,
        title="Points of a continuous range",
        description="Evenly spread, both ends included; ranges with steps give all their values.",
        json_schema_extra={"only_if": {"name": ["grid"]}},
    )


class BudgetConfig(Parameters):
    """What the search may cost."""

    trials: int | None = Field(
        None,
        ge=1,
        le=MOST_TRIALS,
        title="Trials",
        description=f"At most; when left out {TRIALS}, of a grid and of Hyperband all that they have.",
        json_schema_extra={"placeholder": f"{TRIALS}, or all"},
    )
    hours: float | None = Field(
        None, gt=0, le=10_000, title="Hours", description="No trial begins after them.", json_schema_extra={"unit": "h"}
    )
    epochs: int | None = Field(
        None,
        ge=1,
        le=10_000,
        title="Epochs per trial",
        description="The run's when left out.",
        json_schema_extra={"unit": "epochs"},
    )
    executions: int = Field(
        1, ge=1, le=50, title="Executions", description="Runs of each trial, with different seeds; their mean counts."
    )
    early_stopping_patience: int | None = Field(
        None,
        ge=0,
        le=10_000,
        title="Early stopping",
        description="Of each run, after so many epochs without a lower validation loss; the run's when left out.",
        json_schema_extra={"unit": "epochs"},
    )


class PruningConfig(Parameters):
    """When a trial that does badly is stopped."""

    rule: Literal["none", "median", "percentile"] = Field(
        "none",
        title="Rule",
        description="'median' stops a trial whose best value so far is worse than the median of the others' at the "
        "same epoch; 'percentile' asks for a place among the best percent.",
    )
    percentile: float = Field(
        25.0,
        gt=0,
        lt=100,
        title="Percentile",
        description="The best so many percent go on.",
        json_schema_extra={"unit": "%", "only_if": {"rule": ["percentile"]}},
    )
    warmup_epochs: int = Field(
        1,
        ge=0,
        le=10_000,
        title="Spared epochs",
        description="No trial is stopped before so many epochs are done.",
        json_schema_extra={"unit": "epochs", "only_if": {"rule": ["median", "percentile"]}},
    )
    min_trials: int = Field(
        5,
        ge=1,
        le=10_000,
        title="Spared trials",
        description="None is stopped before so many have ended.",
        json_schema_extra={"only_if": {"rule": ["median", "percentile"]}},
    )
