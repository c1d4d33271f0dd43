"""The layer editor in a real browser: add a layer, see the table change, be told what does not fit, train."""

import re

import pytest
from harness import views, wait_until

pytestmark = pytest.mark.browser


@pytest.fixture
def server(idle_server):
    return idle_server


def cells(tab) -> str:
    """Return the text of the table of layers, which a canvas draws and a hidden table tells."""
    return " ".join(tab.page.get_by_test_id("stDataFrame").first.locator("[data-testid^=glide-cell]").all_inner_texts())


def add(tab, title: str) -> None:
    tab.page.get_by_role("button", name="Add after layer").click()
    tab.page.get_by_text(title, exact=True).last.click()
    tab.settle()


@pytest.mark.parametrize(("width", "scheme"), views((400, "dark"), (1280, "light")))
def test_a_layer_more_changes_the_table_and_an_impossible_one_is_said(open_tab, width, scheme):
    tab = open_tab(width, color_scheme=scheme)
    tab.open("/editor?layers=[conv, max_pool, flatten]&size=16")
    assert tab.overflow_px() <= 0
    tab.page.get_by_text("MACs of one image").wait_for()
    tab.page.locator("[data-testid=stRadio] label").filter(has_text="2 Max pooling").click()
    tab.settle()
    add(tab, "Batch normalisation")
    wait_until(lambda: "Batch normalisation" in cells(tab), "the new layer in the table")
    tab.page.get_by_role("heading", name="Layer 3: Batch normalisation").wait_for()
    for _ in range(4):
        add(tab, "Average pooling")
    said = tab.page.get_by_test_id("stAlertContentError")
    said.get_by_text("Layer 7 (average pooling): a window of 2x2 does not fit into 1x1.").wait_for()
    assert tab.page.get_by_role("button", name="Train this").is_disabled()
    tab.page.get_by_role("button", name="Delete").click()
    said.wait_for(state="detached")
    tab.page.wait_for_function(
        "layers => new URLSearchParams(location.search).get('layers').includes(layers)",
        arg="[conv, max_pool, batch_norm, average_pool, average_pool, average_pool, flatten]",
    )
    assert tab.overflow_px() <= 0
    tab.page.get_by_role("button", name="Train this").click()
    tab.page.wait_for_url(re.compile("/train"))
    tab.settle()
    tab.page.get_by_text("7 layers: convolution, max pooling, batch normalisation").wait_for()
    tab.page.get_by_role("button", name="Edit the layers").click()
    tab.page.wait_for_url(re.compile("/editor"))
    tab.page.get_by_role("heading", name="Layer 1: Convolution").wait_for()
    assert tab.errors == []
