"""Questions about runs that are no list of all: curves of several, and what their configs differ in."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from run_making import complete, fail

from cnnlab.config import RunConfig
from cnnlab.errors import RunNotFoundError
from cnnlab.runs import queries
from cnnlab.runs.store import Store

Make = Callable[..., Path]


def test_metrics_of_several_runs_in_the_order_asked(store: Store, make_run: Make) -> None:
    first, second, live = make_run(complete).name, make_run(fail).name, make_run().name
    frame = queries.metrics(store, [second, live, first, second])
    assert frame["run_id"].unique(maintain_order=True).to_list() == [second, first]
    assert frame.height == 9 + 6


def test_metrics_of_an_unknown_run(store: Store, make_run: Make) -> None:
    with pytest.raises(RunNotFoundError):
        queries.metrics(store, [make_run(complete).name, "gone"])


def test_only_what_differs(store: Store, make_run: Make) -> None:
    a, b = make_run(learning_rate=0.01, seed=1).name, make_run(learning_rate=0.1, seed=1, warmup_epochs=1).name
    assert queries.config_differences(store, [a, b]) == [
        ("training.learning_rate", {a: 0.01, b: 0.1}),
        ("training.warmup_epochs", {a: 0.0, b: 1.0}),
    ]
    assert queries.config_differences(store, [a]) == []
    assert queries.config_differences(store, []) == []
    assert queries.config_differences(store, [a, a]) == []


def test_names_and_notes_are_no_settings(store: Store) -> None:
    ids = [store.create_run(RunConfig(name=name, notes=name)).name for name in ("x", "y")]
    assert queries.config_differences(store, ids) == []


def test_parameters_that_a_run_lacks_are_none(store: Store) -> None:
    lenet = store.create_run(RunConfig.model_validate({"architecture": {"name": "lenet5"}})).name
    resnet = store.create_run(RunConfig.model_validate({"architecture": {"name": "resnet"}})).name
    differences = dict(queries.config_differences(store, [lenet, resnet]))
    assert differences["architecture.name"] == {lenet: "lenet5", resnet: "resnet"}
    assert differences["architecture.parameters.width"] == {lenet: None, resnet: 16}
    assert differences["architecture.parameters.pooling"] == {lenet: "max", resnet: None}


def test_settings_that_an_older_version_did_not_have(store: Store, make_run: Make) -> None:
    old, new = make_run(), make_run()
    values = yaml.safe_load((old / "config.yaml").read_text())
    del values["training"]["label_smoothing"], values["data"]["version"]
    (old / "config.yaml").write_text(yaml.safe_dump(values))
    assert queries.config_differences(store, [old.name, new.name]) == [
        ("training.label_smoothing", {old.name: None, new.name: 0.0})
    ]


def test_false_is_not_zero(store: Store, make_run: Make) -> None:
    a, b = make_run(), make_run()
    text = (b / "config.yaml").read_text()
    (b / "config.yaml").write_text(text.replace("nesterov: true", "nesterov: 1"))
    assert queries.config_differences(store, [a.name, b.name]) == [("training.nesterov", {a.name: True, b.name: 1})]
