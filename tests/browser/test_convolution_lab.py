"""The convolution lab in a real browser: it plays, a slider changes the output, the link shows the same again."""

import re

import pytest
from harness import views

pytestmark = pytest.mark.browser


@pytest.fixture
def server(idle_server):
    return idle_server


def metric(tab, label: str) -> str:
    return str(tab.page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue").inner_text())


def filled_cell(tab) -> str:
    """Return which output cell the step fills, `output[0, 1]`."""
    return tab.page.locator(".cl .sum strong").inner_text().split(" = ")[0]


def test_it_plays_and_answers_to_the_sliders(server, open_tab):
    tab = open_tab()
    tab.open("/convolution?padding=Same")
    assert metric(tab, "Output side") == "8"
    assert filled_cell(tab) == "output[0, 0]"

    tab.page.get_by_role("button", name="Play").click()
    tab.page.get_by_text("output[0, 3]").wait_for()
    tab.page.get_by_role("button", name="Pause").click()
    tab.page.get_by_role("button", name="Play").wait_for()
    tab.settle()
    paused = filled_cell(tab)
    tab.page.get_by_role("button", name="Next").click()
    tab.page.wait_for_function(
        "before => !document.querySelector('.cl .sum strong').innerText.startsWith(before)", arg=paused
    )
    tab.settle()

    tab.page.get_by_role("slider", name="Stride S").press("ArrowRight")
    tab.page.wait_for_url(re.compile("stride=2"))
    tab.page.get_by_text("It is not symmetric").wait_for()
    tab.settle()
    assert metric(tab, "Output side") == "4"
    tab.page.wait_for_url(re.compile("padding=Same"))

    other = open_tab(400, color_scheme="dark")
    other.open(tab.page.url.removeprefix(server.url))
    assert metric(other, "Output side") == "4"
    for each in (tab, other):
        assert each.problems() == []
        assert each.errors == []
        assert each.overflow_px() <= 0


@pytest.mark.parametrize(("width", "scheme"), views((400, "light"), (1280, "dark")))
def test_every_operation_fits_the_window(open_tab, width, scheme):
    tab = open_tab(width, color_scheme=scheme)
    for query in (
        "operation=Separable+convolution&channels=4&filters=4&size=5",
        "operation=Transposed+convolution&stride=3&side=12",
        "operation=Max+pooling&stride=2&input=Draw",
        "input=Data+set&images_of=digits&kernel=Gaussian+blur&padding=Full&size=11",
        "input=Own+image",
    ):
        tab.open(f"/convolution?{query}")
        assert tab.problems() == [], query
        assert tab.errors == [], query
        assert tab.overflow_px() <= 0, query
