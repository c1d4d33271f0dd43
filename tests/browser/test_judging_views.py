"""A closer look at answers in a real browser: the address follows the clicks, and every view fits a phone."""

import pytest
from made_answers import give_answers, made_answers
from made_runs import make_run

from cnnlab.runs.store import Store

pytestmark = pytest.mark.browser


@pytest.fixture
def runs(server):
    made = []
    for seed in range(2):
        run_id = make_run(server.store, training={"epochs": 2, "seed": seed})
        val, test = (made_answers(200, 12, seed=2 * seed + place) for place in (0, 1))
        give_answers(Store(server.store).run_dir(run_id), val, test)
        made.append(run_id)
    return made


def test_views_of_a_run_and_of_a_comparison(open_tab, runs):
    tab = open_tab(400, color_scheme="dark")
    tab.open(f"/run?run={runs[0]}")
    for view, key in (("ROC and precision-recall", "roc"), ("Top-k", "top_k"), ("Confidence", "reliability")):
        tab.page.get_by_role("radio", name=view).click()
        tab.page.locator(f".st-key-run_label_{key} .js-plotly-plot").wait_for()
        tab.settle()
        tab.page.wait_for_function("view => new URL(location).searchParams.get('closer') === view", arg=view)
        assert tab.overflow_px() <= 0, view
    tab.page.locator(".st-key-run_label_reliability_how button").click()
    tab.page.get_by_text("Under the line it is too sure of itself").wait_for()
    tab.open(f"/compare?runs={','.join(runs)}&part=Confidence&sure=Threshold&mean=true")
    tab.page.locator(".st-key-compare_selective .js-plotly-plot").wait_for()
    assert tab.problems() == tab.errors == []
    assert tab.overflow_px() <= 0
