"""From a baseline and changes to configs: every plan gives the configs it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.ablation import (
    AblationPlan,
    Change,
    change_text,
    changed,
    parse_change,
    plan_from_dict,
    plan_from_yaml,
)
from cnnlab.ablation_offers import TRAINING, TRICKS, offers
from cnnlab.config import RunConfig, config_from_dict, flatten
from cnnlab.errors import ConfigError

CHANGES = {
    "smooth": {"training.label_smoothing": 0.1},
    "longer": {"training.epochs": 30},
    "sgd": {"training.optimizer": "sgd", "training.learning_rate": 0.1},
    "flip": {"augmentation+": "flip_lr"},
    "cutout": {"augmentation+": "cutout(8)"},
    "resnet": {"architecture.name": "resnet", "architecture.parameters.width": 8},
}
ORDERS = st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=6, unique=True)


def plan(names, **values) -> AblationPlan:
    changes = [{"name": name, "settings": CHANGES[name]} for name in names]
    return plan_from_dict({"baseline": {}, "changes": changes, **values})


@given(ORDERS, st.booleans(), st.integers(1, 4))
def test_each_variant_has_its_changes_and_no_other(names, is_cumulative, seeds):
    made = plan(names, is_cumulative=is_cumulative, seeds=seeds)
    variants = made.variants()
    assert len(variants) == 1 + len(names)
    assert variants[0].config == RunConfig()
    for place, name in enumerate(names, start=1):
        active = names[:place] if is_cumulative else [name]
        expected = RunConfig()
        for one in active:
            expected = changed(expected, Change(name=one, settings=CHANGES[one]))
        assert variants[place].config == expected
        assert variants[place].against == (place - 1 if is_cumulative else 0)
        flat, before = (flatten(variants[at].config.to_dict()) for at in (place, variants[place].against))
        moved = {key for key in {*flat, *before} if flat.get(key) != before.get(key)}
        prefixes = tuple(key.rstrip("+-").removesuffix(".name") for key in CHANGES[name])
        assert all(key.startswith(prefixes) for key in moved)
    runs = made.runs()
    assert {config.repeats for _, config in runs} == {seeds}
    assert len({config.fingerprint() for _, config in runs}) == len(runs)
    assert plan_from_yaml(made.to_yaml()) == made


@given(st.sampled_from(sorted(CHANGES)))
def test_a_change_as_text_reads_back(name):
    change = Change(name=name, settings=CHANGES[name])
    assert parse_change(change_text(change)) == change


def test_steps_of_the_augmentation_add_up_and_are_taken_away():
    base = config_from_dict({"augmentation": "flip_lr|crop(4)"})
    assert changed(base, Change(name="a", settings={"augmentation-": "flip_lr"})).augmentation == "crop(pad=4)"
    assert plan(["flip", "cutout"], is_cumulative=True).variants()[2].config.augmentation == "flip_lr|cutout(8)"


def test_texts_of_changes():
    sgd = parse_change("SGD=training.optimizer=sgd;training.learning_rate=0.1")
    assert (sgd.name, sgd.settings) == ("SGD", {"training.optimizer": "sgd", "training.learning_rate": 0.1})
    spaced = parse_change("SGD = training.optimizer = sgd; training.learning_rate = 0.1")
    assert spaced == sgd
    crop = parse_change("augmentation=flip_lr|crop(pad=4)")
    assert (crop.name, crop.settings) == ("augmentation flip_lr|crop(pad 4)", {"augmentation": "flip_lr|crop(pad=4)"})
    assert parse_change("augmentation+=cutout(8)").settings == {"augmentation+": "cutout(8)"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("faster", r"^The change 'faster' cannot be read\. Expected name=key=value, .*label_smoothing=0\.1'\.$"),
        ("a=training.epochs=[", r"the value of training\.epochs is no YAML\. Check its brackets and quotes\.$"),
        ("a=training.seed=3", r"^Change 'a' sets training\.seed, which an ablation keeps .* Leave it out\.$"),
        ("a=data.dataset=shapes", r"^Change 'a' sets data\.dataset, which"),
        ("baseline=training.epochs=3", r"^'baseline' cannot name a change\. "),
    ],
)
def test_what_cannot_be_a_change(text, sentence):
    with pytest.raises(ConfigError, match=sentence):
        parse_change(text)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ([("a", {"training.epoch": 3})], r"^Change 'a': Unknown setting 'training\.epoch'.*Did you mean 'epochs'\?$"),
        ([("a", {"training.epochs": 0})], r"^Change 'a': training\.epochs=0 is out of range\."),
        ([("a", {"training.epochs.x": 3})], r"^Change 'a': training\.epochs\.x goes too deep\. .* YAML of a run\.$"),
        ([("a", {"training.epochs": 20})], r"^Change 'a' changes nothing: baseline has training\.epochs=20 already\."),
        ([("a", {"training.epochs": 3}), ("A", {"training.epochs": 4})], r"^Two changes are called 'a'\."),
        ([], r"changes="),
    ],
)
def test_plans_that_are_refused(changes, sentence):
    values = {"baseline": {}, "changes": [{"name": name, "settings": settings} for name, settings in changes]}
    with pytest.raises(ConfigError, match=sentence):
        plan_from_dict(values)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"augmentation": "flip_lr|cutout(8)", "architecture": {"name": "resnet"}},
        {"training": {"label_smoothing": 0.1, "schedule": "one_cycle"}, "tricks": {"decay_all": True}},
        {"training": {"epochs": 1}},
    ],
    ids=["defaults", "augmented", "with tricks", "one epoch"],
)
def test_every_offer_makes_a_valid_difference(values):
    base = config_from_dict(values)
    found = offers(base)
    assert len({offer.change.name for offer in found}) == len(found) > 10
    for offer in found:
        made = plan_from_dict({"baseline": values, "changes": [offer.change.model_dump()]})
        assert made.variants()[1].config.fingerprint() != base.fingerprint()


def test_every_known_trick_is_offered_to_a_plain_baseline():
    names = {offer.change.name for offer in offers(config_from_dict({"architecture": {"name": "resnet"}}))}
    missing = {name for name, _ in (*TRAINING, *TRICKS)} - names
    assert missing == {"cosine schedule"}  # the default


def test_learnt_weights_are_offered_for_several_outputs_only():
    one, two = ({offer.change.name for offer in offers(RunConfig(), count)} for count in (1, 2))
    assert two - one == {"learnt weights of outputs"}


def test_what_a_baseline_has_can_be_taken_away():
    base = config_from_dict({"augmentation": "flip_lr", "training": {"label_smoothing": 0.1}})
    found = {offer.change.name: offer.change.settings for offer in offers(base)}
    assert found["no label smoothing"] == {"training.label_smoothing": 0.0}
    assert found["no flip left-right"] == {"augmentation-": "flip_lr"}
