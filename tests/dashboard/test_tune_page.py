"""The form of a study: ranges, conditions, objectives, what it will come to, and that it begins as it was written."""

import pytest
from made_studies import make_config, make_study
from page_text import said

from cnnlab.config import RunConfig
from cnnlab.errors import ConfigError
from cnnlab.parameters import specs
from cnnlab.runs.studies import studies, study_dir
from cnnlab.settings.study import study_from_dict, study_from_yaml
from cnnlab.settings.training import TrainingConfig
from dashboard.components.range_editor import first_ends
from dashboard.components.study_text import refuse_own_files
from dashboard.components.tune_form import objective_texts, objective_title

pytestmark = pytest.mark.usefixtures("questions", "watched")
TRAINING = {spec.name: spec for spec in specs(TrainingConfig)}


@pytest.fixture
def watched(queue, monkeypatch) -> list:
    """The folders of the studies that were begun; nothing is started."""
    found: list = []
    monkeypatch.setattr(queue, "look_after_study", found.append)
    return found


def unescaped(app) -> str:
    return said(app).replace("\\", "")


def metrics_of(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def written(app):
    """The study that the form shows as YAML."""
    return study_from_yaml(next(block.value for block in app.code if block.language == "yaml"))


def test_a_new_form_is_a_study_that_can_begin(open_page, store, watched):
    app = open_page("tune")
    assert not app.error
    study = written(app)
    assert list(study.space) == ["training.learning_rate", "training.optimizer"]
    rate = study.space["training.learning_rate"]
    assert (rate.kind, rate.log) == ("float", True)
    assert rate.low < RunConfig().training.learning_rate < rate.high
    assert metrics_of(app)["Trials"] == "20"
    assert metrics_of(app)["Search space"] == "continuous"
    app.text_input(key="tune.name").set_value("mine").run()
    app.button(key="start").click().run()
    assert not app.exception
    (made,) = studies(store)
    assert made.config == study.model_copy(update={"name": "mine"})
    assert watched == [study_dir(store, made.study_id)]
    assert app.query_params["study"] == made.study_id


def test_ranges_conditions_and_steps_reach_the_study(open_page):
    app = open_page("tune")
    app.multiselect(key="tune.searched").set_value(
        ["training.optimizer", "training.momentum", "training.batch_size", "training.epochs"]
    ).run()
    app.multiselect(key="tune.values.training.optimizer").set_value(["sgd", "adam", "rmsprop"]).run()
    app.multiselect(key="tune.if.training.momentum.training.optimizer").set_value(["sgd"]).run()
    app.segmented_control(key="tune.kind.training.batch_size").set_value("Choice").run()
    app.text_input(key="tune.typed.training.batch_size").set_value("32, 64,128").run()
    app.number_input(key="tune.low.training.epochs").set_value(2).run()
    app.number_input(key="tune.high.training.epochs").set_value(10).run()
    app.number_input(key="tune.step.training.epochs").set_value(4).run()
    assert not app.error, app.error[0].value
    study = written(app)
    assert study.space["training.momentum"].only_if == {"training.optimizer": ("sgd",)}
    assert study.space["training.batch_size"].values == (32, 64, 128)
    assert study.space["training.epochs"].grid(5) == [2, 6, 10]
    assert "Searched where optimizer is sgd." in unescaped(app)


def test_the_size_of_a_small_space(open_page):
    app = open_page("tune")
    app.multiselect(key="tune.searched").set_value(["training.optimizer", "training.nesterov"]).run()
    app.multiselect(key="tune.values.training.optimizer").set_value(["sgd", "adam"]).run()
    # Nesterov means something with SGD only: two trials there, one with Adam.
    assert metrics_of(app)["Search space"] == "3"
    assert metrics_of(app)["Trials"] == "3"


def test_layers_and_augmentation_are_searched_as_lines(open_page):
    app = open_page("tune")
    app.multiselect(key="tune.searched").set_value(["augmentation"]).run()
    assert "A choice of 1 is no choice." in unescaped(app)
    app.text_area(key="tune.typed.augmentation").set_value("none\nflip_lr\nflip_lr|crop(pad=4)").run()
    assert not app.error
    assert written(app).space["augmentation"].values == ("", "flip_lr", "flip_lr|crop(pad=4)")


def test_the_parameters_of_every_chosen_architecture_are_offered(open_page):
    app = open_page("tune")
    app.multiselect(key="tune.searched").set_value(["architecture.name"]).run()
    app.multiselect(key="tune.values.architecture.name").set_value(["lenet5", "resnet"]).run()
    options = app.multiselect(key="tune.searched").options
    assert any(option.startswith("Architecture: ") for option in options)
    app.multiselect(key="tune.searched").set_value(["architecture.name", "architecture.parameters.width"]).run()
    assert not app.error
    assert "Searched where architecture is resnet." in unescaped(app)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("tune.high.training.learning_rate", 1e-9, "is not below"),
        ("tune.high.training.learning_rate", 99.0, "out of range"),
    ],
)
def test_a_wrong_range_is_said_and_cannot_begin(open_page, key, value, sentence):
    app = open_page("tune")
    app.number_input(key=key).set_value(value).run()
    assert sentence in app.error[0].value.replace("\\", "")
    assert app.button(key="start").disabled


def test_several_objectives_need_an_algorithm_for_them(open_page):
    app = open_page("tune")
    app.multiselect(key="tune.objectives").set_value(["val_accuracy:max", "macs:min"]).run()
    assert not app.error  # random takes several
    app.selectbox(key="tune.algorithm.name").set_value("bayesian").run()
    assert "takes one objective" in app.error[0].value.replace("\\", "")
    app.selectbox(key="tune.algorithm.name").set_value("nsga2").run()
    assert not app.error
    assert [one.text() for one in written(app).objectives] == ["val_accuracy:max", "macs:min"]


def test_latency_says_that_other_workers_disturb_it(open_page, monkeypatch):
    monkeypatch.setenv("CNNLAB_SLOTS", "2")
    app = open_page("tune")
    app.multiselect(key="tune.objectives").set_value(["val_accuracy:max", "latency_ms:min"]).run()
    assert "Latency is measured while" not in unescaped(app)
    app.number_input(key="tune.workers").set_value(2).run()
    assert "Latency is measured while the other workers train" in unescaped(app)


def test_objectives_say_their_direction_and_outputs():
    assert objective_title("macs:min") == "MACs of one image (lower is better)"
    assert objective_title("val_accuracy/colour:max") == "Validation accuracy of colour (higher is better)"
    assert objective_title("no such thing") == "no such thing"
    shapes = RunConfig.model_validate({"data": {"dataset": "shapes"}})
    assert "val_accuracy/shape:max" in objective_texts(shapes)
    assert not any("/" in text for text in objective_texts(RunConfig()))


def test_a_run_as_base_and_a_study_cloned(open_page, store, make_run):
    run_id = make_run(training={"epochs": 7}, name="mine")
    app = open_page("tune", **{"from": run_id})
    assert written(app).run.training.epochs == 7
    made = make_study(store, 3, pruning={"rule": "median"}, budget={"trials": 40, "hours": 2.0}, workers=3, name="x")
    app = open_page("tune", study=made.study_id)
    assert not app.error, app.error[0].value
    again = written(app)
    assert again == made.config


def test_pasted_yaml_fills_the_form(open_page):
    app = open_page("tune")
    study = make_config(
        name="pasted", seed=7, algorithm={"name": "tpe", "initial_points": 4},
        space={
            "training.learning_rate": "float(0.001, 0.1, log)",
            "training.label_smoothing": "float(0, 0.2, step=0.05)",
            "augmentation": ["", "flip_lr"],
            "training.early_stopping_epochs": [0, 3],
            "training.deterministic": [True, False],
        },
    )  # fmt: skip
    app.text_area(key="tune_pasted").set_value(study.to_yaml()).run()
    app.button(key="tune_load").click().run()
    assert not app.error, app.error[0].value
    assert written(app) == study
    app.text_area(key="tune_pasted").set_value("space: {}").run()
    app.button(key="tune_load").click().run()
    assert app.error


def test_layers_that_are_there_or_not_are_searched_in_the_form(open_page):
    app = open_page("tune")
    at = "architecture.parameters.layers"
    study = make_config(
        run={"architecture": {"name": "layers", "parameters": {"layers": ["flatten", "dense", "dropout"]}}},
        space={
            f"{at}.2": ["none", "dense"],
            f"{at}.2.units": "int(8, 64, log)",
            f"{at}.3": {"kind": "choice", "values": [None, "dropout"], "only_if": {f"{at}.2": ["dense"]}},
        },
    )
    app.text_area(key="tune_pasted").set_value(study.to_yaml()).run()
    app.button(key="tune_load").click().run()
    assert not app.error, app.error[0].value
    assert written(app) == study
    assert "Searched where layer 2 is dense, 128 units, ReLU." in unescaped(app)
    assert app.multiselect(key=f"tune.values.{at}.3").options == ["None", "dropout, 25 %"]


def test_trials_that_are_left_out_are_all_of_hyperband(open_page):
    app = open_page("tune")
    app.selectbox(key="tune.algorithm.name").set_value("hyperband").run()
    app.number_input(key="tune.budget.epochs").set_value(9).run()
    assert metrics_of(app)["Trials"] == "23"
    assert written(app).budget.trials is None
    app.number_input(key="tune.budget.trials").set_value(10).run()
    assert metrics_of(app)["Trials"] == "10"


def test_the_form_outlives_a_look_at_another_page(open_page):
    app = open_page("tune")
    app.multiselect(key="tune.searched").set_value(["training.momentum", "training.optimizer"]).run()
    app.number_input(key="tune.low.training.momentum").set_value(0.2).run()
    before = written(app)
    app.switch_page("app_pages/queue.py").run()
    app.switch_page("app_pages/tune.py").run()
    assert written(app) == before


@pytest.mark.parametrize(
    "space", [{"transfer.source": ["/etc/passwd.keras", "scratch.keras"]}, {"architecture.name": ["lenet5", "own"]}]
)
def test_no_page_takes_a_file_of_this_machine(space):
    from cnnlab.architectures.catalogue import LOCAL

    if "architecture.name" in space:
        space = {"architecture.name": ["lenet5", next(iter(LOCAL))]}
    study = study_from_dict({"space": space})
    with pytest.raises(ConfigError, match="Pages open and run no files"):
        refuse_own_files(study)
    refuse_own_files(make_config())


@pytest.mark.parametrize(
    ("name", "base", "ends"),
    [
        ("learning_rate", 0.01, (0.001, 0.1)),
        ("batch_size", 64, (6, 640)),
        ("epochs", 10, (5, 20)),
        ("momentum", 0.9, (0.0, 0.99)),
    ],
)
def test_first_ends_are_around_the_value_and_within_the_bounds(name, base, ends):
    spec = TRAINING[name]
    low, high = first_ends(spec, base)
    assert (low, high) == pytest.approx(ends, rel=0.02)
    assert spec.low is None or low >= spec.low
    assert spec.high is None or high <= spec.high


@pytest.mark.parametrize("name", [name for name, spec in TRAINING.items() if spec.kind in ("integer", "number")])
def test_every_number_has_a_first_range_that_is_one(name):
    spec = TRAINING[name]
    low, high = first_ends(spec, spec.default)
    kind = "int" if spec.kind == "integer" else "float"
    if name in ("seed",):
        return
    found = {"kind": kind, "low": low, "high": high, "log": spec.is_log}
    run = {"training": {"optimizer": "sgd", "schedule": "step"}}
    study_from_dict({"run": run, "space": {f"training.{name}": found}})
