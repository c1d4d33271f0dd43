"""Each rule on evidence made by hand: what it must see, what it must not, and that it never breaks."""

import json
import math

import made_evidence as made
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.config import config_from_dict
from cnnlab.doctor.catalogue import RULES
from cnnlab.doctor.evidence import DataFacts, Evidence
from cnnlab.doctor.examine import diagnosis_from_dict, diagnosis_to_dict, examine
from cnnlab.doctor.finding import Finding, NotChecked, thinned
from cnnlab.runs.lines import pack, unpack
from cnnlab.runs.schema import METRICS, PREDICTIONS, PROBES, STEPS, polars_schema

FLAT = [made.CHANCE_LOSS] * 60


def of(rule: str, evidence: Evidence) -> Finding:
    """Ask one rule, which must find something."""
    verdict = RULES[rule].check(evidence)
    assert isinstance(verdict, Finding), verdict
    assert verdict.rule == rule
    return verdict


def test_a_healthy_run_has_nothing_and_every_rule_looked():
    diagnosis = examine(made.healthy())
    assert diagnosis.findings == ()
    assert diagnosis.not_checked == {}
    assert diagnosis.checked == tuple(RULES)


def test_every_rule_says_what_it_means_and_what_to_do():
    for name, rule in RULES.items():
        assert rule.name == name
        assert rule.title
        assert rule.source
        assert rule.meaning.endswith(".")
        assert rule.advice.endswith(".")
        assert set(rule.explained_by) <= set(RULES)


def test_no_number():
    found = of("nan_loss", made.healthy(steps=made.steps([2.3, 9.0, 80.0, math.nan])))
    assert found.severity == "serious"
    assert found.sentence == "The training loss is no number any more at step 4."
    assert found.advice.endswith("train again with a learning rate of 0.001, with warm-up epochs, or with clipped "
                                 "gradients.")  # fmt: skip
    assert found.chart is not None
    assert found.chart.mark == (4, "no number")
    only_val = made.healthy(metrics=made.metrics(train_loss=[2.0], val_loss=[math.inf]))
    assert of("nan_loss", only_val).sentence == "The validation loss is no number any more in epoch 1."


@pytest.mark.parametrize(
    ("losses", "sentence"),
    [
        ([2.3, 2.4, 5.0, 5.1, 5.2, 5.1, *FLAT], "The loss rose from 2.3 to 5.1 by step 6."),
        ([2.3, 600.0, *FLAT], "The loss rose from 2.3 to 600 by step 2."),
        ([*made.falling(2.3, 0.2, 40), *[1.8] * 9], "The loss jumped from 0.227 back to 1.8 at step 43."),
    ],
)
def test_a_rate_too_high(losses, sentence):
    found = of("learning_rate_high", made.healthy(steps=made.steps(losses)))
    assert found.sentence == sentence
    assert found.advice == "Train again with a learning rate of 0.001 or with warm-up epochs."


def test_a_loss_that_swings():
    swinging = made.metrics(train_loss=[2.2, 1.0, 1.9, 0.9, 1.8, 0.8], val_loss=[2.0] * 6)
    found = of("learning_rate_high", made.healthy(metrics=swinging))
    assert found.sentence == "The training loss goes up and down: it rose in 2 of 5 epochs."
    assert found.severity == "warning"


def barely(change: float) -> Evidence:
    still = [[made.layer(position, weight_change=change) for position in range(5)]] * 4
    line = made.falling(2.3, 2.25, 4)
    chance = made.metrics(train_loss=line, val_loss=line, train_accuracy=[0.12] * 4, val_accuracy=[0.2] * 4)
    return made.healthy(4, metrics=chance, steps=made.steps(made.falling(2.3, 2.25, 40)), probes=made.probes(*still))


def test_a_rate_too_low():
    found = of("learning_rate_low", barely(0.002))
    assert found.sentence == (
        "The loss fell by 2.2 % in 4 epochs, from 2.3 to 2.25, and no layer changed by more than 0.2 % in an epoch."
    )
    assert found.advice == "Train again with a learning rate of 0.1 or more."
    assert RULES["learning_rate_low"].check(barely(0.1)) is None  # the weights move: it is not the rate


def test_a_warm_up_under_way_is_waited_for():
    config = config_from_dict({"training": {"epochs": 20, "warmup_epochs": 5}})
    evidence = made.healthy(4, config=config)
    assert RULES["learning_rate_low"].check(evidence) == NotChecked("fewer than 6 epochs are done")


def test_layers_that_stand_still():
    layers = [made.layer(0, weight_change=0.0, gradient_norm=0.0), *(made.layer(place) for place in range(1, 5))]
    found = of("layers_not_learning", made.healthy(probes=made.probes(layers, layers)))
    assert found.sentence == (
        "1 of 5 layers with weights do not learn: their gradients are zero or their weights do not move (conv0)."
    )
    frozen = [made.layer(0, is_frozen=True, gradient_norm=None), *layers[1:]]
    found = of("layers_not_learning", made.healthy(probes=made.probes(frozen)))
    assert (found.severity, "they are frozen (conv0)" in found.sentence) == ("serious", True)


def test_what_has_learnt_all_there_is_stands_still_rightly():
    still = [made.layer(place, weight_change=0.0, gradient_norm=0.0) for place in range(5)]
    learnt = made.metrics(train_loss=[1.0, 0.01], val_loss=[1.0, 0.1])
    evidence = made.healthy(probes=made.probes(still, still), metrics=learnt)
    assert RULES["layers_not_learning"].check(evidence) is None
    assert RULES["vanishing_gradients"].check(evidence) is None


@pytest.mark.parametrize(("dead", "severity"), [(0.75, "warning"), (1.0, "serious")])
def test_dead_units(dead, severity):
    layers = [made.layer(0, dead_share=dead), made.layer(1, dead_share=0.5), made.layer(2, units=2, dead_share=1.0)]
    found = of("dead_relu", made.healthy(probes=made.probes(layers)))
    assert found.severity == severity
    assert found.sentence == f"In conv0, {round(16 * dead)} of 16 ReLU units answer 0 to all probe images."


@pytest.mark.parametrize("dead", [math.nan, math.inf, None])
def test_a_share_that_is_no_number_says_nothing(dead):
    assert isinstance(
        RULES["dead_relu"].check(made.healthy(probes=made.probes([made.layer(0, dead_share=dead)]))), NotChecked
    )


def test_gradients_that_explode():
    layers = [made.layer(place, gradient_norm=10.0**place) for place in range(5)]
    found = of("exploding_gradients", made.healthy(probes=made.probes(layers)))
    assert found.sentence == (
        "After epoch 1 the gradient of all weights together had a norm of 1.0e+04; up to 20 is usual."
    )
    nan = made.probes([made.layer(0, gradient_norm=math.nan)])
    assert isinstance(RULES["exploding_gradients"].check(made.healthy(probes=nan)), NotChecked)


def test_gradients_that_vanish():
    layers = [made.layer(place, gradient_norm=1e-6 * 10.0**place) for place in range(5)]
    found = of("vanishing_gradients", made.healthy(probes=made.probes(layers)))
    assert "in conv0 the gradient is 0.0001 of that of the layer where it is largest" in found.sentence
    few = made.healthy(probes=made.probes(layers[:3]))
    assert isinstance(RULES["vanishing_gradients"].check(few), NotChecked)


def test_overfitting():
    val = [2.0, 1.2, 1.0, 1.0, 1.1, 1.3, 1.5, 1.7]
    lines = made.metrics(train_loss=made.falling(2.0, 0.1, 8), val_loss=val)
    found = of("overfitting", made.healthy(8, metrics=lines))
    assert found.sentence.startswith("The validation loss rose from 1.03 around epoch 4 to 1.5, while the training")
    assert found.chart is not None
    assert found.chart.mark == (4.0, "lowest")
    by_heart = made.metrics(train_loss=[1.0] * 4, val_loss=[1.0] * 4, train_accuracy=[1.0] * 4, val_accuracy=[0.6] * 4)
    found = of("overfitting", made.healthy(4, metrics=by_heart))
    assert found.sentence == "100 % of the training images are right, but 60 % of the validation's."
    assert found.advice.endswith("more images or a smaller network.")


def test_copies_in_other_splits():
    data = DataFacts({"label": made.CLASSES}, {}, {"train": 1000, "val": 200, "test": 200}, {"val": 20, "test": 1})
    found = of("leaked_validation", made.healthy(data=data))
    assert found.severity == "serious"
    assert found.sentence == (
        "20 images of val (10 %) and 1 image of test (0.5 %) have an exact copy in train: results on them are better "
        "than on new images."
    )
    one = DataFacts({"label": made.CLASSES}, {}, {"train": 1000, "val": 200, "test": 200}, {"test": 1})
    assert of("leaked_validation", made.healthy(data=one)).severity == "note"


def leading(**config):
    lines = made.metrics(
        train_loss=[1.0] * 6, val_loss=[0.5] * 6, train_accuracy=[0.5, 0.6, 0.65, 0.7, 0.7, 0.7],
        val_accuracy=[0.7, 0.8, 0.85, 0.9, 0.9, 0.9],
    )  # fmt: skip
    return made.healthy(metrics=lines, config=config_from_dict(config))


def test_a_validation_that_leads_without_a_reason():
    found = of("leaked_validation", leading())
    assert "leads that of the next epoch's training by 18.3 points" in found.sentence
    for reason in ({"augmentation": "flip_lr"}, {"training": {"label_smoothing": 0.1}},
                   {"architecture": {"name": "lenet5", "parameters": {"dropout": 0.3}}}):  # fmt: skip
        assert isinstance(RULES["leaked_validation"].check(leading(**reason)), NotChecked)


@pytest.mark.parametrize(("train", "how"), [(0.5, "while that of training rose to 50 %"), (0.11, "and so does that")])
def test_labels_of_other_images(train, how):
    lines = made.metrics(train_loss=[2.3] * 6, val_loss=[2.4] * 6, train_accuracy=[train] * 6, val_accuracy=[0.1] * 6)
    found = of("shuffled_labels", made.healthy(metrics=lines))
    assert "stays at chance (10 %, chance is 10 %)" in found.sentence
    assert how in found.sentence


def test_chance_is_that_of_the_most_frequent_class():
    counts = {"label": {"val": [180, 20], "train": [900, 100]}}
    data = DataFacts({"label": ("a", "b")}, counts, {"train": 1000, "val": 200, "test": 200})
    lines = made.metrics(train_loss=[0.3] * 6, val_loss=[0.3] * 6, train_accuracy=[0.9] * 6, val_accuracy=[0.9] * 6)
    assert "chance is 90 %" in of("shuffled_labels", made.healthy(metrics=lines, data=data)).sentence


def test_a_class_never_predicted():
    labels = list(range(10)) * 10
    found = of("class_never_predicted", made.healthy(predictions=made.predictions(labels, [0] * 100)))
    assert found.sentence == (
        "The network never answers 'b', 'c', 'd', 'e' and 5 more, although 90 images of val and test are that."
    )
    two_left_out = [label if label != 3 else 4 for label in labels]
    found = of("class_never_predicted", made.healthy(predictions=made.predictions(labels, two_left_out)))
    assert found.numbers["classes"] == ["d"]
    assert isinstance(RULES["class_never_predicted"].check(made.healthy(predictions=pl.DataFrame(
        schema=polars_schema(PREDICTIONS)))), NotChecked)  # fmt: skip


@pytest.mark.parametrize(("mean", "std"), [(78.0, 80.0), (0.0, 0.001), (9.0, 1.0)])
def test_input_that_is_not_normalised(mean, std):
    evidence = made.healthy(probes=made.probes([made.layer(0, input_mean=[mean], input_std=[std])]))
    assert (
        f"a mean of {mean:.3g} and a standard deviation of {std:.3g}" in of("input_not_normalised", evidence).sentence
    )
    scaled = made.healthy(probes=evidence.probes, brings_scaling=True)
    assert isinstance(RULES["input_not_normalised"].check(scaled), NotChecked)


def test_a_feed_that_starves():
    waiting = made.metrics(train_loss=[1.0] * 4, val_loss=[1.0] * 4, train_feed_wait=[0.0, 0.6, 0.7, 0.65])
    found = of("starved_feed", made.healthy(metrics=waiting))
    assert found.sentence.startswith("The steps wait for images 65 % of their time")
    hiccup = made.metrics(train_loss=[1.0] * 4, val_loss=[1.0] * 4, train_feed_wait=[0.9, 0.01, 0.02, 0.9])
    assert RULES["starved_feed"].check(made.healthy(metrics=hiccup)) is None
    brief = waiting.with_columns(pl.col("elapsed_s") / 1000)
    assert RULES["starved_feed"].check(made.healthy(metrics=brief)) is None


def test_a_consequence_is_left_out_beside_its_cause():
    lines = made.metrics(train_loss=[2.3] * 6, val_loss=[2.4] * 6, train_accuracy=[0.1] * 6, val_accuracy=[0.1] * 6)
    evidence = made.healthy(metrics=lines, steps=made.steps([2.3, 600.0, *FLAT]))
    assert isinstance(RULES["shuffled_labels"].check(evidence), Finding)
    assert [finding.rule for finding in examine(evidence).findings] == ["learning_rate_high"]


def test_a_diagnosis_survives_its_file():
    evidence = made.healthy(steps=made.steps([2.3, 9.0, math.nan]), probes=made.probes([made.layer(0, dead_share=1.0)]))
    diagnosis = examine(evidence)
    written = json.loads(json.dumps(pack(diagnosis_to_dict(diagnosis)), allow_nan=False))
    assert written["serious"] == 2
    assert diagnosis_from_dict(unpack(written)) == diagnosis
    assert diagnosis_from_dict({**written, "version": 0}) is None


def test_long_lines_keep_their_peaks():
    values = [0.0] * 10_000
    values[1234] = 7.0
    series = thinned(range(10_000), values, "loss")
    assert len(series.x) <= 400
    assert (1234, 7.0) in zip(series.x, series.y, strict=True)


NUMBERS = st.one_of(st.none(), st.floats(width=32), st.sampled_from([0.0, 1.0, 1e-30, 1e30]))
LINES = ["train_loss", "val_loss", "train_accuracy", "val_accuracy", "train_feed_wait"]
OF_LAYERS = ["gradient_norm", "weight_norm", "weight_change", "dead_share", "activation_mean"]
LAYER = st.fixed_dictionaries(dict.fromkeys(OF_LAYERS, NUMBERS))


@given(
    lines=st.dictionaries(st.sampled_from(LINES), st.lists(NUMBERS, max_size=12)),
    losses=st.lists(NUMBERS, max_size=30),
    looks=st.lists(st.lists(LAYER, max_size=6), max_size=4),
    channels=st.lists(st.floats(width=32), max_size=3),
    answers=st.lists(st.tuples(st.integers(0, 9), st.one_of(st.none(), st.integers(0, 9))), max_size=20),
    knows_data=st.booleans(),
)
def test_no_rule_breaks_on_anything_a_run_may_write(lines, losses, looks, channels, answers, knows_data):
    rows = [[made.layer(place, **row) for place, row in enumerate(look)] for look in looks]
    for look in rows:
        for row in look[:1]:
            row |= {"input_mean": channels, "input_std": channels}
    parts = {} if knows_data else {"data": DataFacts()}
    evidence = made.healthy(
        metrics=made.metrics(**lines), steps=made.steps(losses), probes=made.probes(*rows),
        predictions=made.predictions([one for one, _ in answers], [two for _, two in answers]), **parts,
    )  # fmt: skip
    diagnosis = examine(evidence)
    json.dumps(pack(diagnosis_to_dict(diagnosis)), allow_nan=False)
    for finding in diagnosis.findings:
        assert finding.sentence.endswith(".")
        assert finding.advice.endswith(".")


def test_an_empty_run_has_nothing_checked():
    empty = {
        "metrics": METRICS, "steps": STEPS, "probes": PROBES, "predictions": PREDICTIONS,
    }  # fmt: skip
    frames = {name: pl.DataFrame(schema=polars_schema(table)) for name, table in empty.items()}
    diagnosis = examine(made.healthy(data=DataFacts(), **frames))
    assert diagnosis.checked == ()
    assert diagnosis.findings == ()
