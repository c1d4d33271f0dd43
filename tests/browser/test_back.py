"""The browser's Back and Forward lead from view to view, each in one step, and to the view that was left."""

import pytest
from made_runs import make_run
from playwright.sync_api import expect
from test_compare_clicks import click_point

pytestmark = pytest.mark.browser


def test_back_and_forward_lead_to_the_views_that_were_left(server, open_tab):
    runs = [
        make_run(server.store, name=f"run {seed}", accuracy=0.8 + seed / 20, training={"epochs": 2, "seed": seed})
        for seed in range(3)
    ]
    tab = open_tab()
    page = tab.page
    tab.open("/runs")
    page.get_by_label("Find runs").fill("seed>0")
    found = page.get_by_role("paragraph").get_by_text("2 of 3 runs")
    expect(found).to_be_visible()
    page.wait_for_url("**/runs?q=seed*")
    left = page.url
    page.get_by_role("link", name="run 2").click()
    page.wait_for_url(f"**/run?run={runs[2]}*")
    expect(page.get_by_role("heading", level=1)).to_have_text("run 2")
    tab.settle()
    page.go_back()
    page.wait_for_url(left)
    expect(found).to_be_visible()
    tab.settle()
    assert page.url == left, "the run's address on the table's page"

    for name in ("run 1", "run 2"):
        page.get_by_role("checkbox", name=f"Choose {name}").check()
        tab.settle()
    ticked = page.url
    page.get_by_role("button", name="Compare 2").click()
    page.wait_for_url("**/compare?runs=*")
    tab.settle()
    compared = page.url
    click_point(tab, "bubbles_num_params")
    page.wait_for_url("**/run?run=*")
    tab.settle()
    opened = page.url
    steps = (
        (page.go_back, compared, "Compare"),
        (page.go_back, ticked, "Runs"),
        (page.go_forward, compared, "Compare"),
        (page.go_forward, opened, "run 2"),
    )
    for step, address, title in steps:
        step()
        page.wait_for_url(address)
        # Two steps at once are two answers on their way, of which Streamlit takes the first for a change of page.
        expect(page.get_by_role("heading", level=1)).to_have_text(title)
        tab.settle()
        assert page.url == address
    assert tab.errors == []
