"""The searches of the lesson: the same budget for all, and what each is known to do."""

import numpy as np
import pytest
from scipy import integrate, stats

from cnnlab.analysis.search_lesson import (
    LANDSCAPES,
    SEARCHES,
    expected_improvement,
    grid,
    repeated,
    searched,
)


@pytest.mark.parametrize("name", LANDSCAPES)
@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("budget", [1, 5, 12])
def test_each_search_makes_its_budget_within_the_space(name, search, budget):
    found = searched(LANDSCAPES[name], search, budget, seed=3)
    assert found.points.shape == (budget, 2)
    assert ((found.points >= 0) & (found.points <= 1)).all()
    assert found.values == pytest.approx(LANDSCAPES[name].value(found.points))
    assert (np.diff(found.best_so_far) >= 0).all()
    again = searched(LANDSCAPES[name], search, budget, seed=3)
    assert again.points.tolist() == found.points.tolist()


@pytest.mark.parametrize("name", LANDSCAPES)
def test_no_place_is_better_than_one_and_one_is_nearly_so(name):
    axis = np.linspace(0, 1, 301)
    values = LANDSCAPES[name].value(np.stack([one.ravel() for one in np.meshgrid(axis, axis)], axis=1))
    assert values.min() >= 0
    assert values.max() == pytest.approx(1, abs=0.01)
    assert values.max() <= 1


@pytest.mark.parametrize(("budget", "across"), [(25, 5), (16, 4), (1, 1), (2, 1)])
def test_a_grid_repeats_its_values(budget, across):
    points = grid(budget)
    assert len(points) == budget
    assert len(set(points[:, 0].round(9).tolist())) == across


def test_left_over_trials_of_a_grid_are_points_of_their_own():
    points = grid(23)
    assert len({tuple(point) for point in points.round(9).tolist()}) == 23


def test_expected_improvement_is_its_integral():
    mean, deviation, best = 0.3, 0.2, 0.4
    whole, _ = integrate.quad(lambda y: max(0, y - best) * stats.norm.pdf(y, mean, deviation), -3, 4, points=[best])
    found = expected_improvement(np.array([mean, 0.9]), np.array([deviation, 0.0]), best)
    assert found == pytest.approx([whole, 0.5], abs=1e-6)


def test_what_the_lesson_claims():
    def median(name: str, search: str) -> float:
        return float(np.median(repeated(LANDSCAPES[name], search, 25, 12)[:, -1]))

    assert median("One matters", "random") > median("One matters", "grid")
    assert median("One hill", "Bayesian") > max(median("One hill", "random"), median("One hill", "grid"))
    assert median("One hill", "Bayesian") > 0.99


def test_an_unknown_search_is_refused():
    with pytest.raises(ValueError, match="Expected one of random, grid, Bayesian, 1 or more"):
        searched(LANDSCAPES["One hill"], "genetic", 4, 0)
