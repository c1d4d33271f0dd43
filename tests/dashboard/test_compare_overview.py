"""The overview of a comparison: the verdict in words, the baseline, ties in place of a ranking, what is refused."""

import json

import polars as pl
import pytest
from made_runs import make_run
from page_text import said

from cnnlab.files import read_json, write_json


def table(page, *columns) -> pl.DataFrame:
    frames = [pl.from_pandas(one.value) for one in page.dataframe]
    return next(frame for frame in frames if set(columns) <= set(frame.columns))


def spoken(page) -> str:
    """What the page says, as a person reads it."""
    return said(page).replace("\\", "")


def group(store, name, *accuracies, **values):
    return [
        make_run(store.root, name=name, accuracy=accuracy, training={"epochs": 4, "seed": seed, **values})
        for seed, accuracy in enumerate(accuracies)
    ]


def test_two_runs_get_a_verdict_with_numbers(open_page, store):
    first = make_run(store.root, accuracy=0.8, name="first")
    second = make_run(store.root, accuracy=0.9, name="second", training={"epochs": 4, "learning_rate": 0.01})
    page = open_page("compare", runs=f"{first},{second}")
    text = spoken(page)
    assert f"**second · seed 0 · {second[-4:]} is better than first · seed 0 · {first[-4:]}.**" in text
    assert "90.00 % against 80.00 % of 200 test images: +10.00 points (paired bootstrap 95 % interval +" in text
    assert f"is right on 20 images that first · seed 0 · {first[-4:]} gets wrong" in text
    assert "This speaks of these trained networks, not of their settings" in text
    rows = table(page, "Rank").to_dicts()
    assert [row["Rank"] for row in rows] == ["2", "1"]
    assert rows[1]["Against baseline"] == pytest.approx(10)
    assert (rows[1]["Only it right"], rows[1]["Only baseline right"]) == (20, 0)
    assert rows[0]["Against baseline"] is None


def test_the_baseline_stands_in_the_address(open_page, store):
    first, second = make_run(store.root, accuracy=0.8), make_run(store.root, accuracy=0.9)
    page = open_page("compare", runs=f"{first},{second}", baseline=second)
    assert page.selectbox(key="compare_baseline").value == second
    assert "is worse than" in spoken(page)
    page.selectbox(key="compare_baseline").select(first).run()
    assert "baseline" not in page.query_params
    assert "is better than" in spoken(page)
    page.selectbox(key="compare_baseline").select(second).run()
    assert page.query_params["baseline"] == second
    # A baseline that is not among the chosen is as none.
    assert open_page("compare", runs=f"{first},{second}", baseline="gone").selectbox[0].value == first


def test_groups_are_compared_over_their_seeds(open_page, store):
    runs = [*group(store, "slow", 0.80, 0.81, 0.82, learning_rate=0.001), *group(store, "fast", 0.90, 0.91, 0.92)]
    page = open_page("compare", runs=",".join(runs), baseline=runs[0], mean="true")
    text = spoken(page)
    assert "**fast is better than slow.**" in text
    assert "of 200 test images, over 3 and 3 seeds: +10.00 points" in text
    assert "permutation p = 0.1, which with 3 and 3 seeds cannot be below 0.1" in text
    looks = json.loads(page.dataframe[0].proto.columns)
    assert looks["Only it right"]["type_config"]["format"] == "%.1f", "means over seeds keep a digit, as in the verdict"
    rows = table(page, "Rank", "n").to_dicts()
    assert [(row["Group"], row["n"], row["Rank"]) for row in rows] == [("slow", "3", "2"), ("fast", "3", "1")]
    assert rows[0]["Test top-1"] == pytest.approx(81)
    assert rows[0]["Open"] == "/compare?runs=" + "%2C".join(runs[:3])
    members = table(page, "Group", "Seed")
    assert members["Seed"].to_list() == [0, 1, 2, 0, 1, 2]
    turned = open_page("compare", runs=",".join(reversed(runs)), mean="true")
    assert table(turned, "Group", "Seed")["Seed"].to_list() == [0, 1, 2, 0, 1, 2], "by seed in whatever order chosen"
    assert members["Open"][0] == f"/run?run={runs[0]}"


def test_groups_of_one_name_are_told_by_what_differs(open_page, store):
    runs = [*group(store, "", 0.8, 0.8, learning_rate=0.001), *group(store, "", 0.9, 0.9)]
    page = open_page("compare", runs=",".join(runs), mean="true")
    names = table(page, "Rank")["Group"].to_list()
    assert names == ["lenet5 on digits (learning_rate=0.001)", "lenet5 on digits (learning_rate=0.002)"]


def test_ties_take_the_place_of_a_ranking(open_page, store):
    runs = [make_run(store.root, accuracy=accuracy) for accuracy in (0.9, 0.905, 0.5)]
    page = open_page("compare", runs=",".join(runs))
    assert "is highest, but 1 of the 2 others cannot be told apart from it" in spoken(page)
    rows = table(page, "Rank")
    assert rows["Rank"].to_list() == ["1–2", "1–2", "3"]
    assert rows["Ties"].to_list() == ["a", "a", "b"]
    pairs = table(page, "Better", "Worse")
    assert pairs["Told apart"].to_list() == [True, True, False]
    assert "3 pairs tested on 200 test images" in spoken(page)


def test_other_data_is_refused_with_the_reason(open_page, store):
    first = make_run(store.root, accuracy=0.9)
    other = make_run(store.root, accuracy=0.8, data={"dataset": "mnist"})
    waiting, emptied = make_run(store.root, state="queued"), make_run(store.root)
    (store.run_dir(emptied) / "predictions.parquet").unlink()
    page = open_page("compare", runs=f"{first},{other},{waiting},{emptied}")
    text = spoken(page)
    assert "None of the others fits to it." in text
    assert "(it stands on the data set mnist, not on digits)" in text
    assert "(not tested yet)" in text
    assert "(its answers on the test images are not kept)" in text
    rows = table(page, "Test top-1", "Parameters").to_dicts()
    assert [row["Test top-1"] for row in rows] == [pytest.approx(90), pytest.approx(80), None, pytest.approx(90)]
    assert [row["Rank"] for row in rows] == ["1", None, None, None]


def test_other_versions_are_compared_on_what_they_share(open_page, store):
    first, second = make_run(store.root, accuracy=0.9), make_run(store.root, accuracy=0.5, version="bbbbbbbbbbbb")
    path = store.run_dir(second) / "predictions.parquet"
    renamed = pl.when(pl.col("sample_id") >= "digits-0150").then(pl.lit("new-") + pl.col("sample_id"))
    pl.read_parquet(path).with_columns(renamed.otherwise("sample_id").alias("sample_id")).write_parquet(path)
    result = store.run_dir(second) / "result.json"
    write_json(result, read_json(result) | {"test_time": "flip"})
    page = open_page("compare", runs=f"{first},{second}")
    assert "may come from how they were tested" in spoken(page)
    assert "Compared on the 150 test images that all of them share" in spoken(page)
    # Of these the first got all right and the second 100.
    assert table(page, "Rank")["Test top-1"].to_list() == pytest.approx([100, 100 * 100 / 150])


def test_one_run_has_no_baseline_and_no_differences(open_page, store):
    page = open_page("compare", runs=make_run(store.root))
    assert not page.selectbox
    assert "Choose a second to compare it with." in spoken(page)
    assert len(page.get("plotly_chart")) == 1


@pytest.mark.parametrize(("num_runs", "legend"), [(2, ["lenet5", "lenet5"]), (13, ["lenet5"])])
def test_of_many_runs_the_bubbles_have_the_colours_of_architectures(open_page, store, num_runs, legend):
    runs = [make_run(store.root) for _ in range(num_runs)]
    page = open_page("compare", runs=",".join(runs))
    figure = json.loads(page.get("plotly_chart")[-1].proto.spec)
    shown = [trace["name"] for trace in figure["data"] if trace.get("showlegend", True)]
    assert [name.split()[0] for name in shown] == legend
