"""'Accuracy and cost' in a real browser: a click opens the run, the button measures, nothing is too wide."""

import pytest
from harness import views, wait_until
from made_runs import make_run
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def click(tab, selector: str) -> None:
    """Click in the middle of the first match: plotly's own layer lies above all that is drawn."""
    shape = tab.page.locator(selector).first
    shape.scroll_into_view_if_needed()
    box = shape.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.page.mouse.move(x, y)
    tab.page.mouse.click(x, y)


def test_a_bubble_opens_its_run_and_a_group_its_comparison(server, open_tab):
    alone = make_run(server.store, name="alone")
    tab = open_tab()
    tab.open("/cost")
    click(tab, ".st-key-bubbles_runs .scatterlayer .trace .points path.point")
    tab.page.wait_for_url(f"**/run?run={alone}*")
    seeds = [
        make_run(server.store, name="net", accuracy=0.95, training={"epochs": 2, "seed": seed}) for seed in range(2)
    ]
    # The list of runs is up to a second old: opened again until the new ones are in it.
    wait_until(lambda: tab.open("/cost?x=Parameters") or tab.says("of 3 runs in 2 groups"), "the new runs")
    click(tab, ".st-key-top1_runs .barlayer .point path")
    tab.page.wait_for_url(lambda url: "/compare?runs=" in url and all(run in url for run in seeds) and alone not in url)
    assert tab.errors == []


@pytest.mark.parametrize(("width", "scheme"), views((400, "light"), (1280, "dark")))
def test_every_view_fits(server, open_tab, width, scheme):
    for seed in range(3):
        make_run(server.store, accuracy=0.8 + seed / 20, training={"epochs": 4, "seed": seed})
    make_run(server.store, state="failed", name="a failed run with quite a long name, as people give them")
    tab = open_tab(width, color_scheme=scheme)
    for path in ("/cost", "/cost?data=imagenet-published&weights=All", "/cost?behind=true&axis=Linear&grouped=false"):
        tab.open(path)
        assert tab.problems() == [], path
        assert tab.errors == [], path
        assert tab.overflow_px() <= 0, f"{path} is wider than the window"
        expect(tab.page.get_by_role("heading", name="Accuracy and cost")).to_be_visible()


def test_no_name_covers_another(open_tab):
    tab = open_tab(400)
    for path in ("/cost?data=imagenet-published", "/cost?data=imagenet-published&x=Parameters&weights=All"):
        tab.open(path)
        wait_until(lambda: len(names(tab)) > 0, "names in the chart")
        boxes = names(tab)
        for place, one in enumerate(boxes):
            for other in boxes[:place]:
                apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
                assert apart, (path, one, other)


def names(tab) -> list[list[float]]:
    """The boxes of the names in the chart, without those of the legend of sizes."""
    return tab.page.evaluate(
        """() => [...document.querySelectorAll('.st-key-bubbles_published .cartesianlayer .xy .textpoint text')]
            .filter(e => e.textContent.trim())
            .map(e => e.getBoundingClientRect()).map(b => [b.left, b.top + 1, b.right, b.bottom - 1])"""
    )
