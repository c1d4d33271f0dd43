"""Which hyperparameters an objective depends on, by two measures over random forests, each with its uncertainty.

The functional ANOVA asks how much of the objective's variance over the whole space a hyperparameter explains
alone; the permutation importance asks how much worse trials that a forest has not seen are predicted when the
hyperparameter's values are shuffled among them. Half of what that adds to the squared error, over the variance, is
the share that the hyperparameter explains alone and together with others. Both are repeated on resamples of the
trials (bootstrap), which gives means and intervals: few trials give wide ones. They say how much hangs on the
trials that were made, not what a forest gets wrong with many: it learns small effects less fully than large ones.

Sources: Hutter, Hoos and Leyton-Brown 2014, ICML; Breiman 2001, doi:10.1023/A:1010933404324, section 10;
Gregorutti, Michel and Saint-Pierre 2017, doi:10.1007/s11222-016-9646-1, section 3 (why half); Efron 1979,
doi:10.1214/aos/1176344552.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnlab.analysis.fanova import Measure, Shares, shares

Numbers = NDArray[np.float64]
# Fewer trials tell a forest nothing that another handful would not overturn.
FEWEST_TRIALS = 10
RESAMPLES = 20
TREES = 16
SHUFFLES = 3
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """The mean over the resamples, and what the middle 95 % of them lie between."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class ParameterImportance:
    """One hyperparameter.

    Attributes:
        variance: Share of the objective's variance over the space that it explains alone, in [0, 1].
        permutation: Share of the variance that it explains alone and together with others, from shuffling its
            values among unseen trials; about 0, also below, for a useless one.
    """

    name: str
    variance: Estimate
    permutation: Estimate


@dataclass(frozen=True)
class Importance:
    """What is known of all hyperparameters.

    Attributes:
        parameters: Those that explain most first.
        pairs: Names and the share of the variance that the two explain only together, largest first.
        r2: Of the forests on trials that they have not seen; near or below 0 nothing here means much.
        n: Trials with a finite objective, which all of this stands on.
    """

    parameters: tuple[ParameterImportance, ...]
    pairs: tuple[tuple[str, str, Estimate], ...]
    r2: Estimate
    n: int

    @property
    def is_empty(self) -> bool:
        return not self.parameters


def importance(
    names: Sequence[str], codes: ArrayLike, objective: ArrayLike, measures: Sequence[Measure], *, seed: int = 0
) -> Importance:
    """Return the importance of each hyperparameter; of none where fewer than `FEWEST_TRIALS` trials have an objective.

    Args:
        names: One per column of `codes`.
        codes: `(trials, hyperparameters)`, numbers as in `measures`.
        objective: `(trials,)`; trials where it is not finite are left out.
        measures: The space, one per column.
        seed: Of the resamples and the forests: the same trials give the same numbers.
    """
    x, y = np.asarray(codes, dtype=np.float64), np.asarray(objective, dtype=np.float64)
    known = np.isfinite(y)
    x, y = x[known], y[known]
    n = y.size
    if n < FEWEST_TRIALS or not names or np.ptp(y) == 0:
        return Importance((), (), Estimate(np.nan, np.nan, np.nan), n)
    random = np.random.default_rng(seed)
    found: list[Shares] = []
    permuted, fits = [], []
    while len(found) < RESAMPLES:
        rows = random.integers(0, n, n)
        unseen = np.setdiff1d(np.arange(n), rows)
        if unseen.size < 2 or np.ptp(y[rows]) == 0:
            continue  # of ten trials or more, one resample in many thousands
        forest = fitted_forest(x[rows], y[rows], seed=int(random.integers(2**31)))
        found.append(shares(forest, measures, seed=seed))
        fit, falls = _permutation(forest, x[unseen], y[unseen], float(np.var(y)), random)
        fits.append(fit)
        permuted.append(falls)
    mains = np.stack([one.mains for one in found])
    falls = np.stack(permuted)
    every = [
        ParameterImportance(name, _estimate(mains[:, place]), _estimate(falls[:, place]))
        for place, name in enumerate(names)
    ]
    every.sort(key=lambda one: (-one.variance.value, one.name))
    return Importance(tuple(every), _pairs(names, found), _estimate(np.asarray(fits)), n)


def fitted_forest(codes: Numbers, objective: Numbers, *, trees: int = TREES, seed: int = 0) -> Any:
    """Return a random forest that predicts the objective from the codes."""
    from sklearn.ensemble import RandomForestRegressor  # a second of import that most pages do without

    # A third of the columns at each split is Breiman's own advice for regression; few columns take all.
    share = 1.0 if codes.shape[1] <= 3 else 0.5
    forest = RandomForestRegressor(n_estimators=trees, max_features=share, random_state=seed, n_jobs=1)
    return forest.fit(codes, objective)


def _permutation(
    forest: Any, x: Numbers, y: Numbers, spread: float, random: np.random.Generator
) -> tuple[float, Numbers]:
    """Return R² on unseen trials, and half of what shuffling each column adds to its squared error.

    It goes by the variance of all trials: that of a few unseen ones may be next to nothing.
    """
    error = float(np.square(forest.predict(x) - y).mean())
    falls = np.zeros(x.shape[1])
    for column in range(x.shape[1]):
        for _ in range(SHUFFLES):
            shuffled = x.copy()
            shuffled[:, column] = random.permutation(shuffled[:, column])
            falls[column] += float(np.square(forest.predict(shuffled) - y).mean()) - error
    return 1 - error / spread, falls / (2 * SHUFFLES * spread)


def _pairs(names: Sequence[str], found: Sequence[Shares]) -> tuple[tuple[str, str, Estimate], ...]:
    """Return the pairs that were looked at in at least half of the resamples."""
    keys = sorted({pair for one in found for pair in one.pairs})
    kept = []
    for first, second in keys:
        values = np.array([one.pairs[first, second] for one in found if (first, second) in one.pairs])
        if 2 * values.size >= len(found):
            kept.append((names[first], names[second], _estimate(values)))
    return tuple(sorted(kept, key=lambda pair: -pair[2].value))


def _estimate(values: Numbers) -> Estimate:
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(values, [tail, 100 - tail])
    return Estimate(float(values.mean()), float(low), float(high))
