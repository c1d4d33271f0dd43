"""The front against its definition, by brute force, and against fronts drawn by hand."""

import math

from hypothesis import given
from hypothesis import strategies as st

from cnnlab.analysis.pareto import pareto_front

# Few values, so that ties come often.
FEW = st.one_of(st.integers(0, 5).map(float), st.sampled_from([math.nan, math.inf, -math.inf]))


def beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] <= other[0] and one[1] >= other[1] and one != other


def by_definition(points: list[tuple[float, float]]) -> list[bool]:
    known = [point for point in points if all(map(math.isfinite, point))]
    return [point in known and not any(beats(other, point) for other in known) for point in points]


@given(st.lists(st.tuples(FEW, FEW), max_size=30))
def test_the_front_is_what_nothing_beats(points):
    found = pareto_front([cost for cost, _ in points], [value for _, value in points])
    assert found.tolist() == by_definition(points)


@given(st.lists(st.tuples(st.floats(0, 1e12), st.floats(0, 1)), max_size=60))
def test_the_front_is_what_nothing_beats_with_any_numbers(points):
    found = pareto_front([cost for cost, _ in points], [value for _, value in points])
    assert found.tolist() == by_definition(points)


def test_a_front_drawn_by_hand():
    # AlexNet beats VGG's cost, VGG its accuracy; the third is dearer and worse than VGG.
    assert pareto_front([0.7, 15.5, 20.0], [0.565, 0.716, 0.70]).tolist() == [True, True, False]


def test_equal_points_are_both_on_the_front_and_equal_costs_are_not():
    assert pareto_front([1, 1, 1], [0.9, 0.9, 0.8]).tolist() == [True, True, False]
    assert pareto_front([1, 2], [0.9, 0.9]).tolist() == [True, False], "the same for less"


def test_no_points_have_no_front():
    assert pareto_front([], []).tolist() == []
