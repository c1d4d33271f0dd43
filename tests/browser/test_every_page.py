"""Each page, wide and narrow, light and dark, with an empty store and with a full one."""

import pytest
from harness import views
from made_runs import make_run

pytestmark = pytest.mark.browser


@pytest.fixture
def full_store(server):
    runs = [make_run(server.store, accuracy=0.8 + seed / 20, training={"epochs": 4, "seed": seed}) for seed in range(3)]
    for state in ("failed", "cancelled", "lost", "running", "queued"):
        make_run(server.store, state=state, name=f"a {state} run with quite a long name, as people give them")
    return runs


def check(tab, path: str) -> None:
    tab.open(path)
    assert tab.problems() == [], path
    assert tab.errors == [], path
    assert tab.overflow_px() <= 0, f"{path} is wider than the window"
    assert tab.page.get_by_role("heading", level=1).first.is_visible(), path


@pytest.mark.parametrize(("width", "scheme"), views((400, "dark"), (1280, "light")))
def test_empty_store(open_tab, width, scheme):
    tab = open_tab(width, color_scheme=scheme)
    for path in (
        "/",
        "/datasets",
        "/datasets?set=mnist",
        "/datasets?set=nope",
        "/train",
        "/explorer",
        "/explorer?arch=resnet&with=googlenet&size=64",
        "/editor",
        "/runs",
        "/compare",
        "/ablation",
        "/queue",
    ):
        check(tab, path)
    for unknown in ("/run?run=nope", "/ablation?ablation=nope"):  # the page says so: no fault of its own
        tab.open(unknown)
        assert tab.errors == []
        assert tab.overflow_px() <= 0


@pytest.mark.parametrize(("width", "scheme"), views((1280, "dark"), (400, "light")))
def test_full_store(server, open_tab, full_store, width, scheme):
    tab = open_tab(width, color_scheme=scheme)
    all_runs = ",".join(
        path.name for path in sorted((server.store / "runs").iterdir()) if not path.name.startswith(".")
    )
    paths = ("/", "/runs", "/runs?view=Groups", f"/compare?runs={all_runs}", f"/run?run={full_store[0]}", "/queue")
    for path in paths:
        check(tab, path)
