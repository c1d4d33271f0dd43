"""The config: checked once, the same in YAML and on the command line."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from layer_lists import layer_lists

from cnnlab.architectures.catalogue import ARCHITECTURES
from cnnlab.architectures.entries.applications import smallest_px
from cnnlab.commands.options import OPTIONS
from cnnlab.config import (
    ArchitectureConfig,
    RunConfig,
    TrainingConfig,
    config_from_dict,
    config_from_yaml,
    flatten,
)
from cnnlab.datasets.catalogue import DATASETS
from cnnlab.errors import ConfigError
from cnnlab.parameters import Parameters, specs


def values_of(model: type[Parameters]) -> st.SearchStrategy[dict]:
    """Any values that a parameter model allows, some of them left out."""
    return st.fixed_dictionaries({}, optional={spec.name: _value(spec) for spec in specs(model)})


def parameters_of(architecture: str, size: int) -> st.SearchStrategy[dict]:
    """Any parameters that an architecture allows for images of `size`, as a person may write them."""
    if architecture == "layers":
        return layer_lists((size, size, 3), most=5).map(lambda layers: {"layers": layers})
    fitting = values_of(ARCHITECTURES[architecture].parameters)
    if architecture == "keras_application":
        return fitting.filter(lambda values: smallest_px(values.get("network", "")) <= size)
    return fitting


def _value(spec):
    if spec.kind == "choice":
        return st.sampled_from(spec.choices)
    if spec.kind == "boolean":
        return st.booleans()
    if spec.kind == "integer":
        return st.integers(int(spec.low), int(spec.high))
    if spec.kind == "text":
        return st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True)
    return st.floats(spec.low, spec.high, exclude_min=spec.is_low_open, exclude_max=spec.is_high_open)


@st.composite
def configs(draw) -> RunConfig:
    """Any valid config of the catalogues."""
    training = draw(values_of(TrainingConfig))
    training["warmup_epochs"] = 0.0
    architecture = draw(st.sampled_from(sorted(ARCHITECTURES)))
    dataset = draw(st.sampled_from(sorted(DATASETS)))
    size = draw(st.none() | st.integers(max(16, ARCHITECTURES[architecture].smallest_px), 64))
    return config_from_dict(
        {
            "name": draw(st.text(max_size=20)),
            "data": {
                "dataset": dataset,
                "parameters": draw(values_of(DATASETS[dataset].parameters)),
                "image_size": size,
            },
            "architecture": {
                "name": architecture,
                "parameters": draw(parameters_of(architecture, size or ARCHITECTURES[architecture].natural_px)),
            },
            "training": training,
            "repeats": 1 if training.get("continue_from") else draw(st.integers(1, 50)),
        }
    )


@given(configs())
def test_yaml_round_trip(config):
    assert config_from_yaml(config.to_yaml()) == config


@given(layer_lists())
def test_a_layer_list_in_any_writing_is_one_config(layers):
    config = config_from_dict({"architecture": {"name": "layers", "parameters": {"layers": layers}}})
    assert config_from_yaml(config.to_yaml()) == config
    full = config_from_dict({"architecture": {"name": "layers", "parameters": config.architecture.parameters}})
    assert full.fingerprint() == config.fingerprint()


@given(configs())
def test_the_fingerprint_forgets_what_changes_no_training_only(config):
    other_seed = config.training.model_copy(update={"seed": config.training.seed ^ 1})
    measured = config.compute.model_copy(update={"measure_latency": True})
    others = {"name": "another", "notes": "x", "repeats": 7, "compute": measured}
    same = config.model_copy(update={"training": other_seed, **others})
    other_epochs = config.training.model_copy(update={"epochs": config.training.epochs + 1})
    assert same.fingerprint() == config.fingerprint()
    assert config.model_copy(update={"training": other_epochs}).fingerprint() != config.fingerprint()


def test_a_parameter_that_a_family_got_later_parts_no_group():
    config = config_from_dict({"architecture": {"name": "resnet", "parameters": {"width": 8}}})
    earlier = ArchitectureConfig.model_construct(name="resnet", parameters={"width": 8, "blocks_per_stack": 3})
    assert config.model_copy(update={"architecture": earlier}).fingerprint() == config.fingerprint()
    wider = config_from_dict({"architecture": {"name": "resnet", "parameters": {"width": 9}}})
    assert wider.fingerprint() != config.fingerprint()


def test_repeats_are_runs_with_following_seeds_of_one_group():
    config = config_from_dict({"repeats": 3, "training": {"seed": 5}})
    runs = config.expanded()
    assert [run.training.seed for run in runs] == [5, 6, 7]
    assert {run.repeats for run in runs} == {1}
    assert {run.fingerprint() for run in runs} == {config.fingerprint()}


def test_the_natural_size_is_the_architectures():
    assert RunConfig().image_size == 32
    assert config_from_dict({"data": {"image_size": 20}}).image_size == 20


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"training": {"learning_rate": 0.0}},
            "training.learning_rate=0.0 is out of range. Expected a number in (0, 10].",
        ),
        ({"architecture": {"name": "resnt"}}, "Unknown architecture 'resnt'. Did you mean 'resnet'?"),
        (
            {"architecture": {"name": "resnet", "parameters": {"widht": 16}}},
            "Unknown setting 'widht' for architecture 'resnet'. Did you mean 'width'?",
        ),
        (
            {"architecture": {"name": "resnet", "parameters": {"width": 1}}},
            "width=1 is out of range. Expected an integer in [4, 256].",
        ),
        ({"training": {"optimizer": "adamm"}}, "training.optimizer='adamm' is not known. Did you mean 'adam'?"),
        (
            {"data": {"image_size": 12}},
            "image_size=12 is too small for LeNet-5. Expected at least 16 px. Its natural size is 32 px.",
        ),
        (
            {"training": {"epochs": 3, "warmup_epochs": 3}},
            "warmup_epochs=3 leaves nothing of epochs=3. Expected fewer warm-up epochs than epochs. "
            "Shorten the warm-up or train longer.",
        ),
        (
            {"data": {"dataset": "mine", "parameters": {"count": 3}}},
            "Data set 'mine' takes no parameters, got count. "
            "Leave 'parameters' out, or choose a generated set such as 'shapes'.",
        ),
        ({"epochs": 3}, "Unknown setting 'epochs' for a run. Expected one of: "),
        ({"augmentation": "flipp"}, "Unknown augmentation 'flipp'"),
        (
            {"augmentation": "cutout(64)"},
            "cutout: side=64 is too large for images of 32 px. Expected at most 32. Lower it, or raise the image size.",
        ),
        ("hello", "'hello' is not a mapping for a run. Expected 'name: value' pairs."),
    ],
)
def test_a_wrong_config_is_refused_in_words(values, sentence):
    with pytest.raises(ConfigError) as error:
        config_from_dict(values)
    assert str(error.value).startswith(sentence)


def test_broken_yaml_names_its_line():
    with pytest.raises(ConfigError, match=r"^The YAML cannot be read at line 3\. Check its indentation and quotes\.$"):
        config_from_yaml("data:\n  dataset: [digits\n")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_junk_gives_a_config_error_and_nothing_else(junk):
    for values in (junk, {"data": junk}, {"training": {"epochs": junk}}, {"architecture": {"name": junk}}):
        with contextlib.suppress(ConfigError):
            config_from_dict(values)


def test_every_field_of_the_config_has_an_option_and_help():
    places = {".".join(option.path) for option in OPTIONS}
    fields = set(flatten(RunConfig().to_dict()))
    for option in OPTIONS:
        assert option.spec.help, option.flag
        fields = {field for field in fields if field != ".".join(option.path)}
    assert {field for field in fields if not any(field.startswith(f"{place}.") for place in places)} == set()
