"""Three ways to search the same small landscape with the same budget: random, grid, and a Gaussian process.

For a lesson: two hyperparameters in [0, 1], a value that is known everywhere, so that what a search misses can be
seen. Nothing is trained, and a whole search takes milliseconds.

Sources: Bergstra and Bengio 2012, JMLR 13, 281-305 (random against grid); Mockus 1974, doi:10.1007/3-540-07165-2_55
(expected improvement); Rasmussen and Williams 2006, section 2.2 (the process).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

Numbers = NDArray[np.float64]
SEARCHES = ("random", "grid", "Bayesian")
# Of the process: where it looks for the next point, what it tries as its length, how much noise it grants.
CANDIDATES = 400
LENGTHS = (0.08, 0.16, 0.32, 0.64)
JITTER = 1e-6


@dataclass(frozen=True)
class Landscape:
    """One problem.

    Attributes:
        value: From `(points, 2)` in [0, 1] to values in [0, 1]; the best place has 1.
    """

    name: str
    note: str
    value: Callable[[Numbers], Numbers]


def _one_hill(x: Numbers) -> Numbers:
    return np.exp(-(((x[:, 0] - 0.62) / 0.22) ** 2) - ((x[:, 1] - 0.37) / 0.22) ** 2)


def _one_matters(x: Numbers) -> Numbers:
    return 0.97 * np.exp(-(((x[:, 0] - 0.62) / 0.08) ** 2)) + 0.03 * (1 - np.abs(x[:, 1] - 0.4))


def _many_hills(x: Numbers) -> Numbers:
    away = np.square(x - np.array([0.62, 0.37]))
    waves = np.cos(6 * math.pi * (x - np.array([0.62, 0.37])))
    return np.exp(-3 * away.sum(axis=1)) * (0.55 + 0.45 * waves.mean(axis=1))


LANDSCAPES = {
    landscape.name: landscape
    for landscape in (
        Landscape(
            "One matters",
            "Only the setting across matters much, and in a narrow range. A grid of n points tries only √n values of "
            "it; random points try n.",
            _one_matters,
        ),
        Landscape("One hill", "Both settings matter, and better places lie beside good ones.", _one_hill),
        Landscape("Many hills", "Good places lie beside bad ones: little can be learnt from neighbours.", _many_hills),
    )
}


@dataclass(frozen=True)
class Searched:
    """What one search did: points `(budget, 2)` in their order, and the values there."""

    points: Numbers
    values: Numbers

    @property
    def best_so_far(self) -> Numbers:
        """Return the best value up to each point."""
        return np.maximum.accumulate(self.values)


def searched(landscape: Landscape, search: str, budget: int, seed: int) -> Searched:
    """Return one search; a grid visits its points in random order, so that it can be stopped anywhere.

    Raises:
        ValueError: there is no such search, or the budget is below 1.
    """
    if search not in SEARCHES or budget < 1:
        raise ValueError(f"No search {search!r} of {budget} trials. Expected one of {', '.join(SEARCHES)}, 1 or more.")
    random = np.random.default_rng(seed)
    if search == "random":
        points = random.uniform(size=(budget, 2))
    elif search == "grid":
        points = random.permutation(grid(budget))
    else:
        points = _bayesian(landscape, budget, random)
    return Searched(points, landscape.value(points))


def repeated(landscape: Landscape, search: str, budget: int, seeds: int) -> Numbers:
    """Return `(seeds, budget)`: the best so far of that many searches, which chance parts."""
    return np.stack([searched(landscape, search, budget, seed).best_so_far for seed in range(seeds)])


def grid(budget: int) -> Numbers:
    """Return at most `budget` points of a grid that is as square as the budget lets it be, at the middles of cells."""
    columns = max(1, round(math.sqrt(budget)))
    rows = budget // columns
    across, upward = (np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows
    points = np.stack([one.ravel() for one in np.meshgrid(across, upward, indexing="ij")], axis=1)
    left = budget - len(points)
    # What does not fill a row goes between the points, or budgets would not be the same.
    extra = np.stack([np.arange(1, left + 1) / (left + 1), np.full(left, 1 / rows if rows > 1 else 0.25)], axis=1)
    return np.concatenate([points, extra])


def _bayesian(landscape: Landscape, budget: int, random: np.random.Generator) -> Numbers:
    points = random.uniform(size=(min(4, budget), 2))
    values = landscape.value(points)
    while len(points) < budget:
        candidates = random.uniform(size=(CANDIDATES, 2))
        mean, deviation = _expected(points, values, candidates)
        chosen = candidates[[int(np.argmax(expected_improvement(mean, deviation, float(values.max()))))]]
        points = np.concatenate([points, chosen])
        values = np.concatenate([values, landscape.value(chosen)])
    return points


def expected_improvement(mean: Numbers, deviation: Numbers, best: float) -> Numbers:
    """Return by how much a normal value is expected to be above `best`, counting what is below as none."""
    sure = np.maximum(deviation, 1e-12)
    z = (mean - best) / sure
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return (mean - best) * special.ndtr(z) + sure * density


def _expected(points: Numbers, values: Numbers, candidates: Numbers) -> tuple[Numbers, Numbers]:
    """Return mean and deviation of a Gaussian process at the candidates, of the length that explains most."""
    centre, scale = float(values.mean()), float(values.std()) or 1.0
    y = (values - centre) / scale
    best: tuple[float, float, Any, Any] | None = None
    for length in LENGTHS:
        factor = np.linalg.cholesky(_kernel(points, points, length) + JITTER * np.eye(len(points)))
        weights = np.linalg.solve(factor.T, np.linalg.solve(factor, y))
        likelihood = -0.5 * float(y @ weights) - float(np.log(np.diag(factor)).sum())
        if best is None or likelihood > best[0]:
            best = (likelihood, length, factor, weights)
    assert best is not None
    _, length, factor, weights = best
    across = _kernel(points, candidates, length)
    spread = np.linalg.solve(factor, across)
    variance = np.maximum(0.0, 1 - np.square(spread).sum(axis=0))
    return centre + scale * (across.T @ weights), scale * np.sqrt(variance)


def _kernel(first: Numbers, second: Numbers, length: float) -> Numbers:
    """Return Matérn covariances of smoothness 5/2."""
    distance = np.sqrt(np.square(first[:, None] - second[None]).sum(axis=2)) * math.sqrt(5) / length
    return (1 + distance + np.square(distance) / 3) * np.exp(-distance)
