"""A closer look at answers, on a run's page and in a comparison: classes, rankings, top-k, confidence."""

import polars as pl
import pytest
from made_answers import as_frame, give_answers, made_answers
from made_runs import make_run as make_small_run
from page_text import said

from cnnlab.analysis.answers import Answers
from cnnlab.analysis.confidence_report import confidence_report
from cnnlab.plots.overlays import Overlay
from dashboard import answer_data
from dashboard.components.judging import confidence_words as words
from dashboard.components.judging.classes import AVERAGES, averages_table

pytestmark = pytest.mark.usefixtures("queue")


@pytest.fixture
def judged(store):
    """Make a run with four classes and 300 images in each split; a rate that differs is another group."""

    def make(seed: int = 0, rate: float = 0.002, names: list[str] | None = None, name: str = "") -> str:
        run_id = make_small_run(store.root, name=name, training={"epochs": 2, "seed": seed, "learning_rate": rate})
        val, test = (made_answers(300, 4, temperature=0.5, seed=place) for place in (2 * seed, 2 * seed + 1))
        give_answers(store.run_dir(run_id), val, test, names)
        return run_id

    return make


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """Keep what is computed."""
    kinds = []
    usual = answer_data.judged, answer_data.confidence

    def judged(kind, *arguments):
        kinds.append(kind)
        return usual[0](kind, *arguments)

    def confidence(*arguments):
        kinds.append("confidence")
        return usual[1](*arguments)

    monkeypatch.setattr(answer_data, "judged", judged)
    monkeypatch.setattr(answer_data, "confidence", confidence)
    return kinds


def text_of(page) -> str:
    return said(page).replace("\\", "")


# ---- a run's page ----


def test_only_the_view_in_sight_is_computed(open_page, judged, asked):
    page = open_page("run", run=judged())
    assert set(asked) == {"classes"}
    assert "F1 of 4 classes over 300 images, 95 % intervals over images: mean" in text_of(page)
    for view, kind, text in (
        ("ranking", "ranking", "ROC over 300 images, area under the curve with 95 % intervals"),
        ("top_k", "top_k", "Top-k accuracy over 300 images in 4 classes"),
        ("confidence", "confidence", "Reliability over 300 images"),
    ):
        asked.clear()
        page.segmented_control(key="closer").set_value(view).run()
        assert not page.exception
        assert set(asked) == {kind}
        assert text in text_of(page)


def test_confidence_of_a_run_in_the_address(open_page, judged):
    page = open_page("run", run=judged(), closer="Confidence")
    metrics = {metric.label: metric for metric in page.metric}
    assert float(metrics["Temperature"].value) == pytest.approx(2, rel=0.3)
    assert "n = 300 val" in metrics["Temperature"].delta
    assert {"Calibration error", "Calibration error after", "Log loss", "Brier score"} <= set(metrics)
    assert "changes no answer; on the test images it takes the log loss from" in text_of(page)
    page = open_page("run", run=page.query_params["run"], closer="Confidence", sure="Threshold")
    assert page.segmented_control(key="answered_across").value == "threshold"
    page.selectbox(key="target").set_value(0.95).run()
    assert "To be right on 95 % of what it answers, this network has to be" in text_of(page)


def test_classes_of_the_chosen_output_and_split(open_page, make_run):
    page = open_page("run", run=make_run(data={"dataset": "shapes"}), output="colour")
    assert "F1 of 2 classes over 10 images" in text_of(page)
    page.segmented_control(key="split").set_value("val").run()
    assert "F1 of 2 classes over 10 images" in text_of(page)
    assert not page.exception


# ---- a comparison ----


def test_classes_of_several_runs(open_page, judged):
    runs = [judged(seed, name="net") for seed in range(3)]
    page = open_page("compare", runs=",".join(runs), part="Classes")
    assert "net · seed 1" in text_of(page)
    table = pl.from_pandas(page.dataframe[-1].value)
    assert table.columns == ["Macro average", "Precision", "Recall", "F1"]
    assert table.height == 3
    page.toggle(key="mean").set_value(True).run()
    assert "95 % intervals over seeds and images: " in text_of(page)
    assert "over images or, of several seeds, over seeds and images. Macro recall" in text_of(page)
    assert list(page.dataframe[-1].value["Average"]) == list(AVERAGES.values()), "one group, as one run"
    page.segmented_control(key="judged").set_value("ranking").run()
    assert not page.exception
    assert "area under the curve with 95 % intervals over seeds and images: " in text_of(page)


def test_confidence_of_several_runs(open_page, judged):
    runs = [judged(0), judged(1), judged(0, rate=0.01)]
    page = open_page("compare", runs=",".join(runs), part="Confidence", mean="true")
    table = pl.from_pandas(page.dataframe[0].value)
    assert table["Runs"].to_list() == ["2", "1"]
    page.toggle(key="scaled").set_value(True).run()
    page.segmented_control(key="sure").set_value("threshold").run()
    assert not page.exception
    assert page.segmented_control(key="answered_across").value == "coverage"
    assert pl.from_pandas(page.dataframe[0].value)["Runs"].to_list() == ["2 of 2", "1 of 1"]


def test_what_cannot_be_laid_over_the_others_is_left_out_with_the_reason(open_page, store, judged):
    runs = [judged(), judged(1, names=["a", "b", "c", "d"]), make_small_run(store.root, state="failed", name="lost")]
    page = open_page("compare", runs=",".join(runs), part="Classes")
    text = text_of(page)
    assert "Left out, with no answers on the same classes: lenet5 on digits · seed 1" in text
    assert "lost · seed" in text.split("Left out")[1]


def test_nothing_to_judge_yet(open_page, store):
    running = make_small_run(store.root, state="running")
    for part in ("Classes", "Confidence"):
        page = open_page("compare", runs=running, part=part)
        assert "There is nothing to judge yet: predictions come when a run has ended." in text_of(page)


# ---- words ----


def report_of(temperature: float = 0.5, n: int = 400, *, has_val: bool = True):
    val, test = (made_answers(n, 4, temperature=temperature, seed=seed) for seed in (1, 2))
    frames = [as_frame(val, split="val")] if has_val else []
    return confidence_report(pl.concat([*frames, as_frame(test)]), 4)


def test_sentences_on_the_temperature():
    assert words.temperature_sentence(report_of()).startswith("The network was too sure on 400 images of validation.")
    assert words.temperature_sentence(report_of(2.0)).startswith("The network was not sure enough on 400 images")
    assert words.temperature_sentence(report_of(1.0)) == (
        "The interval of the temperature holds 1: there is no sign that scaling is needed."
    )
    assert words.temperature_sentence(report_of(has_val=False)) == (
        "No temperature: it takes predictions on validation images, and this run has none."
    )
    sure = made_answers(50, 3)
    right = as_frame(Answers(sure.predicted, sure.probabilities))
    both = pl.concat([right.with_columns(split=pl.lit("val"), sample_id=pl.col("sample_id") + "v"), right])
    assert words.temperature_sentence(confidence_report(both, 3)).startswith(
        "The validation images do not determine the temperature, as where every answer is right"
    )
    same = pl.concat([right.with_columns(split=pl.lit("val")), right])
    assert words.temperature_sentence(confidence_report(same, 3)) == (
        "No temperature: 50 images are in both the validation and the test split, and what is fitted on images must "
        "not be judged on them."
    )


def test_sentences_on_the_threshold():
    text = words.threshold_sentence(report_of(), 0.9)
    assert text.startswith("To be right on 90 % of what it answers, this network has to be ")
    assert "(chosen on 400 images of validation). On the test images it then answers " in text
    assert words.threshold_sentence(report_of(), 1.5).startswith("At no threshold is this network right on 150 %")
    assert words.threshold_sentence(report_of(has_val=False), 0.9).startswith(
        "No threshold: it is chosen on validation"
    )


def test_a_confidence_is_not_rounded_up_to_all():
    assert words.confidence_text(0.98714) == "98.71 %"
    assert words.confidence_text(0.9999962) == "99.9996 %"
    assert words.confidence_text(1.0) == "100.00 %"


def test_tables_of_groups_have_students_interval():
    group = Overlay("a", "net", (report_of(0.5), report_of(0.6)))
    row = words.calibration_table([group]).row(0, named=True)
    assert row["Runs"] == "2"
    assert " to " in row["Temperature"]
    assert words.threshold_table([group], 1.5).row(0, named=True)["Threshold"] == "–"


def test_a_run_without_predictions_has_nothing_to_judge(store, judged):
    run_id = judged()
    (store.run_dir(run_id) / "predictions.parquet").unlink()
    assert answer_data.judged("top_k", run_id, "label", "test") is None
    assert answer_data.confidence(run_id, "label") is None


def test_averages_of_one_run_are_all_three(judged):
    run_id = judged()
    result = answer_data.judged("classes", run_id, "label", "test")
    table = averages_table([Overlay("a", "net", (result,))])
    assert table["Average"].to_list() == list(AVERAGES.values())
    assert answer_data.judged("classes", run_id, "no such output", "test") is None
    assert answer_data.confidence(run_id, "no such output") is None
