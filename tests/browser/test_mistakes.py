"""From a cell of a matrix to its images, and from there to the run: by clicks, in a real browser."""

import numpy as np
import pytest
from made_mistakes import make_mistaken
from playwright.sync_api import expect

from cnnlab.datasets.storage import open_dataset

pytestmark = pytest.mark.browser
NUM_CLASSES = 10


def test_a_click_on_a_cell_leads_to_its_images_and_to_the_run(server, open_tab):
    digits = open_dataset(server.store, "digits")
    places = np.flatnonzero(digits.labels("test")["label"] == 2)[:3].tolist()
    first, second = (make_mistaken(server.store, dict.fromkeys(places[: 2 + more], 7)) for more in range(2))
    tab = open_tab()
    tab.open(f"/compare?runs={first},{second}&part=Confusion&order=By+size")
    matrix = tab.page.locator(f".st-key-matrix_{second}")
    # Ordered by size: where class 2 stands among rows, and 7 among columns, is what the figure says.
    sizes = np.bincount(digits.labels("test")["label"])
    row, column = (np.argsort(-sizes, kind="stable").tolist().index(number) for number in (2, 7))
    square = matrix.locator(".nsewdrag").first
    square.scroll_into_view_if_needed()
    box = square.bounding_box()
    # Not in the middle: the whole cell is to be clicked.
    x = box["x"] + (column + 0.85) * box["width"] / NUM_CLASSES
    y = box["y"] + (row + 0.15) * box["height"] / NUM_CLASSES
    tab.page.mouse.move(x, y)
    expect(matrix.locator(".hoverlayer")).to_contain_text("true 2")
    tab.page.mouse.click(x, y)
    images = tab.page.locator(".ia img")
    expect(images).to_have_count(3)
    expect(images.first).to_have_attribute(
        "alt", f"{digits.sample_ids('test')[places[2]]}: true class 2, taken for 7 with 90.0 %"
    )
    tab.page.wait_for_url(lambda url: f"of={second}" in url and "cell=2-7" in url)
    tab.page.get_by_text("Open the run").click()
    tab.page.wait_for_url(f"**/run?run={second}&cell=2-7*")
    expect(images).to_have_count(3)
    tab.settle()
    assert tab.overflow_px() <= 0
    assert tab.problems() == []
    assert tab.errors == []
