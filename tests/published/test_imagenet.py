"""The published table: as shipped, as the source has it, typed, and with what is missing left missing."""

from importlib import resources
from pathlib import Path

import polars as pl
import pytest

from cnnlab.published import imagenet
from cnnlab.published.imagenet import choose_weights, family_of, load_imagenet


def test_the_shipped_file_is_the_reference(shared: Path):
    shipped = resources.files("cnnlab.published").joinpath(imagenet.FILE).read_bytes()
    assert shipped == (shared / "reference" / imagenet.FILE).read_bytes()


def test_source_and_date_stand_beside_the_file():
    readme = resources.files("cnnlab.published").joinpath("README.md").read_text(encoding="utf-8")
    assert imagenet.URL in readme
    assert imagenet.COPIED_ON in readme
    assert f"{load_imagenet().height} sets of weights of {load_imagenet()['model'].n_unique()} networks" in readme


def test_data_and_its_source_are_installed_with_the_package():
    import tomllib

    project = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    assert {"*.csv", "*.md"} <= set(project["tool"]["setuptools"]["package-data"]["cnnlab.published"])


def test_rows_are_read_as_they_are():
    rows = {(row["model"], row["weights"]): row for row in load_imagenet().iter_rows(named=True)}
    assert len(rows) == 114
    alexnet = rows["AlexNet", "IMAGENET1K_V1"]
    assert (alexnet["num_params"], alexnet["macs"]) == (61_100_840, 714_000_000)
    assert (alexnet["top1"], alexnet["top5"]) == pytest.approx((0.56522, 0.79066))
    assert (alexnet["correct"], alexnet["n"]) == (28_261, 50_000)
    assert rows["MobileNet_V3_Small", "IMAGENET1K_V1"]["macs"] == 57_000_000


def test_what_the_source_lacks_is_null_and_not_zero():
    missing = load_imagenet().filter(pl.col("num_params").is_null())
    assert missing["model"].to_list() == ["MobileNet_V2", "MobileNet_V2"]
    assert load_imagenet().filter(pl.col("num_params") <= 0).is_empty()


def test_every_accuracy_is_a_whole_number_of_validation_images():
    frame = load_imagenet()
    assert (frame["top1"] - frame["correct"] / frame["n"]).abs().max() < 1e-9


def test_weights_can_be_chosen():
    frame = load_imagenet()
    first, best = choose_weights(frame, "first"), choose_weights(frame, "best")
    assert choose_weights(frame, "all").height == 114
    assert first.height == first["model"].n_unique() == best.height == 78
    assert set(first["weights"]) == {"IMAGENET1K_V1"}
    assert not best["weights"].str.contains("SWAG").any(), "pre-trained on other images"
    assert best.filter(model="ResNet50")["top1"].to_list() == [pytest.approx(0.80858)]
    assert best.filter(model="ViT_B_16")["top1"].to_list() == [pytest.approx(0.81072)]


@pytest.mark.parametrize(
    ("model", "family"),
    [("RegNet_Y_400MF", "RegNetY"), ("Wide_ResNet50_2", "Wide ResNet"), ("ResNeXt50_32X4D", "ResNeXt"),
     ("ResNet18", "ResNet"), ("Swin_V2_T", "Swin V2"), ("Swin_T", "Swin"), ("AlexNet", "AlexNet"),
     ("EfficientNet_V2_S", "EfficientNetV2"), ("EfficientNet_B0", "EfficientNet"), ("MaxVit_T", "MaxViT")],
)  # fmt: skip
def test_families(model, family):
    assert family_of(model) == family


def test_there_are_few_families():
    assert load_imagenet()["family"].n_unique() == 22
