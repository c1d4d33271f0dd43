"""Every architecture of the catalogue, without a test of its own, keeps these promises.

Large networks are only counted: built in a scope that makes no weights. What computes does
so with the least network of each family, on small images.
"""

import contextlib
import csv
import functools
import os
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy
from made_info import info
from one_step import one_step

from cnnlab.analysis.costs import Costs, costs
from cnnlab.architectures.catalogue import ARCHITECTURES
from cnnlab.config import RunConfig, config_from_dict
from cnnlab.errors import ConfigError
from cnnlab.parameters import ParameterSpec, specs
from cnnlab.training.models import build_network, build_networks

NAMES = sorted(ARCHITECTURES)
# The deepest take most of the time where each network is built and compiled anew: on request only.
DEEPEST = ("convnext", "densenet", "efficientnet", "googlenet", "inception_v3", "resnext")
SLOW = bool(os.environ.get("CNNLAB_SLOW_TESTS"))
NOT_DEEPEST = NAMES if SLOW else [name for name in NAMES if name not in DEEPEST]
MANY_CHOICES = 12
PUBLISHED = [(name, index) for name in NAMES for index in range(len(ARCHITECTURES[name].published))]
TITLES = [f"{name}-{ARCHITECTURES[name].published[index].params}" for name, index in PUBLISHED]
# The table has three digits of 1e9.
HALF_DIGIT = 0.5e6


def config(name: str, size: int | None = None, parameters: Mapping[str, Any] | None = None) -> RunConfig:
    """A config of an architecture, at its own size where none is given."""
    return config_from_dict(
        {
            "architecture": {"name": name, "parameters": dict(parameters or {})},
            "data": {"dataset": "made", "image_size": size},
        }
    )


def counted(name, size=None, parameters=None, **of_info) -> tuple[Costs, Any]:
    """Costs and output shapes of a network whose weights are never made."""
    try:
        with keras.StatelessScope(initialize_variables=False):
            model = build_network(config(name, size, parameters), info(**of_info))
            found = costs(model)
            assert found.num_params == model.count_params()
            return found, keras.tree.map_structure(lambda logits: tuple(logits.shape), model.output)
    finally:
        # Forgets the variables that wait for a value; freeing memory each time would take longer than to build.
        keras.backend.clear_session(free_memory=False)


def small_px(name: str) -> int:
    """A size at which one can afford to compute."""
    return max(16, ARCHITECTURES[name].smallest_px)


def fitting_px(name: str, settings: Mapping[str, Any]) -> int:
    """A small size that suits the settings too."""
    for size in (max(32, ARCHITECTURES[name].smallest_px), 80):
        with contextlib.suppress(ConfigError):
            config(name, size, settings)
            return size
    raise AssertionError(f"{name} with {settings} fits no small images")


def ends(spec: ParameterSpec) -> list[Any]:
    """The least and the most that a setting may be, or every choice."""
    if spec.kind == "choice":
        return list(spec.choices)
    if spec.kind == "boolean":
        return [False, True]
    if spec.kind == "other":  # such as a list of layers, which has tests of its own
        return [spec.default]
    return [int(end) if spec.kind == "integer" else end for end in (spec.low, spec.high)]


def variants(name: str) -> list[dict[str, Any]]:
    """The defaults, all ranges at their low and at their high end, and every choice."""
    known = specs(ARCHITECTURES[name].parameters)
    ranges = [spec for spec in known if spec.kind != "choice"]
    choices = [{spec.name: value} for spec in known for value in spec.choices if value != spec.default]
    if len(choices) > MANY_CHOICES and not SLOW:  # the networks of keras.applications
        choices = choices[::8]
    sides = [{spec.name: ends(spec)[side] for spec in ranges} for side in (0, -1)] if ranges else []
    return [{}, *sides, *choices]


def least(name: str) -> dict[str, Any]:
    """The settings of the smallest network: each at its low end, a choice at its first."""
    return {
        spec.name: spec.default if spec.kind == "boolean" else ends(spec)[0]
        for spec in specs(ARCHITECTURES[name].parameters)
    }


@functools.cache
def small_networks(name: str) -> tuple[keras.Model, keras.Model | None]:
    """The smallest network of a family, with real weights, for small images."""
    keras.utils.set_random_seed(0)
    return build_networks(config(name, small_px(name), least(name)), info())


def pixels(name: str, count: int = 2) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (count, small_px(name), small_px(name), 3)).astype("float32")


class Caught(keras.optimizers.SGD):
    """Keeps the gradients and changes nothing."""

    def apply(self, grads, trainable_variables=None):
        self.caught = {
            variable.path: None if gradient is None else float(keras.ops.max(keras.ops.abs(gradient)))
            for variable, gradient in zip(trainable_variables or self._trainable_variables, grads, strict=True)
        }


@pytest.mark.parametrize("name", NAMES)
def test_every_end_of_every_setting_builds_and_is_counted(name):
    for settings in variants(name):
        found, shape = counted(name, fitting_px(name, settings), settings)
        assert shape == (None, 10)
        assert found.not_counted == (), settings
        assert found.macs == sum(row.macs for row in found.rows)
        assert found.trainable_params > 0


@pytest.mark.parametrize("name", NAMES)
def test_it_builds_at_its_smallest_size_grey_and_with_two_outputs(name):
    outputs = {"shape": ("a", "b", "c"), "colour": ("d", "e")}
    _, shapes = counted(name, ARCHITECTURES[name].smallest_px, channels=1, outputs=outputs)
    assert shapes == {"shape": (None, 3), "colour": (None, 2)}


@pytest.mark.parametrize("name", NAMES)
def test_it_builds_at_odd_sizes(name):
    for size in (33, 100):
        assert counted(name, size)[1] == (None, 10)


@functools.cache
def published_costs(name: str, index: int) -> Costs:
    """Costs of the network that a published count speaks of."""
    one = ARCHITECTURES[name].published[index]
    classes = tuple(map(str, range(one.num_classes)))
    return counted(name, None, one.parameters, channels=one.channels, outputs={"label": classes})[0]


@pytest.mark.parametrize(("name", "index"), PUBLISHED, ids=TITLES)
def test_it_has_as_many_parameters_as_published(name, index):
    found = published_costs(name, index)
    assert found.trainable_params == ARCHITECTURES[name].published[index].params
    assert found.not_counted == ()


@pytest.mark.parametrize(
    ("name", "index"), [(name, index) for name, index in PUBLISHED if ARCHITECTURES[name].published[index].table_row]
)
def test_it_equals_its_row_of_the_table(name, index, shared):
    published = ARCHITECTURES[name].published[index]
    with (shared / "reference" / "imagenet_torchvision.csv").open(encoding="utf-8") as lines:
        row = next(row for row in csv.DictReader(lines) if row["model"] == published.table_row)
    # One row of the table lacks its count.
    assert row["params"] in ("", str(published.params))
    assert published_costs(name, index).macs == pytest.approx(1e9 * float(row["gmacs"]), rel=0.01, abs=HALF_DIGIT)


@pytest.mark.training
@pytest.mark.parametrize("name", NOT_DEEPEST)
def test_it_takes_pixels_and_returns_logits_and_so_does_its_saved_copy(name, tmp_path):
    model, images = small_networks(name)[0], pixels(name)
    answer = convert_to_numpy(model(images))
    assert answer.shape == (len(images), 10)
    assert np.isfinite(answer).all()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(convert_to_numpy(loaded(images)), answer, rtol=1e-5, atol=1e-5)


@pytest.mark.training
@pytest.mark.parametrize("name", NAMES)
def test_every_trainable_weight_gets_a_gradient(name):
    network, with_auxiliary = small_networks(name)
    optimizer = Caught(0.1)
    one_step(network, with_auxiliary, optimizer, pixels(name, 4))
    assert set(optimizer.caught) >= {weight.path for weight in network.trainable_weights}
    assert [path for path, largest in optimizer.caught.items() if not largest] == []


@pytest.mark.parametrize("name", NAMES)
def test_its_entry_is_complete(name):
    entry = ARCHITECTURES[name]
    assert entry.title
    assert entry.summary.endswith(".")
    if entry.year:  # what a person makes has no paper
        assert any(sign in entry.source for sign in ("arXiv:", "doi:"))
        assert entry.authors
        assert entry.paper
        assert entry.key_idea.endswith(".")
    assert 8 <= entry.smallest_px <= entry.natural_px
    assert entry.natural_px <= 64 or entry.small_images.endswith(".")
    for one in entry.published:
        entry.check(one.parameters)
        assert one.source


def test_counts_by_hand():
    lenet, _ = counted("lenet5", channels=1)
    assert lenet.num_params == 61_706
    # By hand: 28*28*6*25 + 10*10*16*25*6 + 400*120 + 120*84 + 84*10.
    assert lenet.macs == 117_600 + 240_000 + 48_000 + 10_080 + 840
    assert counted("resnet")[0].trainable_params == 272_474
    assert counted("vgg_small")[0].num_params == 1_250_858


@pytest.mark.parametrize(("blocks", "layers"), [(3, 20), (5, 32), (9, 56)])
def test_resnet_depth_is_6n_plus_2(blocks, layers):
    found, _ = counted("resnet", parameters={"blocks_per_stack": blocks})
    weighted = [row for row in found.rows if row.kind in ("Conv2D", "Dense")]
    assert len([row for row in weighted if "shortcut" not in row.name]) == layers
