"""The form: what it proposes, what it writes, what it refuses, and that it starts what it shows."""

from dataclasses import replace

import pytest
import streamlit as st
from page_text import said

from cnnlab import processes
from cnnlab.config import RunConfig, config_from_yaml
from cnnlab.runs.status import read_status, write_status
from dashboard import data
from dashboard.components.recipes import promise, recipe_files

pytestmark = pytest.mark.usefixtures("questions", "queue")


def config_of(app) -> RunConfig:
    """Return the config of the box 'Copy as YAML'."""
    return config_from_yaml(next(block.value for block in app.code if block.language == "yaml"))


def test_it_starts_with_the_defaults(open_page):
    app = open_page("train")
    assert config_of(app) == RunConfig()
    assert "Images of 8×8×1 become 32×32×1 for LeNet-5 (its own size)." in said(app)
    assert {metric.label: metric.value for metric in app.metric} == {
        "Parameters": "61,706",
        "MACs of one image": "417 k",
        "Training memory": "1.04 kB",  # Adam at batch 64: 4 * 100 + 64 * 10
        "Time per epoch": "–",
    }
    assert "Time per epoch: not known yet: the data set is built at the first training." in said(app)


def test_the_time_of_an_epoch_comes_from_runs_of_this_machine(open_page, make_run, store):
    run_id = make_run()
    data.dataset("digits")
    app = open_page("train")
    assert "Time per epoch: not known yet: train once." in said(app)  # that run does not say where it computed
    write_status(store.run_dir(run_id), replace(read_status(store.run_dir(run_id)), host=processes.host_name()))
    st.cache_resource.clear()
    app = open_page("train")
    images = data.dataset("digits").info.counts["train"]
    assert next(metric.value for metric in app.metric if metric.label == "Time per epoch") == f"≈ {images / 1234:.1f} s"
    assert f"from 1 completed run of this network on this machine, for {images:,} training images." in said(app)
    app.selectbox(key="train.architecture").set_value("resnet").run()
    assert "of other networks on this machine, scaled by MACs: a rough guess" in said(app)


def test_the_command_names_what_differs(open_page):
    app = open_page("train")
    app.number_input(key="train.training.epochs").set_value(7)
    app.selectbox(key="train.architecture").set_value("resnet")
    app.run()
    command = next(block.value for block in app.code if block.language == "bash")
    assert command == "python -m cnnlab submit --dataset digits --architecture resnet --epochs 7"


def test_options_show_where_they_mean_something(open_page):
    app = open_page("train")
    drawn = {widget.key for widget in (*app.number_input, *app.slider, *app.toggle)}
    assert not {"train.training.momentum", "train.training.nesterov", "train.training.step_factor"} & drawn
    app.selectbox(key="train.training.optimizer").set_value("sgd")
    app.segmented_control(key="train.training.schedule").set_value("step")
    app.run()
    drawn = {widget.key for widget in (*app.number_input, *app.slider, *app.toggle)}
    assert {"train.training.momentum", "train.training.nesterov", "train.training.step_factor"} <= drawn


def test_precision_budget_and_repeatability_are_asked(open_page):
    app = open_page("train")
    app.number_input(key="train.training.time_budget_minutes").set_value(30.0)
    app.number_input(key="train.training.checkpoint_every_s").set_value(60.0)
    app.segmented_control(key="train.training.precision").set_value("bfloat16")
    app.toggle(key="train.training.deterministic").set_value(True).run()
    command = next(block.value for block in app.code if block.language == "bash")
    assert command.endswith("--precision bfloat16 --time-budget-minutes 30.0 --checkpoint-every-s 60.0 --deterministic")


def test_tricks_go_into_the_config_and_the_drawn_rate(open_page, make_run):
    run_id = make_run(name="teacher")
    app = open_page("train")
    drawn = {widget.key for widget in (*app.number_input, *app.slider)}
    assert not {key for key in drawn if "distill_temp" in key or "effective" in key}
    app.number_input(key="train.tricks.scale_rate_from_batch").set_value(16)
    app.number_input(key="train.tricks.ema_decay").set_value(0.999)
    app.number_input(key="train.tricks.sam_rho").set_value(0.05)
    app.segmented_control(key="train.tricks.class_weights").set_value("effective_number")
    app.selectbox(key="train.tricks.distill_from").set_value(run_id).run()
    app.slider(key="train.tricks.distill_temperature").set_value(8.0).run()
    tricks = config_of(app).tricks
    assert (tricks.ema_decay, tricks.sam_rho, tricks.distill_from) == (0.999, 0.05, run_id)
    assert tricks.effective_number_beta == 0.999
    command = next(block.value for block in app.code if block.language == "bash")
    assert command.endswith(
        "--scale-rate-from-batch 16 --ema-decay 0.999 --sam-rho 0.05 --class-weights effective_number "
        f"--distill-from {run_id} --distill-temperature 8.0"
    )
    assert "0.008" in app.get("plotly_chart")[-1].proto.alt, "four times the rate, at four times the batch"


def test_ticks_and_sliders_write_the_line(open_page):
    app = open_page("train")
    app.checkbox(key="train.aug.crop").check().run()
    app.checkbox(key="train.aug.flip_lr").check().run()
    assert app.text_input(key="train.aug.line").value == "crop(pad=4)|flip_lr"
    app.number_input(key="train.aug.crop.pad").set_value(2).run()
    assert config_of(app).augmentation == "crop(pad=2)|flip_lr"
    app.checkbox(key="train.aug.crop").uncheck().run()
    assert config_of(app).augmentation == "flip_lr"


def test_a_typed_line_sets_ticks_and_sliders(open_page):
    app = open_page("train")
    app.text_input(key="train.aug.line").set_value(" cutout( 6 ) | rotate(30)").run()
    assert app.text_input(key="train.aug.line").value == "cutout(6)|rotate(degrees=30)"
    assert app.checkbox(key="train.aug.cutout").value
    assert app.checkbox(key="train.aug.rotate").value
    assert app.slider(key="train.aug.rotate.degrees").value == 30


def test_a_wrong_line_is_said_and_nothing_can_start(open_page):
    app = open_page("train")
    app.text_input(key="train.aug.line").set_value("cutut(6)").run()
    assert app.error[0].value == "Unknown augmentation 'cutut'. Did you mean 'cutout'?"
    assert "Correct the augmentation line first" in app.error[1].value
    assert app.button(key="start").disabled


def test_a_wrong_combination_is_said_and_nothing_can_start(open_page):
    app = open_page("train")
    app.number_input(key="train.training.epochs").set_value(2)
    app.number_input(key="train.training.warmup_epochs").set_value(2.0)
    app.run()
    assert "leaves nothing of epochs=2" in app.error[0].value.replace("\\", "")
    assert app.button(key="start").disabled


def test_yaml_goes_into_the_form_and_comes_out_the_same(open_page):
    config = RunConfig.model_validate(
        {
            "name": "from elsewhere",
            "data": {"dataset": "shapes", "image_size": 48, "outputs": ["colour"], "parameters": {"count": 300}},
            "architecture": {"name": "vgg_small", "parameters": {"width": 24}},
            "augmentation": "noise(std=0.013)|crop(2, reflect)",
            "training": {
                "optimizer": "sgd",
                "learning_rate": 0.03,
                "nesterov": False,
                "weight_decay": 5e-05,
                "seed": 4,
            },
            "repeats": 3,
        }
    )
    app = open_page("train")
    app.text_area(key="pasted_yaml").set_value(config.to_yaml())
    app.button(key="load_yaml").click().run()
    assert not app.exception
    assert config_of(app) == config
    app.run()
    assert config_of(app) == config


@pytest.mark.parametrize("name", list(recipe_files()))
def test_a_recipe_fills_the_form_and_says_what_it_reaches(open_page, name):
    app = open_page("train")
    app.selectbox(key="recipe").set_value(name).run()
    assert not app.exception
    path = recipe_files()[name]
    assert config_of(app) == config_from_yaml(path.read_text(encoding="utf-8"))
    what, measured = promise(path)
    assert what in said(app).replace("\\", "")
    assert measured in said(app).replace("\\", "")
    assert "python -m" not in measured


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "There is nothing to load. Paste the YAML of a config into the box first."),
        ("training: {epocs: 3}", "Unknown setting 'training.epocs' for a run. Did you mean 'epochs'?"),
        ("a: [", "The YAML cannot be read at line 1. Check its indentation and quotes."),
    ],
)
def test_wrong_yaml_is_said_and_leaves_the_form_alone(open_page, text, sentence):
    app = open_page("train")
    app.text_area(key="pasted_yaml").set_value(text)
    app.button(key="load_yaml").click().run()
    assert app.error[0].value.replace("\\", "") == sentence
    assert config_of(app) == RunConfig()


def test_an_unknown_run_to_clone_is_said(open_page):
    app = open_page("train", **{"from": "nonsense"})
    assert "No run 'nonsense'" in app.error[0].value.replace("\\", "")


def test_a_data_set_from_the_address(open_page):
    assert config_of(open_page("train", dataset="shapes")).data.dataset == "shapes"


def test_a_data_set_that_is_not_in_the_store_is_said(open_page):
    app = open_page("train", dataset="my-images")
    assert "Data set my-images is not in this store" in app.warning[0].value.replace("\\", "")
    assert "What it costs is known as soon as its data set is in this store." in [one.value for one in app.caption]
    assert list(app.error) == [], "said twice, and the second time with another way out"


def test_what_was_set_is_still_there_after_a_look_at_another_page(open_page):
    app = open_page("train")
    app.number_input(key="train.training.epochs").set_value(9)
    app.checkbox(key="train.aug.cutout").check().run()
    app.switch_page("app_pages/queue.py").run()
    app.switch_page("app_pages/train.py").run()
    assert config_of(app).training.epochs == 9
    assert app.checkbox(key="train.aug.cutout").value


def test_start_queues_a_run_per_repeat_and_opens_the_first(open_page, queue, store):
    app = open_page("train")
    app.slider(key="train.repeats").set_value(2).run()
    assert app.button(key="start").label == "Start 2 trainings"
    app.button(key="start").click().run()
    assert not app.exception
    assert len(store.run_ids()) == 2
    assert {store.read_config(run_id).training.seed for run_id in store.run_ids()} == {0, 1}
    assert {entry.run_id for entry in queue.entries()} == set(store.run_ids())
    assert store.read_config("".join(app.query_params["run"])).training.seed == 0


def test_costs_are_asked_anew_only_for_another_network(open_page, questions):
    app = open_page("train")
    app.number_input(key="train.training.epochs").set_value(7).run()
    asked = [arguments for kind, arguments in questions if kind == "costs"]
    assert all(arguments == asked[0] for arguments in asked)


def test_a_network_for_large_images_is_proposed_at_the_size_of_small_ones(open_page):
    page = open_page("train", architecture="resnet_imagenet", dataset="shapes")
    sizes = [widget.value for widget in page.number_input if widget.label.startswith("Image size")]
    assert sizes == [32]
    assert any("--image-size 32" in code.value for code in page.code)


def test_the_form_gets_a_trainer_ready(open_page, questions, queue, monkeypatch):
    asked = []
    monkeypatch.setattr(type(queue), "warm", lambda _queue, backend: asked.append(backend))
    open_page("train")
    assert asked == ["tensorflow"]
    assert questions
