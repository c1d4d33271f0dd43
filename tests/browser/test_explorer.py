"""The architectures page in a real browser: pick a network, see its counts, carry it into the training form."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.processes]


@pytest.fixture
def server(idle_server):
    return idle_server


def drawn(tab) -> str:
    """Return what the drawing is said to show, once the inspector has answered and it is there."""
    tab.page.wait_for_selector(".st-key-a_drawing .plotly")
    tab.settle()
    return tab.page.locator(".st-key-a_drawing").get_by_test_id("stPlotlyChart").get_attribute("aria-label") or ""


def test_pick_resnet_see_its_counts_and_train_it(open_tab):
    tab = open_tab()
    tab.open("/explorer")
    assert "sides 32 to 28 to 14 to 10 to 5 px" in drawn(tab)

    tab.page.get_by_test_id("stSelectbox").filter(has_text="Architecture").first.locator("input").click()
    tab.page.get_by_role("option", name="ResNet for small images (2015)", exact=True).click()
    tab.page.wait_for_url(re.compile("arch=resnet"))
    tab.page.get_by_text("9 skip connections").wait_for()
    tab.page.get_by_text("ours 272,474, published 272,474").wait_for()
    metrics = tab.page.get_by_test_id("stMetric")
    expect(metrics.filter(has_text="Parameters")).to_contain_text("274,042")
    expect(metrics.filter(has_text="MACs")).to_contain_text("40.8 M")

    tab.page.get_by_role("spinbutton", name="Classes").fill("7")
    tab.page.get_by_role("spinbutton", name="Classes").press("Enter")
    tab.page.wait_for_url(re.compile("classes=7"))
    tab.page.get_by_text(re.compile("for 7 classes")).wait_for()
    other = open_tab(400, color_scheme="dark")
    other.open(tab.page.url[tab.page.url.index("/explorer") :])
    assert "9 skip connections" in drawn(other)
    assert other.overflow_px() <= 0

    tab.page.get_by_role("button", name="Train this").click()
    tab.page.wait_for_url(re.compile("/train"))
    tab.page.get_by_text("Blocks per stack", exact=True).wait_for()
    tab.page.get_by_text("Time per epoch: not known yet").wait_for()
    tab.settle()
    expect(tab.page.get_by_test_id("stCode").filter(has_text="architecture:").first).to_contain_text("resnet")
    for one in (tab, other):
        assert one.problems() == []
        assert one.errors == []


def test_a_click_on_a_layer_shows_its_formulas(open_tab):
    tab = open_tab()
    tab.open("/explorer")
    drawn(tab)
    points = tab.page.locator(".st-key-a_drawing .scatterlayer .points path")
    points.nth(2).click(force=True)  # the images, then the convolutions c1 and c3
    tab.page.get_by_test_id("stMarkdownContainer").get_by_text("Output height").wait_for()
    tab.page.get_by_text("10*10*(5*5*6)*16").wait_for()
    assert tab.errors == []
