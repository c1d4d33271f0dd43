"""The sentences of a comparison: they name the numbers, and claim no more than these say."""

import numpy as np
from answered_runs import answered, grouped, single, unanswered

from cnnlab.analysis.comparison import compare
from cnnlab.analysis.sides import group_names
from cnnlab.analysis.verdict import counted, named, verdict


def said(sides, baseline=0):
    names = {run.run_id: f"run {run.run_id}" for side in sides for run in side.runs}
    return verdict(compare(sides, baseline), sides, sides[baseline].key, names)


def first(count, images=1000):
    return np.arange(images) < count


def test_of_few_images_that_differ_the_interval_is_of_one_mind_with_the_test():
    found = said(single(answered("A", first(350, 359)), answered("B", first(354, 359))))
    assert found.headline == "B and A cannot be told apart."
    assert "+1.11 points (exact 95 % interval -0.25 to +2.83, exact McNemar p = 0.12)" in found.numbers


def test_two_networks():
    two = np.concatenate([first(763, 903), np.ones(97, bool)])
    better = np.concatenate([np.ones(903, bool), first(0, 97)])
    found = said(single(answered("A", two), answered("B", better)))
    assert found.headline == "B is better than A."
    assert found.numbers.startswith(
        "90.30 % against 86.00 % of 1,000 test images: +4.30 points (paired bootstrap 95 % "
    )
    assert "exact McNemar p = 0.0" in found.numbers
    assert found.numbers.endswith(" B is right on 140 images that A gets wrong, A on 97.")
    assert found.reach.startswith("This speaks of these trained networks, not of their settings")
    assert said(single(answered("A", two), answered("B", better)), 1).headline == "A is worse than B."


def test_two_that_are_tied():
    found = said(single(answered("A", "1" * 50 + "01"), answered("B", "1" * 50 + "10")))
    assert found.headline == "B and A cannot be told apart."
    assert "+0.00 points" in found.numbers
    assert "p = 1)" in found.numbers


def test_two_groups_name_their_seeds_and_what_shuffling_can_say():
    rng = np.random.default_rng(1)
    runs = [
        answered(f"{group}{seed}", rng.random(500) < share, group=group)
        for group, share in (("A", 0.6), ("B", 0.9))
        for seed in range(3)
    ]
    found = said(grouped(*runs))
    assert found.headline == "B is better than A."
    assert "of 500 test images, over 3 and 3 seeds: +" in found.numbers
    assert "On average a network of B is right on " in found.numbers
    assert "permutation p = 0.1, which with 3 and 3 seeds cannot be below 0.1." in found.numbers
    assert found.reach == ""


def test_seeds_of_one_setting_differ_by_chance():
    runs = [answered("A", first(900), group="g"), answered("B", first(800), group="g")]
    assert said(single(*runs)).reach.startswith("These runs have the same settings and differ in their seed only")


def test_one_seed_beside_several():
    rng = np.random.default_rng(2)
    runs = [answered(f"A{seed}", rng.random(200) < 0.7, group="A") for seed in range(2)]
    found = said(grouped(*runs, answered("B0", rng.random(200) < 0.7, group="B")))
    assert found.reach == "B has one seed: what is said there is of that one network, not of its settings."
    assert ", over 1 and 2 seeds: " in found.numbers


def test_many_with_one_best():
    sides = single(
        answered("A", first(500)), answered("B", first(700)), answered("C", first(900)), answered("D", first(510))
    )
    found = said(sides)
    assert found.headline == "C is better than the 3 others."
    assert "Against A: 3 better (B, C, D)." in found.numbers
    assert found.numbers.endswith("All 6 pairs are tested, with Holm's correction.")
    assert "Against C: 3 worse (A, B, D)." in said(sides, 2).numbers


def test_many_that_are_tied_are_no_ranking():
    rng = np.random.default_rng(3)
    sides = single(*[answered(name, rng.random(100) < 0.8) for name in "ABC"])
    assert said(sides).headline == "No difference between these 3 is more than noise."
    sides = single(*[answered(name, rng.random(400) < share) for name, share in (("A", 0.5), ("B", 0.9), ("C", 0.9))])
    assert "is highest, but 1 of the 2 others cannot be told apart from it: " in said(sides).headline
    assert "2 better (B, C)" in said(sides).numbers


def test_what_is_left_out_is_named():
    ids = [f"image-{place}" for place in range(100)]
    found = said(
        single(
            answered("A", "1" * 100, ids),
            answered("B", "1" * 80, ids[:80], version="v2"),
            unanswered("C"),
            answered("D", "1" * 100, ids, views="flip"),
        )
    )
    assert found.notes == (
        "Compared on the 80 test images that all of them share; also tested on others: run A (20 more), "
        "run D (20 more).",
        "Not compared: C (not tested yet).",
        "Part of a difference may come from how they were tested: run A (one view), run B (one view), "
        "run D (mean over flip).",
    )


def test_nothing_to_compare():
    alone = said(single(answered("A", first(900))))
    assert alone.headline.startswith("A is right on 90.00 % (95 % interval 87.98 to 91.7")
    assert alone.headline.endswith("Choose a second to compare it with.")
    odd = said(single(answered("A", first(900)), unanswered("B")))
    assert odd.headline.endswith("None of the others fits to it.")
    assert odd.notes == ("Not compared: B (not tested yet).",)
    assert said(single(unanswered("A"), unanswered("B"))).headline == "Nothing can be compared yet."


def test_groups_of_one_name_are_told_by_their_settings():
    rows = [{"run_id": run, "group_id": group, "name": "net"} for run, group in (("a0", "a"), ("a1", "a"), ("b0", "b"))]
    found = group_names(rows, lambda _: [("training.learning_rate", {"a0": 0.1, "b0": 0.2})])
    assert found == {"a": "net (learning_rate=0.1)", "b": "net (learning_rate=0.2)"}
    assert group_names(rows, lambda _: []) == {"a": "net", "b": "net"}
    other = [{**rows[0], "name": "other"}, rows[2]]
    assert group_names(other, lambda _: [("never", {})]) == {"a": "other", "b": "net"}


def test_words_for_numbers():
    assert (counted(140, 1), counted(140.25, 3), counted(1400.0, 3)) == ("140", "140.2", "1,400")
    assert named("abcdefg") == "a, b, c, d, e and 2 more"
