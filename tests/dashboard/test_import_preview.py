"""The import form says what the folders' names become before anything is imported."""

import zipfile

import polars as pl
import pytest
from page_text import said

from dashboard.components import import_form

NAMES = ("red_shirt", "red_hat", "blue_shirt")


@pytest.fixture
def form(open_page, tmp_path):
    """The form with a folder of three classes on the server chosen."""
    for name in NAMES:
        folder = tmp_path / "clothes" / name
        folder.mkdir(parents=True)
        (folder / "1.png").write_bytes(b"x")
    page = open_page("datasets")
    page.segmented_control(key="import_from").set_value(import_form.SERVER).run()
    page.text_input(key="import_path").set_value(str(tmp_path / "clothes")).run()
    return page


def ask(page, separator, outputs):
    page.text_input(key="import.split_names").set_value(separator)
    page.text_input(key="import.outputs").set_value(outputs).run()
    assert not page.exception
    return page


def test_outputs_and_classes_are_shown(form):
    page = ask(form, "_", "colour, article")
    shown = next(
        frame for frame in map(pl.from_pandas, (table.value for table in page.dataframe)) if "Classes" in frame
    )
    assert shown.rows() == [("colour", 2, "blue, red"), ("article", 2, "hat, shirt")]
    assert "From 3 folders. 1 of 4 combinations have no images, which is fine." in said(page)
    command = next(block.value for block in page.code if "datasets import" in block.value)
    assert "--split-names _ --outputs 'colour, article'" in command


def test_a_name_with_other_parts_is_said(form, tmp_path):
    (tmp_path / "clothes" / "hat").mkdir()
    (tmp_path / "clothes" / "hat" / "1.png").write_bytes(b"x")
    page = ask(form, "_", "colour,article")
    assert "Class 'hat' splits at '_' into 1 part, not into 2 parts" in page.error[0].value.replace("\\", "")


def test_half_a_request_is_said(form):
    assert "Give them separated by commas" in ask(form, "_", "").error[0].value.replace("\\", "")


def test_an_uploaded_zip_is_looked_into(tmp_path):
    from dashboard.components.import_preview import _uploaded_classes

    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("b/1.PNG", "a/2.jpg", "__MACOSX/a/._2.jpg", "c/readme.txt"):
            archive.writestr(f"wrapped/{name}", b"")
    with open(path, "rb") as upload:
        assert _uploaded_classes(str(path), upload) == ("a", "b")
        assert upload.tell() == 0  # what is imported afterwards is the whole file
