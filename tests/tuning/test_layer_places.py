"""Searching within a list of layers: the classic example of an optional third layer, and what is refused."""

import itertools

import numpy as np
import pytest

from cnnlab.commands.studies import values_text
from cnnlab.commands.study_text import study_command
from cnnlab.errors import ConfigError
from cnnlab.settings.layer_places import short_name
from cnnlab.settings.range_text import parse_range, range_text
from cnnlab.settings.ranges import value_key
from cnnlab.settings.searched import searchable
from cnnlab.settings.study import study_from_dict, study_from_yaml
from cnnlab.tuning import space

AT = "architecture.parameters.layers"
LAYERS = ["conv", "flatten", {"kind": "dense", "units": 256}, "dropout", {"kind": "dense", "units": 100}, "dropout"]
RUN = {"architecture": {"name": "layers", "parameters": {"layers": LAYERS}}}
# Two dense layers or three; of the third its own dropout or none, and its units, searched only where it is there.
CLASSIC = {
    f"{AT}.6": {
        "kind": "choice", "values": [None, "dropout"], "only_if": {f"{AT}.5": [{"kind": "dense", "units": 100}]},
    },
    f"{AT}.4.rate": "float(0, 0.9)",
    f"{AT}.3.units": [256, 512, 1024],
    f"{AT}.5": "choice(none, {kind: dense, units: 100})",
    f"{AT}.5.units": "int(32, 512, log)",
}  # fmt: skip


def study(searched=CLASSIC, run=RUN, **others):
    return study_from_dict({"run": run, "space": searched, **others})


def kinds(config) -> list[str]:
    return [layer["kind"] for layer in config.architecture.parameters["layers"]]


def test_layers_are_added_by_a_choice_and_bring_their_settings():
    one = study()
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(40):
        values = space.sample(one, rng)
        layers = space.apply(one, values).architecture.parameters["layers"]
        seen.add(tuple(layer["kind"] for layer in layers[4:]))
        assert (layers[3]["rate"], layers[2]["units"]) == (values[f"{AT}.4.rate"], values[f"{AT}.3.units"])
        has_third = values[f"{AT}.5"] is not None
        assert (f"{AT}.5.units" in values) == (f"{AT}.6" in values) == has_third
        if has_third:
            assert layers[4]["units"] == values[f"{AT}.5.units"]
    assert seen == {(), ("dense",), ("dense", "dropout")}, "without the third dense layer its dropout goes too"


def test_such_a_study_survives_yaml_a_tuner_and_texts():
    one = study()
    assert study_from_yaml(one.to_yaml()) == one
    values = space.sample(one, np.random.default_rng(1))
    sent = {path: space.encode(one.space[path], value) for path, value in values.items()}
    assert all(isinstance(value, str | int | float) for value in sent.values())
    assert space.decode(one, sent) == values
    for searched in one.space.values():
        assert parse_range(range_text(searched)) == searched
    assert f"{AT}.5=choice(null, {{kind: dense" in study_command(one)
    assert "layer_5=dense,100_units,ReLU" in values_text(dict.fromkeys([f"{AT}.5"], one.space[f"{AT}.5"].values[1]))
    assert [short_name(path) for path in (f"{AT}.5", f"{AT}.5.units")] == ["layer 5", "layer 5 units"]


def test_the_size_counts_each_network_once():
    searched = {f"{AT}.5": ["none", "dense", "batch_norm"], f"{AT}.5.units": [8, 16], f"{AT}.4.rate": [0.1, 0.2]}
    one = study(searched)
    grids = [ranged.grid(2) for ranged in one.space.values()]
    combinations = [dict(zip(one.space, chosen, strict=True)) for chosen in itertools.product(*grids)]
    different = {value_key(space.active(one, values)) for values in combinations}
    assert space.size(one) == len(different) == 2 * (1 + 2 + 1)
    assert len({value_key(space.apply(one, values).to_dict()) for values in combinations}) == len(different)


def test_what_a_form_offers():
    offered = searchable(study().run)
    assert offered[f"{AT}.3"].title == "layer 3 (dense, 256 units, ReLU), there or not"
    assert (offered[f"{AT}.3.units"].low, offered[f"{AT}.3.units"].is_log) == (1, True)
    assert f"{AT}.2.units" not in offered
    assert not any(
        path.startswith(f"{AT}.") for path in searchable(study_from_dict({"space": {"training.epochs": [1, 2]}}).run)
    )


@pytest.mark.parametrize(
    ("searched", "said"),
    [
        ({f"{AT}.7": ["none", "dense"]}, "names no layer of the run, which has 6. Expected 1 to 6. Add the layer"),
        ({f"{AT}.3.unit": [1, 2]}, "Layer 3 (dense) has no setting 'unit'. Did you mean 'units'?"),
        ({f"{AT}.3.units": [0, 2]}, f"space.{AT}.3.units: 0 cannot be used"),
        ({f"{AT}.3": ["none", "densee"]}, "Layer 3: unknown kind of layer 'densee'. Did you mean 'dense'?"),
        ({f"{AT}.3": "int(1, 2)"}, "is a range of kind 'int', but takes layers. Expected a choice."),
        ({AT: [["flatten"], ["conv", "flatten"]], f"{AT}.3": ["none", "dense"]}, "the whole list, and a part of it"),
        ({f"{AT}.3.units": [1, 2], f"{AT}.3": ["none", "dropout"]}, "Layer 3 (dropout) has no setting 'units'"),
    ],
)
def test_what_is_no_layer_is_refused(searched, said):
    with pytest.raises(ConfigError) as caught:
        study(searched)
    assert said in str(caught.value)


def test_a_network_without_a_list_has_no_layers_to_search():
    with pytest.raises(ConfigError, match="names no layer of the run, which has 0"):
        study({f"{AT}.1.units": [1, 2]}, run={})


def test_beside_other_networks_layers_are_searched_only_with_the_list():
    one = study({"architecture.name": ["layers", "lenet5"], f"{AT}.3.units": [8, 16]})
    assert one.conditions[f"{AT}.3.units"] == {"architecture.name": ("layers",)}
    assert space.apply(one, {"architecture.name": "lenet5"}).architecture.name == "lenet5"
    kept = space.apply(one, {"architecture.name": "layers", f"{AT}.3.units": 8})
    assert (kinds(kept), kept.architecture.parameters["layers"][2]["units"]) == (kinds(one.run), 8)
