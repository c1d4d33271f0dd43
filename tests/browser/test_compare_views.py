"""Files of a chart really arrive and are what they claim; a choice on an axis of parallel coordinates is kept."""

import io
import xml.etree.ElementTree as ElementTree

import polars as pl
import pytest
from made_runs import make_run
from PIL import Image
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
PRINT_PX = (1890, 1181)  # 16 cm by 10 cm at 300 dots to the inch


@pytest.fixture
def runs(server):
    rates = (0.001, 0.01, 0.1)
    return ",".join(
        make_run(server.store, name=f"net {rate}", accuracy=0.6 + rate, training={"epochs": 3, "learning_rate": rate})
        for rate in rates
    )


def saved(tab, what: str, within: str = "") -> tuple[str, bytes]:
    """Name and content of a file of the chart, by the name of its button; the menu closes with each."""
    page = tab.page
    if not page.get_by_role("group", name="For print").is_visible():
        page.locator(".st-key-curves_extras").get_by_role("button", name="Download").click()
    menu = page.get_by_role("group", name=within) if within else page
    with page.expect_download() as download:
        menu.get_by_role("button", name=what).click()
    tab.settle()
    return download.value.suggested_filename, download.value.path().read_bytes()


def test_a_chart_gives_its_pictures_and_its_numbers(open_tab, runs):
    tab = open_tab(color_scheme="dark")
    tab.open(f"/compare?runs={runs}&part=Curves&metric=Accuracy")
    expect(tab.page.locator(".st-key-curves .js-plotly-plot .main-svg").first).to_be_visible()
    name, png = saved(tab, "PNG", "For print")
    assert name == "curves.png"
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    assert picture.width == PRINT_PX[0]
    assert abs(picture.height / picture.width - PRINT_PX[1] / PRINT_PX[0]) < 0.4
    assert picture.getpixel((5, 5)) == (255, 255, 255), "on paper the ground is white, also from a dark page"
    middle = picture.getpixel((picture.width // 2, picture.height // 2))
    assert sum(middle) > 3 * 128, "and the plot is as light"
    name, svg = saved(tab, "SVG", "As on this page")
    assert name == "curves.svg"
    drawing = ElementTree.fromstring(svg)
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    box = tab.page.locator(".st-key-curves .js-plotly-plot").bounding_box()
    assert float(drawing.get("width")) == pytest.approx(box["width"], abs=2)
    assert "Accuracy (%)" in "".join(drawing.itertext())
    name, csv = saved(tab, "The numbers as CSV")
    assert name == "curves.csv"
    table = pl.read_csv(csv)
    assert table.filter(pl.col("split") == "val").height == 9
    assert table["value"].max() == pytest.approx(0.7 * (1 - 2.718281828**-3), rel=1e-5)
    assert tab.errors == []


def test_a_choice_on_an_axis_is_kept_and_leads_to_the_comparison(open_tab, runs):
    tab = open_tab()
    tab.open(f"/compare?runs={runs}&part=Settings&settings=Parallel+coordinates")
    brush = tab.page.locator(".st-key-lines .y-axis").first.locator(".axis-brush .background")
    expect(brush).to_be_attached()
    box = brush.bounding_box()
    x = box["x"] + box["width"] / 2
    tab.page.mouse.move(x, box["y"] + 0.5)  # plotly takes a value in where the range covers it to 1 % of two ticks
    tab.page.mouse.down()
    tab.page.mouse.move(x, box["y"] + 0.2 * box["height"])
    tab.page.mouse.move(x, box["y"] + 0.6 * box["height"])
    tab.page.mouse.up()
    expect(tab.page.get_by_text("2 of 3 runs")).to_be_visible()
    tab.page.wait_for_url("**keep=training.learning_rate*")
    tab.page.get_by_role("button", name="Compare these 2 runs").click()
    kept = "%2C".join(runs.split(",")[1:])
    tab.page.wait_for_url(lambda url: f"/compare?runs={kept}" in url)
    tab.settle()
    assert tab.problems() == []
    assert tab.errors == []
