"""Compare in a real browser: a click on a group shows its runs one by one, a click on a run its page."""

import pytest
from harness import views
from made_runs import make_run
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def click_point(tab, key: str) -> None:
    """Click the first marker of a chart: plotly's own layer lies above all that is drawn."""
    point = tab.page.locator(f".st-key-{key} .scatterlayer .trace .points path.point").first
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    tab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    tab.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


@pytest.mark.parametrize(("width", "scheme"), views((1280, "light"), (400, "dark")))
def test_a_group_opens_into_its_runs_and_a_run_on_its_page(server, open_tab, width, scheme):
    runs = [
        make_run(
            server.store, name=name, accuracy=accuracy, training={"epochs": 2, "seed": seed, "learning_rate": rate}
        )
        for name, rate, accuracy in (("slow", 0.001, 0.8), ("fast", 0.01, 0.9))
        for seed in range(2)
    ]
    tab = open_tab(width, color_scheme=scheme)
    tab.open(f"/compare?runs={','.join(runs)}&mean=true")
    expect(tab.page.locator(".st-key-verdict")).to_contain_text("fast")
    assert tab.overflow_px() <= 0
    click_point(tab, "differences")
    # The runs of the second group, one by one: the address says so, and the switch is off.
    expect(tab.page.locator(".st-key-verdict")).to_contain_text("differ in their seed only")
    tab.page.wait_for_url(lambda url: [run for run in runs if run in url] == runs[2:] and "mean=" not in url)
    tab.settle()
    expect(tab.page.get_by_role("switch", name="Mean over seeds")).not_to_be_checked()
    click_point(tab, "bubbles_num_params")
    tab.page.wait_for_url("**/run?run=*")
    assert tab.problems() == []
    assert tab.errors == []
