"""Export and import in a real browser: the file that is downloaded comes back, and adds nothing where its runs are."""

import zipfile

import pytest
from harness import wait_until
from made_runs import make_run
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_what_is_downloaded_is_imported_again(server, open_tab, tmp_path):
    runs = [make_run(server.store, name=name) for name in ("one", "two")]
    tab = open_tab()
    tab.open(f"/runs?runs={','.join(runs)}")
    tab.page.get_by_role("button", name="Export").click()
    tab.page.get_by_text("MLflow", exact=True).click()
    tab.settle()
    tab.page.get_by_role("button", name="Make the file").click()
    with tab.page.expect_download() as download:
        tab.page.get_by_role("button", name="Download (").click()
    assert download.value.suggested_filename == "cnnlab-mlflow-2-runs.zip"
    path = tmp_path / "down.zip"
    download.value.save_as(path)
    assert "cnnlab-mlflow-2-runs/mlflow.db" in zipfile.ZipFile(path).namelist()

    tab.page.get_by_role("button", name="Import runs").click()
    tab.page.locator('input[type="file"]').set_input_files(path)
    expect(tab.page.get_by_text("MLflow: 2 runs.")).to_be_visible()
    tab.page.get_by_role("button", name="Import", exact=True).click()
    wait_until(lambda: tab.says("2 runs already there"), "the import to say what it did")
    assert sorted(folder.name for folder in (server.store / "runs").iterdir()) == sorted(runs)

    tab.page.get_by_label("Find runs").fill("nothing-of-the-kind")
    wait_until(lambda: tab.says("0 of 2 runs"), "the search to hide them")
    tab.page.get_by_role("button", name="Show them in the table").click()
    wait_until(lambda: tab.says("2 of 2 runs"), "the table to show what came")
    assert tab.problems() == []
    assert tab.errors == []
