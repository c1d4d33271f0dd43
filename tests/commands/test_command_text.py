"""'Copy as command' and the command line agree."""

import shlex

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from layer_lists import layer_lists
from test_config import configs
from typer.testing import CliRunner

from cnnlab.commands.options import OPTIONS, pairs, with_config, with_model
from cnnlab.commands.text import as_command, as_options
from cnnlab.config import RunConfig, config_from_dict
from cnnlab.errors import ConfigError

FOUND: list[RunConfig] = []
APP = typer.Typer(pretty_exceptions_enable=False)
APP.command()(with_config(lambda config: FOUND.append(config)))


def parse(words: list[str]) -> RunConfig:
    """Read options as the real command line does."""
    result = CliRunner().invoke(APP, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return FOUND.pop()


@given(configs())
def test_the_command_makes_the_same_config(config):
    if config.name.startswith("-"):
        config = config.model_copy(update={"name": ""})
    words = shlex.split(" ".join(as_options(config)))
    assert parse(words) == config


@given(layer_lists())
def test_a_layer_list_survives_the_command_line(layers):
    config = config_from_dict({"architecture": {"name": "layers", "parameters": {"layers": layers}}})
    assert parse(shlex.split(" ".join(as_options(config)))) == config


def test_a_layer_list_is_written_briefly():
    layers = ["conv", "max_pool", {"kind": "conv", "filters": 64, "activation": "gelu"}, "global_average_pool"]
    config = config_from_dict({"architecture": {"name": "layers", "parameters": {"layers": layers}}})
    assert as_options(config)[-1] == (
        "--param 'layers=[conv, max_pool, {kind: conv, filters: 64, activation: gelu}, global_average_pool]'"
    )


def test_a_parameter_that_is_no_yaml_is_refused():
    with pytest.raises(ConfigError, match=r"its value is no YAML\. Check its brackets, colons and quotes"):
        pairs(["layers=[conv, {kind"], "-p")


def test_the_command_names_only_what_is_not_default():
    config = config_from_dict(
        {
            "data": {"dataset": "shapes", "parameters": {"count": 600}},
            "architecture": {"name": "resnet", "parameters": {"width": 8}},
            "augmentation": "flip_lr | crop(pad=2)",
            "training": {"epochs": 3, "optimizer": "sgd", "nesterov": False},
        }
    )
    assert as_command(config, "train") == (
        "python -m cnnlab train --dataset shapes --data-param count=600 --architecture resnet --param width=8 "
        f"--augmentation {shlex.quote(config.augmentation)} --epochs 3 --optimizer sgd --no-nesterov"
    )
    assert as_command(RunConfig()) == "python -m cnnlab submit --dataset digits --architecture lenet5"


def test_flags_are_unique():
    flags = [option.flag for option in OPTIONS]
    assert len(set(flags)) == len(flags)


def test_options_win_over_the_file(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text("training: {epochs: 3, seed: 9}\narchitecture: {name: resnet, parameters: {width: 8}}\n")
    config = parse(["--config", str(file), "--epochs", "4", "-p", "blocks_per_stack=1"])
    assert (config.training.epochs, config.training.seed) == (4, 9)
    assert config.architecture.parameters | {"width": 8, "blocks_per_stack": 1} == config.architecture.parameters


@pytest.mark.parametrize("item", ["width", "=3", ""])
def test_a_parameter_without_value_is_refused(item):
    with pytest.raises(ConfigError, match=r"cannot be read\. Expected name=value, such as --param width=16"):
        pairs([item], "--param")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30))
def test_notes_survive_the_shell(notes):
    config = config_from_dict({"notes": notes})
    assert shlex.split(" ".join(as_options(config)))[-1:] == ([notes] if notes else ["lenet5"])


def test_an_import_reads_its_options_from_yaml_and_the_line(tmp_path):
    from cnnlab.datasets.shape_choice import ImportOptions

    file = tmp_path / "import.yaml"
    file.write_text("image_size: 48\nfit: pad\nseed: 3\n")
    found = []
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(with_model(ImportOptions, "the import")(lambda options: found.append(options)))
    result = CliRunner().invoke(app, ["--config", str(file), "--fit", "stretch"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert (found[0].image_size, found[0].fit, found[0].seed) == (48, "stretch", 3)
