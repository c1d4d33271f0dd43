"""A study in a real browser: it moves on by itself, a click opens a trial's run, and every view fits the window."""

import os

import pytest
from harness import views
from made_studies import BEGAN, make_study
from playwright.sync_api import expect

from cnnlab.runs import trials
from cnnlab.runs.store import Store
from cnnlab.runs.studies import study_dir

pytestmark = pytest.mark.browser
TWO = {"objectives": ["val_accuracy", "macs"], "algorithm": {"name": "nsga2"}}
ALL = ("Progress", "Hyperparameters", "Importance", "Trade-off", "Timeline", "Trials", "Space")
# The widest ones; with CNNLAB_SLOW_TESTS all.
IS_SLOW = bool(os.environ.get("CNNLAB_SLOW_TESTS"))
NAMES = ALL if IS_SLOW else ("Hyperparameters", "Trials")


def test_it_moves_on_and_a_click_opens_a_run(server, open_tab):
    store = Store(server.store)
    # As just after its start, when nobody works on it yet.
    statuses = ("completed", "running", "completed", "running")
    made = make_study(store, 4, statuses, has_runs=True, state="running", is_compact=False)
    tab = open_tab()
    tab.open(f"/study?study={made.study_id}")
    ended = tab.page.get_by_test_id("stMetric").filter(has_text="Trials ended")
    expect(ended).to_contain_text("2 of 40")
    reached = {"status": "completed", "objectives": {"val_accuracy": 0.99}, "ended_at": BEGAN.isoformat()}
    trials.say(study_dir(store, made.study_id), "0001", **reached)
    expect(ended).to_contain_text("3 of 40")
    expect(tab.page.get_by_test_id("stMetric").filter(has_text="Best")).to_contain_text("99.00 %")
    ask_to_kill_while_it_moves_on(tab, store, made)
    point = tab.page.locator(".st-key-best .scatterlayer .trace .points path.point").first
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    tab.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tab.page.wait_for_url("**/run?run=*")
    assert tab.errors == []


def ask_to_kill_while_it_moves_on(tab, store, made):
    """A question stays on the screen while a better trial ends."""
    view = tab.page.get_by_role("radiogroup", name="View")
    view.get_by_text("Trials", exact=True).click()
    tab.settle()
    box = tab.page.get_by_test_id("stDataFrame").bounding_box()
    tab.page.mouse.click(box["x"] + 18, box["y"] + box["height"] - 17)
    tab.page.get_by_role("button", name="Kill").click()
    question = tab.page.get_by_role("dialog").get_by_text("it counts as cancelled")
    expect(question).to_be_visible()
    trials.say(study_dir(store, made.study_id), "0000", status="completed", objectives={"val_accuracy": 0.999})
    expect(tab.page.get_by_test_id("stMetric").filter(has_text="Best")).to_contain_text("99.90 %")
    expect(question).to_be_visible()
    tab.page.get_by_role("button", name="Keep it").click()
    view.get_by_text("Progress").click()
    tab.settle()


@pytest.mark.parametrize(("width", "scheme"), views((400, "dark"), (1280, "light")))
def test_every_view_fits(server, open_tab, width, scheme):
    made = make_study(Store(server.store), 24, ("failed", "stopped"), **TWO)
    tab = open_tab(width, color_scheme=scheme)
    paths = [f"/study?study={made.study_id}&view={name}" for name in NAMES]
    for path in (*paths, *(["/study"] if IS_SLOW else []), "/tune", "/search_lesson"):
        tab.open(path)
        assert tab.problems() == [], path
        assert tab.errors == [], path
        assert tab.overflow_px() <= 0, f"{path} is wider than the window"
