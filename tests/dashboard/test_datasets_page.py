"""The data sets: cards, one set in full, and what starts from them."""

import io

import numpy as np
import pytest
from PIL import Image

from cnnlab.datasets.storage import list_datasets, open_dataset
from dashboard.components import data_jobs, galleries, import_form


@pytest.fixture
def started(monkeypatch) -> list[tuple[str, list[str]]]:
    """Keep what would have been started instead of starting it."""
    kept: list[tuple[str, list[str]]] = []

    def start(_root, name, _title, arguments, *_more, **_options):
        kept.append((name, list(arguments)))

    monkeypatch.setattr(data_jobs, "start", start)
    return kept


def buttons(page) -> list[str]:
    return [button.key for button in page.button]


def test_catalogue_offers_training_and_downloads(open_page):
    page = open_page("datasets")
    assert {"look_digits", "train_digits", "look_shapes", "download_mnist", "download_cifar10"} <= set(buttons(page))
    assert "train_mnist" not in buttons(page)


def test_look_inside_makes_a_set_of_the_catalogue(open_page, started):
    page = open_page("datasets")
    page.button(key="look_digits").click().run()
    assert [name for name, _ in started] == ["digits"]
    assert page.query_params["set"] == "digits"
    assert "This data set is not in the store yet." in [info.value for info in page.info]


def test_download_starts_a_child(open_page, started, store):
    page = open_page("datasets")
    page.button(key="download_mnist").click().run()
    assert started == [("mnist", ["cnnlab.datasets.build", str(store.root), "mnist", "{}"])]


@pytest.mark.usefixtures("questions")
def test_train_on_this_fills_the_form(open_page):
    page = open_page("datasets")
    page.button(key="train_shapes").click().run()
    assert page.title[0].value == "Train"
    assert page.session_state["draft"]["data"]["dataset"] == "shapes"


def test_one_set_in_full(open_page, store):
    open_dataset(store.root, "digits")
    page = open_page("datasets", set="digits")
    assert page.title[0].value == "Digits 8x8"
    assert {metric.label: metric.value for metric in page.metric} == {
        "Images": "1,797",
        "Train": "1,259",
        "Validation": "179",
        "Test": "359",
        "Size": "8×8",
        "Classes": "10",
    }
    assert len(page.get("plotly_chart")) == 1
    page.selectbox(key="gallery_class").set_value(3).run()
    assert any("images of 3 in train" in caption.value for caption in page.caption)
    assert not page.exception


def test_versions_of_a_generated_set_can_be_chosen(open_page, store):
    for count in (60, 90):
        open_dataset(store.root, "shapes", parameters={"count": count})
    page = open_page("datasets", set="shapes")
    assert page.metric[0].value == "90"
    page.selectbox(key="version").select_index(1).run()
    assert page.metric[0].value == "60"
    assert len([metric for metric in page.metric if metric.label.startswith("Classes of")]) == 2


def test_unknown_set_says_so(open_page):
    page = open_page("datasets", set="nope")
    assert any("No data set" in markdown.value for markdown in page.markdown)


def test_a_damaged_set_says_so(open_page, store):
    info = open_dataset(store.root, "digits").info
    (info.path / "samples.parquet").write_bytes(b"torn")
    page = open_page("datasets", set="digits")
    assert page.error
    assert "delete_this" in buttons(page)
    assert "look_digits" in buttons(open_page("datasets"))


def test_delete_asks_first(open_page, store):
    open_dataset(store.root, "digits")
    page = open_page("datasets", set="digits")
    page.button(key="delete_this").click().run()
    assert any("It can be made again from the catalogue." in markdown.value for markdown in page.markdown)
    page.button(key="confirm_yes").click().run()
    assert list_datasets(store.root) == []
    assert not page.exception


def test_import_from_a_path(open_page, started, tmp_path):
    page = open_page("datasets")
    page.segmented_control(key="import_from").set_value(import_form.SERVER).run()
    page.text_input(key="import_path").set_value(str(tmp_path / "nowhere")).run()
    page.button(key="import_start").click().run()
    assert page.error[0].value.startswith("No file or folder")
    (tmp_path / "My Cats").mkdir()
    page.text_input(key="import_path").set_value(str(tmp_path / "My Cats")).run()
    page.button(key="import_start").click().run()
    (name, arguments) = started[0]
    assert name == "my-cats"
    assert arguments[:6] == ["cnnlab", "datasets", "import", str(tmp_path / "My Cats"), "--name", "my-cats"]
    assert arguments[-2:] == ["--progress-json", "--json"]


def test_import_refuses_a_bad_name(open_page, started, tmp_path):
    page = open_page("datasets")
    page.segmented_control(key="import_from").set_value(import_form.SERVER).run()
    page.text_input(key="import_path").set_value(str(tmp_path)).run()
    page.text_input(key="import_name_0").set_value("../up").run()
    page.button(key="import_start").click().run()
    assert "cannot name a data set" in page.error[0].value.replace("\\", "")
    assert started == []


def test_small_images_are_enlarged_by_whole_factors():
    pixels = np.zeros((8, 8, 1), np.uint8)
    pixels[0, 0] = 255
    picture = Image.open(io.BytesIO(galleries.png(pixels)))
    assert picture.size == (96, 96)
    assert picture.getpixel((11, 11)) == 255
    assert picture.getpixel((12, 12)) == 0


def test_options_of_the_command_are_those_that_differ():
    from cnnlab.datasets.importing import ImportOptions
    from cnnlab.parameters import specs

    assert import_form.option_words(ImportOptions().model_dump()) == []
    size = next(spec for spec in specs(ImportOptions) if spec.kind == "integer")
    words = import_form.option_words({size.name: 64})
    assert words == [f"--{size.name.replace('_', '-')}", "64"]
