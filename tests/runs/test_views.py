"""Views of the table of runs: kept under names that stay inside the store."""

import pytest

from cnnlab.errors import ConfigError, UnknownNameError
from cnnlab.runs.store import Store
from cnnlab.runs.views import View, delete_view, keep_view, read_view, view_names

VIEW = View("depth>20", ("name", "training.batch_size"), "-accuracy")


def test_a_view_is_kept_and_forgotten(store: Store) -> None:
    assert view_names(store) == []
    keep_view(store, " My  view ", VIEW)
    keep_view(store, "Übung 2", View())
    assert view_names(store) == ["My view", "Übung 2"]
    assert read_view(store, "My view") == VIEW
    keep_view(store, "My view", View(query="x"))
    assert read_view(store, "My view") == View(query="x")
    delete_view(store, "My view")
    assert view_names(store) == ["Übung 2"]
    with pytest.raises(UnknownNameError, match="Unknown view"):
        delete_view(store, "My view")


def test_what_somebody_wrote_by_hand_is_read_as_far_as_it_fits(store: Store) -> None:
    keep_view(store, "a", VIEW)
    (store.root / "views" / "a.json").write_text('{"query": null, "columns": "x", "sort": 3, "more": 1}')
    assert read_view(store, "a") == View(sort="3")
    (store.root / "views" / "a.json").write_text("[")
    with pytest.raises(UnknownNameError):
        read_view(store, "a")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 41, "a\\b"])
def test_names_that_are_no_files_are_refused(store: Store, name: str) -> None:
    with pytest.raises(ConfigError, match="A view cannot be called"):
        keep_view(store, name, VIEW)
    assert not (store.root / "views").exists()
