"""The first hour of a person: train twice, compare, share the link, lose the dashboard, import images."""

import io
import re
import zipfile

import numpy as np
import pytest
from harness import wait_until
from made_runs import make_run
from PIL import Image

from cnnlab.files import read_json

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.training]
TRAINED_S = 600


def run_states(server) -> dict[str, str]:
    paths = server.store.glob("runs/*/status.json")
    return {path.parent.name: (read_json(path, {}) or {}).get("state", "") for path in paths}


def set_number(tab, label: str, value: str) -> None:
    box = tab.page.get_by_role("spinbutton", name=label, exact=True)
    box.fill(value)
    box.press("Enter")
    tab.settle()


def train(tab, server, *, epochs: int = 2, learning_rate: str = "") -> str:
    """Start a training from the form that is open, wait until it has ended, and return its id."""
    before = set(run_states(server))
    set_number(tab, "Epochs", str(epochs))
    if learning_rate:
        set_number(tab, "Learning rate", learning_rate)
    tab.page.get_by_role("button", name="Start training").click()
    tab.page.wait_for_url(re.compile(r"/run\?run="))
    (run_id,) = set(run_states(server)) - before
    assert run_id in tab.page.url
    return run_id


def badge(tab, state: str):
    """Return the badge of a state; the name of its icon is part of its text."""
    return tab.page.get_by_test_id("stMarkdownContainer").get_by_text(re.compile(f"{state}$")).first


def watch_to_the_end(tab, server, run_id: str) -> None:
    """Wait until the page itself, without a reload, shows that the run has completed."""
    wait_until(lambda: run_states(server)[run_id] not in ("queued", "running"), "the run to end", TRAINED_S)
    assert run_states(server)[run_id] == "completed", (server.store / "runs" / run_id / "log.txt").read_text()[-2000:]
    badge(tab, "Completed").wait_for()
    tab.settle()


def test_train_twice_compare_and_share_the_link(server, open_tab):
    tab = open_tab()
    tab.open("/")
    tab.page.get_by_role("button", name="Train LeNet-5 on handwritten digits").click()
    tab.page.wait_for_url(re.compile("/train"))
    tab.settle()
    first = train(tab, server)
    watch_to_the_end(tab, server, first)

    tab.open("/train")
    second = train(tab, server, learning_rate="0.01")
    watch_to_the_end(tab, server, second)

    tab.open("/runs")
    boxes = tab.page.get_by_role("checkbox", name=re.compile("^Choose lenet5"))
    for place in range(2):
        boxes.nth(place).check()
        tab.settle()
    tab.page.get_by_role("button", name="Compare 2").click()
    tab.page.wait_for_url(lambda url: "/compare?runs=" in url and first in url and second in url)
    tab.settle()
    assert len(view(tab, charts=2)["charts"]) == 2  # the difference, and top-1 against parameters
    tab.page.get_by_role("radio", name="Curves").click()
    tab.page.wait_for_url(re.compile("part=Curves"))
    tab.settle()
    tab.page.get_by_role("toolbar", name="Metrics").get_by_role("button", name="Accuracy").click()
    tab.page.wait_for_url(re.compile("metric=Accuracy"))
    tab.settle()
    # The address changes with the click, the charts only when the script has run.
    wait_until(lambda: "accuracy of 2 runs" in view(tab, charts=1)["charts"][0].lower(), "the curves of the accuracy")
    tab.settle()
    seen = view(tab, charts=1)
    assert len(seen["charts"]) == 1
    assert sum(run_id[-4:] in " ".join(seen["chosen"]) for run_id in (first, second)) == 2

    tab.page.reload()
    tab.settle()
    assert view(tab, charts=1) == seen
    other = open_tab()
    other.open(tab.page.url.removeprefix(server.url))
    assert view(other, charts=1) == seen

    # A click on a bubble opens its run.
    other.page.get_by_role("radio", name="Overview").click()
    other.settle()
    other.page.locator(".st-key-bubbles_num_params .scatterlayer .points path").first.click(force=True)
    other.page.wait_for_url(re.compile(r"/run\?run="))
    assert tab.problems() == []
    assert tab.errors == []
    assert other.errors == []


def view(tab, *, charts: int) -> dict[str, list[str]]:
    """Return what a person sees of a comparison: the chosen runs and what each chart is said to show."""
    tab.page.wait_for_function(f"() => document.querySelectorAll('.stPlotlyChart .plotly').length == {charts}")
    tags = tab.page.get_by_role("group", name="Selected values").locator("[data-tag]")
    drawn = tab.page.get_by_test_id("stPlotlyChart")
    return {
        "chosen": [tag.get_attribute("aria-label") or "" for tag in tags.all()],
        "charts": [chart.get_attribute("aria-label") or "" for chart in drawn.all()],
    }


def test_a_killed_dashboard_leaves_the_training_running(server, open_tab):
    tab = open_tab()
    tab.open("/train")
    run_id = train(tab, server, epochs=5000)
    wait_until(lambda: run_states(server)[run_id] == "running", "the run to start", TRAINED_S)
    progress = server.store / "runs" / run_id / "progress.json"
    wait_until(progress.exists, "the first progress", TRAINED_S)
    server.kill()
    seen = read_json(progress)
    wait_until(lambda: read_json(progress) != seen, "progress without a dashboard")
    server.start()
    tab.open(f"/run?run={run_id}")
    badge(tab, "Running").wait_for()
    tab.open("/")
    tab.page.get_by_text(re.compile(r"Epoch \d+ of 5000")).first.wait_for()
    assert run_states(server)[run_id] == "running"


def images_zip() -> bytes:
    """Return a zip of two classes of random images, with one file that is no image."""
    kept, random = io.BytesIO(), np.random.default_rng(0)
    with zipfile.ZipFile(kept, "w") as archive:
        for name, low in (("dark", 0), ("bright", 128)):
            for index in range(12):
                image = io.BytesIO()
                Image.fromarray(random.integers(low, low + 128, (20, 24, 3), dtype=np.uint8)).save(image, "PNG")
                archive.writestr(f"{name}/{index:02d}.png", image.getvalue())
        archive.writestr("dark/broken.png", b"this is no image")
    return kept.getvalue()


def test_import_of_an_uploaded_zip(server, open_tab):
    tab = open_tab()
    tab.open("/datasets")
    tab.page.get_by_text("Import your own images").click()
    files = [{"name": "Night & Day.zip", "mimeType": "application/zip", "buffer": images_zip()}]
    tab.page.get_by_test_id("stFileUploader").locator("input").set_input_files(files)
    tab.page.get_by_text("Night & Day.zip").wait_for()
    tab.settle()
    tab.page.get_by_role("button", name="Import", exact=True).click()
    tab.page.get_by_text("24 images are ready. Skipped files: 1.").wait_for()
    assert not list(server.store.glob("cache/jobs/*/upload"))
    tab.page.get_by_role("button", name="Look at it").click()
    tab.page.wait_for_url(re.compile("set=night-day"))
    tab.settle()
    tab.page.get_by_role("heading", name="night-day").wait_for()
    tab.page.get_by_text("Skipped files (1)").wait_for()
    assert tab.problems() == []
    tab.page.get_by_role("button", name="Delete").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    wait_until(lambda: not list(server.store.glob("datasets/night-day/*/dataset.json")), "the data set to go")
    assert tab.errors == []


def test_deleted_runs_come_back(server, open_tab):
    run_id = make_run(server.store, name="dear one")
    tab = open_tab()
    tab.open(f"/runs?runs={run_id}")
    tab.page.get_by_role("button", name="Delete").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    tab.page.get_by_text("1 run in the trash.").wait_for()
    assert not (server.store / "runs" / run_id).exists()
    tab.page.get_by_role("button", name="Undo").click()
    tab.page.get_by_role("paragraph").get_by_text("1 of 1 runs").wait_for()
    assert (server.store / "runs" / run_id).exists()
    assert tab.errors == []


def test_a_click_in_a_chart_opens_the_run(server, open_tab):
    run_id = make_run(server.store)
    tab = open_tab()
    for part, chart in (("Curves", "curves"), ("Overview", "bubbles_num_params")):
        tab.open(f"/compare?runs={run_id}&part={part}")
        point = tab.page.locator(f".st-key-{chart} .scatterlayer .points path").first
        point.scroll_into_view_if_needed()
        point.click(force=True)
        tab.page.wait_for_url(re.compile(rf"/run\?run={run_id}"))
    assert tab.errors == []
