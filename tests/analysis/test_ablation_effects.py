"""What the changes of an ablation do, by seeds and by images, and when nothing can be said."""

import math

import numpy as np
import polars as pl
import pytest
import scipy.stats
from answered_runs import answered, grouped, unanswered

from cnnlab.analysis.ablation import Scores, effects
from cnnlab.analysis.baseline import effects_against
from cnnlab.analysis.comparison import compare
from cnnlab.analysis.intervals import wilson
from cnnlab.analysis.significance import holm, mcnemar, welch

V1 = frozenset(["v1"])


def scores(name, *accuracies, planned=3, active=0, versions=V1):
    ids = tuple(f"{name}{place}" for place in range(len(accuracies)))
    return Scores(name, ids, accuracies, planned, active, 100 if accuracies else 0, versions)


def nothing(_run_id):
    """What is known of the images of a run whose answers are not kept."""
    return pl.DataFrame(schema={"sample_id": pl.String, "is_right": pl.Boolean})


def first_right(*groups):
    """Of each run the first images are right, as many as its accuracy says."""
    right = {run_id: one for group in groups for run_id, one in zip(group.run_ids, group.accuracies, strict=True)}
    ids = [str(place) for place in range(100)]
    return lambda run_id: pl.DataFrame({"sample_id": ids, "is_right": np.arange(100) < round(100 * right[run_id])})


BASE = scores("baseline", 0.90, 0.91, 0.92)
BETTER = scores("better", 0.95, 0.96, 0.97)
NOISY = scores("noisy", 0.88, 0.92, 0.96)


def sides(answers, *groups):
    """The same runs as sides of a comparison."""
    runs = [
        answered(run_id, answers(run_id)["is_right"].to_numpy(), group=one.name)
        for one in groups
        for run_id in one.run_ids
    ]
    return grouped(*runs)


def test_an_effect_is_the_difference_of_the_comparison_with_holm_over_the_changes():
    answers = first_right(BASE, BETTER, NOISY)
    _, better, noisy = effects([BASE, BETTER, NOISY], [0, 0, 0], answers)
    found = [compare(sides(answers, group, BASE)).against(0, 1) for group in (BETTER, NOISY)]
    assert [better.difference, noisy.difference] == [one.difference for one in found]
    assert [better.p, noisy.p] == pytest.approx(holm([one.difference.p for one in found]))
    assert (better.method, better.n, better.against) == ("seeds_and_images", 3, "baseline")
    assert better.difference.value == pytest.approx(0.05)


@pytest.mark.parametrize("is_base", [True, False])
def test_one_seed_is_set_against_the_mean_of_a_group_and_not_against_one_of_it(is_base):
    one = scores("one", 0.80)
    group = scores("group", 0.90, 0.91, 0.98)
    order = [one, group] if is_base else [group, one]
    base, other = effects(order, [0, 0], first_right(one, group))
    assert other.difference.value == pytest.approx(other.mean - base.mean)
    assert other.method == "seeds_and_images"


def test_without_answers_effects_are_over_seeds_with_holm():
    base, better, noisy = effects([BASE, BETTER, NOISY], [0, 0, 0], nothing)
    raw = [
        scipy.stats.ttest_ind(group.accuracies, BASE.accuracies, equal_var=False).pvalue for group in (BETTER, NOISY)
    ]
    assert better.p == pytest.approx(2 * min(raw))
    assert noisy.p == pytest.approx(max(2 * min(raw), max(raw)))
    assert better.difference.value == pytest.approx(0.05)
    assert (better.is_more_than_noise, noisy.is_more_than_noise) == (True, False)
    assert (better.method, better.n, better.against) == ("welch", 3, "baseline")
    assert base.difference is None
    assert (base.mean, base.n) == (pytest.approx(0.91), 3)


def test_one_after_another_compares_with_the_step_before():
    _, first, second = effects([BASE, BETTER, NOISY], [0, 0, 1], first_right(BASE, BETTER, NOISY))
    assert (first.against, second.against) == ("baseline", "better")
    assert second.difference.value == pytest.approx(0.92 - 0.96)


def test_one_seed_is_compared_image_by_image():
    right = {"baseline0": np.arange(100) < 80, "better0": np.arange(100) < 95}

    def answers(run_id):
        frame = pl.DataFrame({"sample_id": [str(i) for i in range(100)], "is_right": right[run_id]})
        return frame.reverse() if run_id == "better0" else frame  # joined by their names, not by their order

    base, better = effects([scores("baseline", 0.80, planned=1), scores("better", 0.95, planned=1)], [0, 0], answers)
    assert better.method == "paired"
    assert better.difference.value == pytest.approx(0.15)
    assert better.p == pytest.approx(mcnemar(15, 0))
    assert better.difference.low > 0.06
    assert (base.low, base.high) == wilson(80, 100)


def test_other_test_images_are_refused():
    def answers(run_id):
        return pl.DataFrame({"sample_id": [f"{run_id}-{i}" for i in range(100)], "is_right": [True] * 100})

    _, better = effects([scores("baseline", 0.8, planned=1), scores("better", 0.9, planned=1)], [0, 0], answers)
    assert (better.difference, better.reason) == (None, "tested on different images")


@pytest.mark.parametrize(
    ("group", "reason"),
    [
        (scores("late", planned=3, active=3), "late waits for its first result"),
        (scores("broken", planned=3), "no run of broken has a result"),
        (scores("half", 0.9, planned=3, active=2), "waits for a second seed"),
        (scores("other", 0.9, 0.8, versions=frozenset(["v2"])), "tested on different versions of the data"),
    ],
)
def test_why_nothing_can_be_said(group, reason):
    _, found = effects([BASE, group], [0, 0], nothing)
    assert (found.difference, found.reason) == (None, reason)
    assert math.isnan(found.p)
    assert not found.is_more_than_noise


def test_seeds_that_all_agree_give_no_verdict():
    _, found = effects([scores("baseline", 0.9, 0.9), scores("same", 0.8, 0.8)], [0, 0], nothing)
    assert found.difference.value == pytest.approx(-0.1)
    assert found.reason == "no seed differs from another"
    assert not found.is_more_than_noise


# ---- against a baseline, in a comparison ----


def test_against_a_baseline_the_numbers_are_those_of_the_comparison():
    answers = first_right(BASE, BETTER, NOISY)
    chosen = sides(answers, BASE, BETTER, NOISY)
    comparison = compare(chosen)
    base, *others = effects_against(comparison, chosen, [BASE, BETTER, NOISY])
    assert (base.name, base.against, base.n) == ("baseline", "", 3)
    for place, one in enumerate(others, start=1):
        found = comparison.against(place, 0)
        assert (one.difference, one.p, one.against) == (found.difference, found.p, "baseline")
        assert one.is_more_than_noise == found.is_told_apart


def test_runs_without_answers_are_compared_over_seeds_alone():
    foreign = {one.name: [unanswered(run_id, one.name) for run_id in one.run_ids] for one in (BASE, BETTER, NOISY)}
    chosen = grouped(*[run for runs in foreign.values() for run in runs])
    _, better, noisy = effects_against(compare(chosen), chosen, [BASE, BETTER, NOISY])
    raw = welch(BETTER.accuracies, BASE.accuracies)
    assert (better.method, better.difference) == ("welch", raw)
    assert better.p == pytest.approx(3 * raw.p), "three pairs, as in the comparison"
    assert noisy.p > 0.05
    alone = scores("alone", 0.7)
    chosen += grouped(unanswered("alone0", "alone"))
    *_, last = effects_against(compare(chosen), chosen, [BASE, BETTER, NOISY, alone])
    assert (last.difference, last.reason) == (None, "not tested yet")
