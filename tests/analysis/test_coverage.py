"""Simulated trainings: intervals hold the truth as often as they say, and tests keep their level.

Counts are judged by binomial bounds at three and a half standard errors, so that a right method fails once in two
thousand runs; the seeds are fixed, so it does not fail at all.
"""

import math

import numpy as np
import polars as pl
import pytest
from scipy.special import ndtr

from cnnlab.analysis.comparison import compare
from cnnlab.analysis.intervals import student_share
from cnnlab.analysis.pairing import AnsweredRun, Outcomes
from cnnlab.analysis.ranks import rank_ranges
from cnnlab.analysis.share_intervals import over_seeds_and_images, wilson_ends
from cnnlab.analysis.sides import sides_of
from cnnlab.analysis.significance import mcnemar, paired, welch
from cnnlab.analysis.two_level import pairwise

TRIALS = 300
IMAGES = 300
LEAST = 0.95 - 3.5 * math.sqrt(0.95 * 0.05 / TRIALS)
MOST_WRONG = 0.05 + 3.5 * math.sqrt(0.95 * 0.05 / TRIALS)
# What varies, as deviations on the latent scale: seeds, images for all settings alike, images for one setting, answers.
KINDS = {
    "seeds": (0.15, 1.0, 0.3, 0.6),
    "images": (0.01, 1.0, 1.0, 0.3),
    "answers": (0.02, 1.0, 0.1, 1.0),
    "all": (0.05, 1.0, 0.5, 0.6),
}


def trained(rng, kind, seeds, level, difficulty):
    """Right or not of the networks of one setting, on images of the given difficulty."""
    of_seeds, _, of_setting, of_answers = KINDS[kind]
    latent = level + difficulty + rng.normal(0, of_setting, len(difficulty)) + rng.normal(0, of_seeds, (seeds, 1))
    return latent + rng.normal(0, of_answers, (seeds, len(difficulty))) > 0


def truth(kind, level):
    return float(ndtr(level / math.sqrt(sum(deviation**2 for deviation in KINDS[kind]))))


@pytest.mark.parametrize("seeds", [(2, 2), (3, 3), (2, 5)])
@pytest.mark.parametrize("kind", KINDS)
def test_intervals_over_seeds_and_images_hold_the_truth(kind, seeds):
    rng = np.random.default_rng(11)
    expected = truth(kind, 1.1) - truth(kind, 1.0)
    held = 0
    for _ in range(TRIALS):
        difficulty = rng.normal(0, KINDS[kind][1], IMAGES)
        groups = [trained(rng, kind, n, level, difficulty) for n, level in zip(seeds, (1.1, 1.0), strict=True)]
        found = pairwise(groups).of(0, 1)
        held += found.low <= expected <= found.high
    assert held / TRIALS >= LEAST


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("kind", KINDS)
def test_the_interval_of_a_class_over_seeds_and_images_holds_the_truth(kind, seeds):
    """Of a class with 40 images, where seeds often agree to the last one: Student's over seeds alone does not."""
    rng = np.random.default_rng(21)
    level, images = 2.0, 40
    expected, held, held_by_student = truth(kind, level), 0, 0
    for _ in range(TRIALS):
        hits = trained(rng, kind, seeds, level, rng.normal(0, KINDS[kind][1], images)).sum(axis=1, keepdims=True)
        ends = wilson_ends(hits, np.full(hits.shape, images))
        _, low, high, _ = over_seeds_and_images(hits / images, *ends)
        held += low[0] <= expected <= high[0]
        _, least, most = student_share(hits[:, 0] / images)
        held_by_student += least <= expected <= most
    assert held / TRIALS >= LEAST
    if kind == "images":
        assert held_by_student / TRIALS < 0.9


def test_plain_resampling_does_not():
    """With two seeds the percentiles of the two-level bootstrap leave the truth out far too often."""
    rng = np.random.default_rng(12)
    expected, held, trials, draws = truth("seeds", 1.1) - truth("seeds", 1.0), 0, 120, 250
    for _ in range(trials):
        difficulty = rng.normal(0, 1, 600)
        resampled = []
        weights = np.stack([np.bincount(rng.integers(0, 600, 600), minlength=600) for _ in range(draws)]) / 600
        for level in (1.1, 1.0):
            means = weights @ trained(rng, "seeds", 2, level, difficulty).T
            resampled.append((means * rng.multinomial(2, [0.5, 0.5], draws) / 2).sum(axis=1))
        low, high = np.quantile(resampled[0] - resampled[1], [0.025, 0.975])
        held += low <= expected <= high
    assert held / trials < 0.9


def test_the_interval_over_images_holds_the_truth_for_two_networks():
    rng = np.random.default_rng(13)
    held = 0
    for _ in range(TRIALS):
        difficulty = rng.normal(0, 1, IMAGES)
        # Two given networks: other images are all that may vary.
        one, two = (rng.normal(level, 0.5, IMAGES) + difficulty > 0 for level in (1.0, 0.8))
        found = paired(one, two)
        expected = ndtr(1.0 / math.sqrt(1.25)) - ndtr(0.8 / math.sqrt(1.25))
        held += found.low <= expected <= found.high
    assert held / TRIALS >= LEAST


# Not of "images": Welch speaks of these very images, and that other images would differ it cannot know.
@pytest.mark.parametrize("kind", ["seeds", "answers", "all"])
def test_no_difference_is_found_where_there_is_none(kind):
    rng = np.random.default_rng(14)
    wrong = {"two_level": 0, "welch": 0}
    for _ in range(TRIALS):
        difficulty = rng.normal(0, 1, IMAGES)
        groups = [trained(rng, kind, 3, 1.0, difficulty) for _ in range(2)]
        wrong["two_level"] += pairwise(groups).of(0, 1).p < 0.05
        wrong["welch"] += welch(*(group.mean(axis=1) for group in groups)).p < 0.05
    assert wrong["two_level"] / TRIALS <= MOST_WRONG
    assert wrong["welch"] / TRIALS <= MOST_WRONG


def test_mcnemar_keeps_its_level():
    rng = np.random.default_rng(15)
    pairs = rng.random((TRIALS, 2, 100)) < 0.8
    wrong = sum(mcnemar(int((one & ~two).sum()), int((two & ~one).sum())) < 0.05 for one, two in pairs)
    assert 0 < wrong / TRIALS <= 0.05  # exact tests are careful


def test_a_table_rarely_names_a_false_order():
    """Of eight equal settings, in one table of twenty at most is anything told apart or a true rank left out."""
    rng = np.random.default_rng(16)
    ids = [f"image-{place}" for place in range(IMAGES)]
    wrong, trials = 0, 150
    for _ in range(trials):
        difficulty = rng.normal(0, 1, IMAGES)
        runs = [
            AnsweredRun(f"{group}-{seed}", "d", "v", "label", made(ids, is_right))
            for group in range(8)
            for seed, is_right in enumerate(trained(rng, "all", 3, 1.0, difficulty))
        ]
        keys = {run.run_id: run.run_id[0] for run in runs}
        found = compare(sides_of(runs, keys, {key: key for key in keys.values()}))
        wrong += bool(found.is_told_apart.any())
        ranks = rank_ranges([one.mean for one in found.standings], found.is_told_apart)
        assert [(one.best_rank, one.worst_rank) for one in found.standings] == ranks
    assert wrong / trials <= 0.05 + 3.5 * math.sqrt(0.95 * 0.05 / trials)


def made(ids, is_right):
    return Outcomes(pl.Series(ids), np.zeros(len(ids), np.int32), is_right, ("a", "b"))
