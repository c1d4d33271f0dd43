"""Where test images, versions or labels differ, each part of Compare refuses with the reason or says what is shared."""

import json

import numpy as np
import polars as pl
import pytest
from made_mistakes import make_mistaken
from made_runs import make_run
from page_text import said

from cnnlab.datasets.correcting import correct_dataset
from cnnlab.datasets.marks import Mark, add_mark
from cnnlab.datasets.storage import open_dataset
from cnnlab.files import read_json, write_json

NOT_SHARED = "it was tested on different images: none of them is shared"
REFUSED = f"B is not compared with A: {NOT_SHARED}. Choose two that were tested on the same images"


def text(page) -> str:
    assert not page.exception
    return said(page).replace("\\", "")


def opened(open_page, runs, part, **query):
    return open_page("compare", runs=",".join(runs), part=part.capitalize(), **query)


def charts(page) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


@pytest.fixture
def apart(store):
    """Two runs on versions that share no test image: of 200 and of 120 images."""
    large = make_run(store.root, accuracy=0.8, name="large")
    small = make_run(
        store.root, accuracy=0.9, name="small", version="bbbbbbbbbbbb", training={"epochs": 4, "learning_rate": 0.01}
    )
    path = store.run_dir(small) / "predictions.parquet"
    answers = pl.read_parquet(path).filter((pl.col("split") != "test") | (pl.col("sample_id") < "digits-0120"))
    answers.with_columns(pl.format("new-{}", "sample_id").alias("sample_id")).write_parquet(path)
    result = store.run_dir(small) / "result.json"
    write_json(
        result, read_json(result) | {"test": {"label": {"accuracy": 1.0, "loss": 0.3, "correct": 120, "n": 120}}}
    )
    return large, small


@pytest.fixture
def corrected(store):
    """A run on digits and one on its correction: one image removed, one with another label."""
    digits = open_dataset(store.root, "digits")
    two, other = np.flatnonzero(digits.labels("test")["label"] == 2)[:2]
    ids = digits.sample_ids("test")
    for place, mark in ((two, ("wrong", "2", "4")), (other, ("remove", "2", ""))):
        add_mark(store.root, "digits", Mark(ids[place], "label", *mark), digits.info.outputs)
    correct_dataset(store.root, "digits")
    before = make_mistaken(store.root, {}, name="before")
    after = make_mistaken(store.root, {0: 9}, name="after", dataset=open_dataset(store.root, "digits_corrected"))
    return before, after


# ---- none is shared ----


@pytest.mark.parametrize("part", ["overview", "curves", "classes"])
def test_the_warning_on_top_says_that_nothing_is_compared_and_the_way_out(open_page, apart, part):
    told = text(opened(open_page, apart, part))
    assert "different versions of the data set digits: 0123456789ab, bbbbbbbbbbbb." in told
    assert f"They are not compared ({NOT_SHARED}): each is shown on its own test images." in told
    assert "To compare them, choose runs of one version, or train one again on the version of another." in told
    assert "on the test images that they share" not in told


def test_a_difference_of_matrices_is_refused(open_page, apart):
    page = opened(open_page, apart, "confusion", matrices="Difference of two")
    assert REFUSED in text(page)
    assert not charts(page)
    assert "B takes more often" not in text(page)


def test_matrices_side_by_side_say_the_images_of_each(open_page, apart):
    told = text(opened(open_page, apart, "confusion"))
    assert "Confusion matrix of 200 images" in told
    assert "Confusion matrix of 120 images" in told


@pytest.mark.parametrize("images", ["Fixed by B", "Both wrong", "Worst losses"])
def test_lists_of_two_are_refused(open_page, apart, images):
    told = text(opened(open_page, apart, "images", images=images))
    assert REFUSED in told
    assert "A is right on" not in told
    assert "B gets no image right that A gets wrong" not in told


def test_labels_in_doubt_name_who_has_other_images(open_page, store):
    first = make_mistaken(store.root, {})
    other = make_run(store.root, data={"dataset": "mnist"})
    told = text(opened(open_page, (first, other), "images", images="Labels in doubt"))
    assert "(it stands on the data set mnist, not on digits)" in told
    assert "of 359 of test" in told


@pytest.mark.parametrize(
    ("part", "query", "start"),
    [
        ("classes", {}, "F1 of 10 classes over"),
        ("classes", {"judged": "Top-k"}, "Top-k accuracy over"),
        ("classes", {"judged": "ROC and precision-recall"}, "ROC over"),
        ("confidence", {}, "Reliability over"),
        ("confidence", {"sure": "Threshold"}, "Accuracy against share answered over"),
    ],
)
def test_what_shows_each_run_by_itself_says_its_own_images(open_page, apart, part, query, start):
    names = [f"{name} · seed 0 · {run_id[-4:]}" for name, run_id in zip(("large", "small"), apart, strict=True)]
    assert f"{start} 200 images ({names[0]}) and 120 images ({names[1]})" in text(
        opened(open_page, apart, part, **query)
    )


def test_the_images_of_a_class_are_those_of_each_network(open_page, apart):
    (figure,) = charts(opened(open_page, apart, "classes"))
    assert figure["layout"]["yaxis"]["ticktext"][0].endswith("(12 to 20)")


def test_no_bubble_of_other_images_and_no_best_among_them(open_page, apart):
    page = opened(open_page, apart, "overview")
    (told,) = [one for one in text(page).splitlines() if one.startswith("Top-1 accuracy on")]
    assert "of 1 run: large" in told
    assert "best" not in told
    assert f"; not shown: small · seed 0 · {apart[1][-4:]} ({NOT_SHARED})." in told


def test_a_baseline_refuses_what_has_other_images(open_page, apart):
    page = opened(open_page, apart, "settings", settings="Against a baseline")
    table = pl.from_pandas(page.dataframe[0].value)
    assert table["Verdict"].to_list() == ["", NOT_SHARED]
    assert table["Effect (points)"].to_list() == ["–", "–"]
    assert table["Test accuracy"].to_list()[1] == "–"


def test_a_baseline_says_over_how_many_pairs_it_corrects(open_page, store, apart):
    third = make_run(store.root, accuracy=0.7, name="third", training={"epochs": 5})
    page = opened(open_page, [*apart, third], "settings", settings="Against a baseline")
    assert "Holm's correction over the one pair, as in the overview" in text(page), "of three, one is refused"


def test_lines_have_no_accuracy_on_other_images(open_page, apart):
    page = opened(open_page, apart, "settings", settings="Parallel coordinates")
    told = text(page)
    assert "Not drawn, for want of a result: 1 run." in told
    assert f"Without test accuracy here: small · seed 0 · {apart[1][-4:]} ({NOT_SHARED})." in told
    text(opened(open_page, apart, "settings", settings="Parallel coordinates", results="val_accuracy"))


# ---- some are shared: a correction of the same data set ----


def test_a_correction_is_compared_on_the_same_images_everywhere(open_page, corrected):
    """All 359 images but the removed one, and but the one with two labels: 357."""
    overview = opened(open_page, corrected, "overview")
    assert "of 357 test images" in text(overview)
    assert "They are compared on the 357 test images that all of them share under the same label" in text(overview)
    left_out = "Compared on the 357 test images that all of them share; left out: 1 image that has another label in"
    assert left_out in text(overview)
    assert "None of the others fits to it" not in text(overview)
    assert pl.from_pandas(overview.dataframe[0].value)["Test images"].to_list() == [357, 357]
    (told,) = [one for one in text(overview).splitlines() if one.startswith("Top-1 accuracy on")]
    assert "of 2 runs" in told
    assert "n = 357 images" in told
    confusion = text(opened(open_page, corrected, "confusion", matrices="Difference of two"))
    assert confusion.count("(357 images)") == 2
    assert f"{left_out} one of them; also tested on others: A (1 more). The lists below show all" in confusion
    assert "Of the same 357 images;" in text(opened(open_page, corrected, "images"))
    baseline = opened(open_page, corrected, "settings", settings="Against a baseline")
    assert pl.from_pandas(baseline.dataframe[0].value)["Effect (points)"].to_list() == ["–", "-0.28"]
    assert "357 test images of digits " in text(baseline)
    assert left_out in text(baseline)


def test_other_versions_with_the_same_images_are_compared_on_all(open_page, store):
    runs = [make_run(store.root), make_run(store.root, accuracy=0.5, version="bbbbbbbbbbbb", training={"epochs": 2})]
    told = text(opened(open_page, runs, "settings", settings="Against a baseline"))
    assert "All were tested on the same 200 test images. A difference in a curve may come from the data." in told
    assert "200 test images of digits 0123456789ab, digits bbbbbbbbbbbb." in told


def test_groups_go_on_without_a_run_of_other_images(open_page, store, apart):
    seeds = [make_run(store.root, accuracy=0.7, training={"epochs": 2, "seed": seed}) for seed in range(2)]
    path = store.run_dir(seeds[1]) / "predictions.parquet"
    pl.read_parquet(path).with_columns(pl.format("new-{}", "sample_id").alias("sample_id")).write_parquet(path)
    page = opened(open_page, (apart[0], *seeds), "confusion", mean="true", matrices="Difference of two")
    assert charts(page)
    assert f"Not compared: lenet5 on digits · seed 1 · {seeds[1][-4:]} ({NOT_SHARED})." in text(page)
    assert text(page).count("(200 images)") == 2
