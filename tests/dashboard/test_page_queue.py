"""The queue's page: what waits, in which order, and how to change it."""

from page_text import said

from cnnlab.config import RunConfig
from dashboard import data


def test_an_empty_queue_says_what_to_do(open_page, queue):
    app = open_page("queue")
    assert queue.entries() == []
    assert "1 CPU slot on this machine" in said(app)
    assert "**Nothing runs and nothing waits**" in said(app)
    assert "Start a training; it goes to the first free slot at once." in said(app)


def test_order_and_its_change(open_page, queue, store):
    runs = [store.create_run(RunConfig(name=f"number {place}")) for place in range(3)]
    for run in runs:
        queue.submit(run)
    app = open_page("queue")
    assert [link.proto.label for link in app.get("page_link")] == ["number 0", "number 1", "number 2"]
    assert "Waiting (2)" in said(app)
    app.button(key=f"up.{runs[2].name}").click().run()
    assert [entry.run_id for entry in queue.entries()] == [runs[0].name, runs[2].name, runs[1].name]


def test_a_waiting_run_is_taken_out_and_a_running_one_after_a_question(open_page, queue, start, store):
    runs = [store.create_run(RunConfig()) for _ in range(2)]
    start(runs[0])
    queue.submit(runs[1])
    app = open_page("queue")
    app.button(key=f"drop.{runs[1].name}").click().run()
    assert store.read_status(runs[1].name).state == "cancelled"
    app.button(key=f"cancel.{runs[0].name}").click().run()
    assert not (runs[0] / "cancel").exists()
    app.button(key="confirm_yes").click().run()
    assert (runs[0] / "cancel").exists()


def test_runs_are_paused_and_resumed(open_page, queue, start, store, make_run):
    runs = [store.create_run(RunConfig()) for _ in range(2)]
    start(runs[0])
    queue.submit(runs[1])
    app = open_page("queue")
    app.button(key=f"pause.{runs[1].name}").click().run()
    assert store.read_status(runs[1].name).state == "paused"
    app.button(key=f"pause.{runs[0].name}").click().run()
    assert (runs[0] / "pause").exists()
    data.refresh()
    app = open_page("queue")
    assert "Paused (1)" in said(app)
    assert "has not trained yet" in said(app)
    app.button(key=f"resume.{runs[1].name}").click().run()
    assert [entry.run_id for entry in queue.entries()] == [runs[0].name, runs[1].name]
    paused = make_run("paused")
    data.refresh()
    app = open_page("queue")
    app.button(key=f"drop.{paused}").click().run()
    assert store.read_status(paused).state == "cancelled"


def test_the_trainer_that_waits_is_switched(open_page, queue, monkeypatch):
    app = open_page("queue")
    assert app.toggle(key="warm").disabled  # CNNLAB_WARM decides
    monkeypatch.delenv("CNNLAB_WARM")
    queue.choose_warm(True)
    app = open_page("queue")
    assert app.toggle(key="warm").value
    assert "None waits at present." in said(app)
    app.toggle(key="warm").set_value(False).run()
    assert not queue.warm_state().is_wanted
    assert not open_page("queue").toggle(key="warm").value
