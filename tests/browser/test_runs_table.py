"""The table of runs in a real browser: ask, sort, tick, tag, put aside, take back, by mouse and by keyboard."""

import pytest
from harness import Tab
from made_runs import make_run
from playwright.sync_api import expect

from cnnlab.runs import queries
from cnnlab.runs.store import Store

pytestmark = pytest.mark.browser


def expect_names(tab, *names: str) -> None:
    """Wait until the first column shows these from top to bottom: it is drawn after the words above it."""
    expect(tab.page.locator(".st-key-runs_table tbody th a")).to_have_text([*names])


def row(store: Store, name: str) -> dict:
    return queries.summaries(store).filter(name=name).row(0, named=True)


def test_ask_tick_tag_archive_and_take_back(server, open_tab):
    store = Store(server.store)
    for number in range(4):
        make_run(server.store, accuracy=0.6 + number / 10, name=f"run {number}", training={"epochs": 1, "seed": number})
    tab = open_tab()
    tab.open("/runs")
    page = tab.page
    page.get_by_label("Find runs").fill("seed>0 accuracy<95%")
    expect(page.get_by_role("paragraph").get_by_text("3 of 4 runs")).to_be_visible()
    expect_names(tab, "run 3", "run 2", "run 1")

    # By the keyboard, as far as it goes: sort from low to high, tick the first, star it.
    header = page.get_by_role("button", name="Test top-1")
    header.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="Test top-1")).to_have_attribute("aria-sort", "descending")
    expect(header).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("columnheader", name="Test top-1")).to_have_attribute("aria-sort", "ascending")
    expect_names(tab, "run 1", "run 2", "run 3")
    page.get_by_role("checkbox", name="Choose run 1").press("Space")
    page.get_by_role("button", name="Star run 1").press("Enter")
    page.get_by_role("checkbox", name="Choose run 2").check()  # before the page has answered the two before
    expect(page.get_by_role("button", name="Compare 2")).to_be_visible()
    expect(page.get_by_role("button", name="Star run 1")).to_have_attribute("aria-pressed", "true")

    # The choice outlives a filter that hides it.
    page.get_by_label("Find runs").fill("seed=1")
    expect(page.get_by_text("2 chosen, 1 of them hidden by the filters")).to_be_visible()
    page.locator(".st-key-tags_popover button").click()
    page.get_by_label("Tags of all of them").fill("keep-me")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 runs tagged keep-me.")).to_be_visible()
    for _ in ("its list", "the popover"):  # while these are open, all else is hidden from screen readers
        page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Only runs tagged keep-me")).to_be_visible()
    assert (row(store, "run 1")["tags"], row(store, "run 2")["tags"]) == (["keep-me"], ["keep-me"])
    assert row(store, "run 1")["is_starred"]

    page.get_by_label("Find runs").fill("tag:keep")
    expect(page.get_by_text("2 of 4 runs, 2 chosen")).to_be_visible()
    page.get_by_role("button", name="Archive", exact=True).click()
    expect(page.get_by_text("2 archived runs match")).to_be_visible()
    assert row(store, "run 2")["is_archived"]
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("2 of 4 runs, 2 chosen")).to_be_visible()
    assert not row(store, "run 2")["is_archived"]

    tab.settle()
    page.get_by_role("link", name="run 2").click()
    page.wait_for_url("**/run?run=*")
    assert tab.problems() == []
    assert tab.errors == []


def test_chosen_columns_are_there_in_another_tab_too(server, open_tab):
    make_run(server.store)
    tab = open_tab()
    tab.open("/runs?columns=name,state,seed")
    tab.page.get_by_role("button", name="Seed", exact=True).press("Alt+ArrowLeft")
    tab.page.wait_for_function("decodeURIComponent(document.cookie).includes('columns=name,seed,state')")
    other = Tab(tab.page.context, server.url)
    other.open("/runs")
    expect(other.page.get_by_role("columnheader")).to_have_text(["", "Name", "Seed", "Status"])
    assert other.errors == tab.errors == []
