"""One run's page in each state, and every way in which a run can be missing."""

import json

import numpy as np
import pytest
from page_text import said

from cnnlab.config import config_from_dict
from cnnlab.errors import RunNotFoundError
from cnnlab.runs import queries
from cnnlab.runs.checkpoint import checkpoint_path
from cnnlab.runs.status import ADVICE
from cnnlab.runs.writer import RunWriter
from dashboard import data

pytestmark = pytest.mark.usefixtures("queue")


def keys(app) -> set[str]:
    return {button.key for button in app.button}


def test_no_run_chosen(open_page):
    app = open_page("run")
    assert "**No run chosen**" in said(app)
    assert "Open one from the table of runs." in said(app)


def test_an_unknown_run_is_said_with_the_way_out(open_page, store):
    app = open_page("run", run="nonsense")
    assert "No run 'nonsense'" in app.error[0].value.replace("\\", "")
    assert "List runs with 'python -m cnnlab runs'." in app.error[0].value.replace("\\", "")
    assert store.run_ids() == []


def test_an_address_that_leaves_the_store_is_an_unknown_run(open_page):
    app = open_page("run", run="../../etc")
    assert "No run '../../etc'" in app.error[0].value.replace("\\", "")


def test_a_completed_run_shows_its_numbers(open_page, make_run):
    app = open_page("run", run=make_run())
    metrics = {metric.label: metric for metric in app.metric}
    assert metrics["Test accuracy"].value == "90.0 %"
    assert metrics["Test accuracy"].delta == "59.6 to 98.2 %, n = 10"
    assert metrics["Validation accuracy"].delta == "epoch 3 of 3"
    assert metrics["Parameters"].value == "61,706"
    assert metrics["MACs of one image"].value == "417 k"
    assert metrics["Training time"].value == "4.2 s"
    assert {"clone", "delete"} <= keys(app)
    assert not {"cancel", "retry"} & keys(app)


def test_each_output_has_its_numbers(open_page, make_run):
    run_id = make_run(data={"dataset": "shapes"})
    app = open_page("run", run=run_id)
    assert app.segmented_control(key="output").options == ["shape", "colour", "All together"]
    assert app.metric[0].label == "Test accuracy of shape"
    app.segmented_control(key="output").set_value("colour").run()
    assert app.metric[0].label == "Test accuracy of colour"
    assert "Confusion matrix of 10 images of test in 2 classes" in said(app)
    linked = open_page("run", run=run_id, output="colour")
    assert linked.metric[0].label == "Test accuracy of colour"


def test_all_outputs_together_say_how_often_all_are_right(open_page, make_run):
    app = open_page("run", run=make_run(data={"dataset": "shapes"}), output="All together")
    metrics = {metric.label: metric for metric in app.metric}
    assert metrics["All outputs right"].value == "90.0 %"
    assert {"Test accuracy of shape", "Test accuracy of colour"} <= set(metrics)
    assert "Loss of all outputs together; accuracy of shape" in said(app)


def test_learnt_weights_of_outputs_are_drawn(open_page, make_run, store):
    run_id = make_run("cancelled", data={"dataset": "shapes"}, heads={"uncertainty_weighting": True})
    RunWriter(store.run_dir(run_id)).metrics(
        {"epoch": epoch, "step": epoch, "split": "train", "output": output, "metric": "weight", "value": value * epoch}
        for epoch in (1, 2)
        for output, value in (("shape", 0.5), ("colour", 1.5))
    )
    app = open_page("run", run=run_id)
    assert "Learnt weights of the outputs in epoch 2: colour 3, shape 1." in said(app).replace("\\", "")


def test_the_matrix_turns_to_shares_and_to_validation(open_page, make_run):
    app = open_page("run", run=make_run(), cells="Share of each true class", split="val", order="By size")
    assert app.segmented_control(key="cells").value == "rows"
    assert app.segmented_control(key="order").value == "size"
    assert "images of val" in said(app)
    matrix = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert matrix["layout"]["xaxis"]["title"]["text"] == "Predicted class (cells: % of the true class)"
    app.toggle(key="off_diagonal").set_value(True).run()
    assert json.loads(app.get("plotly_chart")[0].proto.spec) != matrix


@pytest.mark.parametrize("kind", ADVICE)
def test_a_failed_run_says_why_and_what_to_do(open_page, make_run, kind):
    app = open_page("run", run=make_run("failed", kind, "The reason, in *words*."))
    assert "The reason, in \\*words\\*\\." in app.error[0].value
    assert app.info[0].value.replace("\\", "") == ADVICE[kind]
    assert "last line" in app.code[0].value
    assert "retry" in keys(app)


def test_names_of_users_are_no_markup(open_page, make_run):
    app = open_page("run", run=make_run(name="<b>bold</b> :red[x] *y*"))
    assert app.title[0].value == "\\<b\\>bold\\</b\\> \\:red\\[x\\] \\*y\\*"


def test_a_queued_run_is_cancelled_at_once(open_page, queue, store, make_run):
    first, second = (store.create_run(store.read_config(make_run())) for _ in range(2))
    queue.submit(first)
    queue.submit(second)
    app = open_page("run", run=second.name)
    assert ":material/schedule: Waits for a free slot. It is next." in said(app)
    app.button(key="cancel").click().run()
    assert store.read_status(second.name).state == "cancelled"


def test_a_running_run_is_cancelled_after_a_question(open_page, start, store, make_run):
    running = store.create_run(store.read_config(make_run()))
    start(running)
    app = open_page("run", run=running.name)
    app.button(key="cancel").click().run()
    assert "Training stops now. What was measured so far is kept." in said(app)
    assert not (running / "cancel").exists()
    app.button(key="confirm_yes").click().run()
    assert (running / "cancel").exists()


def test_delete_asks_and_can_be_undone(open_page, store, make_run):
    run_id = make_run()
    app = open_page("run", run=run_id)
    app.button(key="delete").click().run()
    assert store.run_dir(run_id)
    app.button(key="confirm_yes").click().run()
    with pytest.raises(RunNotFoundError):
        store.run_dir(run_id)
    assert "was deleted." in app.info[0].value
    app.button(key="restore").click().run()
    assert store.run_dir(run_id)


def test_retry_queues_the_next_attempt(open_page, queue, store, make_run):
    run_id = make_run("failed", "killed", "Killed.")
    open_page("run", run=run_id).button(key="retry").click().run()
    assert [entry.run_id for entry in queue.entries()] == [run_id]
    assert store.read_status(run_id).attempt == 2


def test_runs_of_a_group_are_linked(open_page, make_run):
    run_id = make_run()
    assert not [popover for popover in said(open_page("run", run=run_id)).split("\n") if "different seeds" in popover]
    make_run(training={"seed": 1})
    data.refresh()
    labels = {link.proto.label for link in open_page("run", run=run_id).get("page_link")}
    assert {"Seed 0: completed", "Seed 1: completed", "Compare the group"} <= labels


def test_clone_opens_the_form_with_the_config(open_page, make_run, questions):
    run_id = make_run(training={"epochs": 7})
    app = open_page("train", **{"from": run_id})
    assert app.number_input(key="train.training.epochs").value == 7
    assert questions


def test_the_main_output_is_the_first_that_is_learnt():
    def main(outputs):
        return data.main_output(config_from_dict({"data": {"dataset": "shapes", "outputs": outputs}}))

    assert main(None) == "shape"
    assert main(["colour"]) == "colour"
    assert main(["colour", "shape"]) == "shape"


# === Pausing and training on ===


def write_checkpoint(run_dir, epoch: int, fingerprint: str = "abc-0") -> None:
    position = {"epoch": epoch, "step": 0, "elapsed_s": 1.0}
    about = {"format": 1, "fingerprint": fingerprint, "position": position}
    checkpoint_path(run_dir).parent.mkdir()
    np.savez(checkpoint_path(run_dir), about=np.frombuffer(json.dumps(about).encode(), np.uint8))


def test_a_running_run_is_paused(open_page, start, store, make_run):
    running = store.create_run(store.read_config(make_run()))
    start(running)
    app = open_page("run", run=running.name)
    app.button(key=f"pause.{running.name}").click().run()
    assert (running / "pause").exists()
    assert "Pauses after the steps at hand." in [toast.value for toast in app.toast]
    assert app.button(key=f"pause.{running.name}").disabled


def test_a_paused_run_is_resumed_or_cancelled(open_page, queue, store, make_run):
    run_id = make_run("paused")
    write_checkpoint(store.run_dir(run_id), 4)
    app = open_page("run", run=run_id)
    assert "Paused; its slot is free for others. It goes on after epoch 4 when it is resumed." in app.info[0].value
    assert {f"resume.{run_id}", "cancel", "delete", "clone"} <= keys(app)
    app.button(key=f"resume.{run_id}").click().run()
    assert [entry.run_id for entry in queue.entries()] == [run_id]
    other = make_run("paused")
    open_page("run", run=other).button(key="cancel").click().run()
    assert store.read_status(other).state == "cancelled"


def test_retry_from_the_start_throws_the_checkpoint_away(open_page, queue, store, make_run):
    run_id = make_run("failed", "killed", "Killed.")
    write_checkpoint(store.run_dir(run_id), 4)
    app = open_page("run", run=run_id)
    assert app.button(key="retry").label == "Retry from the checkpoint"
    assert app.button(key="retry").help == "Goes on from its checkpoint, after epoch 4."
    app.button(key="retry_from_start").click().run()
    assert not checkpoint_path(store.run_dir(run_id)).exists()
    assert [entry.run_id for entry in queue.entries()] == [run_id]
    assert "It waits in the queue again and trains from the start." in [toast.value for toast in app.toast]


def test_a_completed_run_is_trained_for_more_epochs(open_page, queue, store, make_run):
    run_id = make_run(data={"image_size": 32}, training={"epochs": 3})
    config = store.read_config(run_id)
    write_checkpoint(store.run_dir(run_id), 3, f"{config.fingerprint()}-0")
    app = open_page("run", run=run_id)
    app.number_input(key="extend_epochs").set_value(4)
    app.button(key="extend").click().run()
    (entry,) = queue.entries()
    training = store.read_config(entry.run_id).training
    assert (training.epochs, training.continue_from) == (7, run_id)
    assert app.query_params["run"] in (entry.run_id, [entry.run_id])


def test_what_cannot_be_trained_on_says_why(open_page, queue, make_run):
    app = open_page("run", run=make_run())
    app.button(key="extend").click().run()
    assert not app.exception
    assert "has no checkpoint to go on from" in app.toast[0].value
    assert queue.entries() == []


@pytest.mark.usefixtures("questions")
def test_a_clone_of_a_continued_run_says_so(open_page, make_run):
    run_id = make_run(training={"epochs": 7, "continue_from": "the-one-before"})
    app = open_page("train", **{"from": run_id})
    assert "Goes on from the last state of run the\\-one\\-before" in app.info[0].value
    app.button(key="from_start").click().run()
    assert not app.exception
    assert not [info for info in app.info if "Goes on from" in info.value]


def test_the_doctor_says_what_it_checked(open_page, make_run):
    text = said(open_page("run", run=make_run()))
    assert "Doctor" in text
    assert "Nothing found." in text
    assert "- Vanishing gradients: not checked, for nobody has looked at the layers yet" in text.replace("\\", "")


def test_the_doctor_shows_a_finding_with_its_evidence(open_page, make_run, store):
    run_id = make_run()
    writer = RunWriter(store.run_dir(run_id))
    writer.steps(1, 1, {"loss": np.array([2.3, 9.0, np.nan])}, [0.01] * 3, 1.0)
    writer.finish()
    app = open_page("run", run=run_id)
    text = said(app).replace("\\", "")
    assert "**The loss is no number**" in text
    assert "The training loss is no number any more at step 3." in text
    assert ":material/lightbulb: The numbers grew until they overflowed" in text


def test_a_queued_run_has_no_doctor(open_page, make_run):
    assert "Doctor" not in said(open_page("run", run=make_run("queued")))


def test_what_people_say_of_a_run_is_written_on_its_page(open_page, make_run, store):
    run_id = make_run(notes="from the form")
    page = open_page("run", run=run_id)
    assert "from the form" in [text.value for text in page.text]
    page.button(key="star").click().run()
    page.multiselect(key="tags_of_chosen").set_value(["Good"]).run()
    page.button(key="archive").click().run()
    row = queries.summaries(store).row(0, named=True)
    assert (row["is_starred"], row["tags"], row["is_archived"]) == (True, ["good"], True)
    assert page.button(key="star").label == "Starred"
    page.button(key="undo").click().run()
    assert queries.summaries(store)["is_archived"].to_list() == [False]
    assert not page.exception


def test_the_curves_have_marks_and_a_logarithmic_axis(open_page, make_run):
    run_id = make_run()
    app = open_page("run", run=run_id, logy="true")
    figures = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    by_title = {one["layout"]["yaxis"]["title"].get("text"): one for one in figures}
    for title in ("Loss (cross-entropy)", "Error (%)"):
        assert by_title[title]["layout"]["yaxis"]["type"] == "log"
        assert {"best", "last"} <= {trace.get("name") for trace in by_title[title]["data"]}
    app.session_state["curve_loss_how"] = True
    app.run()
    assert "**star** is the best epoch" in said(app)
