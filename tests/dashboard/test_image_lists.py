"""Images on the pages of a run and of a comparison: the cells of a matrix, lists that add up, labels in doubt."""

import json

import numpy as np
import pytest
from made_mistakes import make_mistaken
from made_runs import make_run
from page_text import said

from cnnlab.__main__ import run
from cnnlab.datasets.marks import read_marks
from cnnlab.datasets.storage import list_datasets, open_dataset
from dashboard import data
from dashboard.components import data_jobs, doubtful_labels, image_cards
from dashboard.components.cells import first_number
from dashboard.components.image_cards import Card, Said


@pytest.fixture
def digits(store):
    return open_dataset(store.root, "digits")


@pytest.fixture
def of_class(digits):
    """Places in the test split of the images of a class."""
    labels = digits.labels("test")["label"]
    return lambda number: np.flatnonzero(labels == number).tolist()


def shown(page) -> list[str]:
    """Ids of the images on a page, in their order."""
    html = "".join(element.proto.body for element in page.get("html"))
    return [part.split(":")[0] for part in html.split('alt="')[1:] if part.startswith("digits")]


def text(page) -> str:
    return said(page).replace("\\", "")


# ---- a run ----


def test_a_cell_shows_its_images_the_most_confident_first(open_page, store, digits, of_class):
    places = of_class(3)[:14]
    run_id = make_mistaken(store.root, dict.fromkeys(places, 8))
    page = open_page("run", run=run_id, cell="3-8")
    ids = [digits.sample_ids("test")[place] for place in reversed(places)]
    assert shown(page) == ids[:12]
    assert "**3** taken for **8**, the most confident first" in text(page)
    assert "1 to 12 of 14 images" in text(page)
    assert shown(open_page("run", run=run_id, cell="3-8", images_page="2")) == ids[12:]


def test_menus_choose_a_cell_and_write_it_into_the_address(open_page, store, of_class):
    run_id = make_mistaken(store.root, {of_class(5)[0]: 6})
    page = open_page("run", run=run_id, mistakes="Images of a cell")
    assert "Click a cell of the matrix" in text(page)
    page.selectbox(key="cell_true").set_value(5)
    page.selectbox(key="cell_predicted").set_value(6).run()
    assert page.query_params["cell"] in ("5-6", ["5-6"])
    assert len(shown(page)) == 1
    page.selectbox(key="cell_predicted").set_value(7).run()
    assert "No image of 5 was taken for 7." in text(page)


@pytest.mark.parametrize("cell", ["3-99", "x", "-1-3", "3"])
def test_a_cell_that_is_not_there_is_none(open_page, store, cell):
    page = open_page("run", run=make_run(store.root), cell=cell, mistakes="Images of a cell")
    assert not page.exception
    assert "Click a cell of the matrix" in text(page)


def test_images_that_are_gone_are_said_with_the_way_out(open_page, store):
    page = open_page("run", run=make_run(store.root), cell="0-0")
    assert "data set 'digits', version 0123456789ab. Expected that version in the store." in text(page)
    assert "make_images_again" in {button.key for button in page.button}


def test_the_worst_losses_come_first(open_page, store, digits, of_class):
    worst, other = of_class(1)[0], of_class(2)[0]
    run_id = make_mistaken(store.root, {worst: 7, other: 7})
    page = open_page("run", run=run_id, mistakes="Worst losses")
    ids = digits.sample_ids("test")
    assert set(shown(page)[:2]) == {ids[worst], ids[other]}
    assert "359 images of test, the highest loss first; 2 images are wrong." in text(page)


def overlays(page) -> int:
    return "".join(element.proto.body for element in page.get("html")).count('alt="Where the network looked in')


def test_where_it_looked_is_drawn_and_what_there_was_no_time_for_is_asked_again(
    open_page, store, of_class, monkeypatch
):
    run_id = make_mistaken(store.root, dict.fromkeys(of_class(4)[:2], 9))
    asked = []

    def answer(kind, **arguments):
        asked.append((kind, arguments))
        known = {"values": [[0, 1], [0.5, 0]], "peak": None, "probability": 0.9}
        maps = [known, *[None] * (len(arguments["sample_ids"]) - 1)]
        return data.Answer({"method": "grad_cam", "reason": "", "layer": "conv9", "maps": maps})

    monkeypatch.setattr(data, "ask_later", answer)
    page = open_page("run", run=run_id, cell="4-9", looked="true")
    (kind, arguments) = asked[0]
    assert (kind, arguments["run_id"], arguments["split"], arguments["classes"]) == (
        "attribution",
        run_id,
        "test",
        [9, 9],
    )
    assert arguments["output"] is None
    assert [len(arguments["sample_ids"]) for _, arguments in asked] == [2, 1]
    assert overlays(page) == 2
    assert "Grad-CAM (Selvaraju et al. 2016, arXiv:1610.02391) on the map of the layer conv9." in text(page)
    asked.clear()
    page.segmented_control(key="asked").set_value("true").run()
    assert asked[0][1]["classes"] == [4, 4]


def test_a_network_too_slow_for_an_image_is_said(open_page, store, of_class, monkeypatch):
    run_id = make_mistaken(store.root, {of_class(4)[0]: 9})
    value = {"method": "occlusion", "reason": "Why not.", "layer": "", "maps": [None]}
    monkeypatch.setattr(data, "ask_later", lambda _kind, **_arguments: data.Answer(value))
    page = open_page("run", run=run_id, cell="4-9", looked="true")
    assert overlays(page) == 0
    assert "by squares a quarter of the image wide. Why not." in text(page)
    assert any("too slow for this image" in element.proto.body for element in page.get("html"))


def test_while_it_looks_the_images_are_there_and_an_error_is_said(open_page, store, of_class, monkeypatch):
    run_id = make_mistaken(store.root, {of_class(4)[0]: 9})
    monkeypatch.setattr(data, "ask_later", lambda _kind, **_arguments: data.Answer())
    page = open_page("run", run=run_id, cell="4-9", looked="true")
    assert "The network looks at these images." in text(page)
    assert len(shown(page)) == 1
    monkeypatch.setattr(data, "ask_later", lambda _kind, **_arguments: data.Answer(error="It broke."))
    page = open_page("run", run=run_id, cell="4-9", looked="true")
    assert "It broke." in text(page)
    assert len(shown(page)) == 1


def test_an_unknown_view_in_the_address_is_the_first_one(open_page, store, of_class):
    page = open_page("run", run=make_mistaken(store.root, {of_class(5)[0]: 6}), mistakes="Nope")
    assert not page.exception
    assert page.segmented_control(key="mistakes").value == "pairs"


def test_which_doubtful_labels_are_listed_is_in_the_address(open_page, store, of_class):
    run_id = make_mistaken(store.root, {of_class(6)[-1]: 0})
    page = open_page("run", run=run_id, mistakes="Labels in doubt", suspects="false", unmarked="true")
    assert not page.toggle(key="suspects").value
    assert page.toggle(key="unmarked").value


def test_a_doubtful_label_is_marked_undone_and_corrected(open_page, store, digits, of_class):
    place = of_class(6)[-1]
    sample_id = digits.sample_ids("test")[place]
    page = open_page("run", run=make_mistaken(store.root, {place: 0}), mistakes="Labels in doubt")
    assert shown(page) == [sample_id]
    assert "1 label of 359 of test is suspect, by one run (99.7 % right)." in text(page)
    page.button(key=f"doubt.{sample_id}.label.is").click().run()
    (mark,) = read_marks(store.root, "digits").values()
    assert (mark.verdict, mark.was, mark.label, mark.version) == ("wrong", "6", "0", digits.info.version)
    assert mark.by
    assert "marked: it is 0, by" in text(page)
    page.button(key="undo_mark").click().run()
    assert read_marks(store.root, "digits") == {}
    page.button(key=f"doubt.{sample_id}.label.remove").click().run()
    page.button(key="correct").click().run()
    assert "0 labels change and 1 image goes: 1,796 of 1,797 stay" in text(page)
    assert "The corrected set is called 'digits_corrected'; 'digits' stays as it is." in text(page)
    assert len(list_datasets(store.root)) == 1, "it asks first"
    page.button(key="confirm_yes").click().run()
    assert not page.exception
    assert {info.name for info in list_datasets(store.root)} == {"digits", "digits_corrected"}


def test_a_large_set_is_corrected_in_a_process_of_its_own(open_page, store, of_class, monkeypatch):
    started = []
    monkeypatch.setattr(doubtful_labels, "WORTH_A_JOB_BYTES", 1000)
    monkeypatch.setattr(data_jobs, "start", lambda _root, name, _title, words: started.append((name, words)))
    place = of_class(6)[-1]
    page = open_page("run", run=make_mistaken(store.root, {place: 0}), mistakes="Labels in doubt")
    (sample_id,) = shown(page)
    page.button(key=f"doubt.{sample_id}.label.remove").click().run()
    page.button(key="correct").click().run()
    page.button(key="confirm_yes").click().run()
    ((name, words),) = started
    assert name == "digits_corrected"
    assert len(list_datasets(store.root)) == 1
    assert run([*words[1:], "--store", str(store.root)]) == 0, "the words are a command"
    assert len(list_datasets(store.root)) == 2


# ---- a comparison ----


@pytest.fixture
def two(store, of_class):
    """A gets the first two of class 1 wrong and B the second and third: one is fixed, one broken, one neither."""
    first, second, third = of_class(1)[:3]
    return [make_mistaken(store.root, dict.fromkeys(wrong, 7)) for wrong in ((first, second), (second, third))]


def test_the_lists_of_a_comparison_add_up(open_page, two, digits, of_class):
    ids = [digits.sample_ids("test")[place] for place in of_class(1)[:3]]
    page = open_page("compare", runs=",".join(two), part="Images")
    assert "A is right on 357 + 1 fixed − 1 broken = B is right on 357" in text(page)
    assert "Of the same 359 images; 1 image no run gets right." in text(page)
    assert "exact McNemar p = 1, n = 359 images." in text(page)
    assert shown(page) == [ids[0]]
    for label, sample_id in (("Broken by B", ids[2]), ("Both wrong", ids[1])):
        assert shown(open_page("compare", runs=",".join(two), part="Images", images=label)) == [sample_id]
    swapped = open_page("compare", runs=",".join(two), part="Images", a=two[1], b=two[0])
    assert shown(swapped) == [ids[2]]
    page.selectbox(key="images_class").set_value(2).run()
    assert "B gets no image right that A gets wrong." in text(page)


def test_a_and_b_change_places_where_one_is_chosen_twice(open_page, two):
    page = open_page("compare", runs=",".join(two), part="Images")
    page.selectbox(key="pair_a").set_value(two[1]).run()
    assert (page.selectbox(key="pair_a").value, page.selectbox(key="pair_b").value) == (two[1], two[0])


def test_groups_count_by_the_share_of_their_runs(open_page, store, digits, of_class):
    first, second, third = of_class(1)[:3]
    mistakes = ({first: 7, third: 7}, {third: 7})
    seeds = [
        make_mistaken(store.root, wrong, training={"epochs": 4, "seed": seed}) for seed, wrong in enumerate(mistakes)
    ]
    single = make_mistaken(store.root, {second: 7}, training={"epochs": 2})
    page = open_page("compare", runs=",".join([*seeds, single]), part="Images", mean="true")
    assert "A is right on 357.5 + 1.5 fixed − 1.0 broken = B is right on 358.0" in text(page)
    said_first = next(line for line in text(page).splitlines() if line.startswith("B minus A: +0.14 points"))
    assert "95 % interval over seeds and images" in said_first
    assert "Over images alone, so of these very networks only, the interval is" in text(page)
    overview = open_page("compare", runs=",".join([*seeds, single]), mean="true")
    counts = "right on 1.5 images that one of"
    assert counts in text(page)
    assert counts in text(overview)
    assert said_first.split("points, ")[1].split(",")[0] in text(overview)
    ids = digits.sample_ids("test")
    assert shown(page) == [ids[third], ids[first]], "what is fixed against all seeds comes first"


def test_a_corrected_set_is_compared_on_what_is_labelled_alike_and_another_set_is_refused(
    open_page, store, digits, of_class
):
    from cnnlab.datasets.correcting import correct_dataset
    from cnnlab.datasets.marks import Mark, add_mark

    for place, mark in ((of_class(2)[0], ("wrong", "2", "4")), (of_class(2)[1], ("remove", "2", ""))):
        add_mark(store.root, "digits", Mark(digits.sample_ids("test")[place], "label", *mark), digits.info.outputs)
    correct_dataset(store.root, "digits")
    runs = [
        make_mistaken(store.root, {}),
        make_mistaken(store.root, {}, dataset=open_dataset(store.root, "digits_corrected")),
    ]
    told = text(open_page("compare", runs=",".join(runs), part="Images"))
    assert "Left out: 1 image only A was tested on, 1 image with another label in A than in B." in told
    assert "A is right on 357 + 0 fixed − 0 broken = B is right on 357" in told
    other = make_run(store.root, data={"dataset": "mnist"})
    data.refresh()
    told = text(open_page("compare", runs=f"{runs[0]},{other}", part="Images"))
    assert "B is not compared with A: it stands on the data set mnist, not on digits. Choose two that" in told


def test_one_run_has_losses_and_labels(open_page, two):
    page = open_page("compare", runs=two[0], part="Images")
    assert page.segmented_control(key="images").options == ["Worst losses", "Labels in doubt"]
    assert len(shown(page)) == 12


def test_the_difference_of_two_matrices_and_the_images_of_a_cell(open_page, two, digits, of_class):
    page = open_page(
        "compare", runs=",".join(two), part="Confusion", matrices="Difference of two", cell="1-7", of=two[0]
    )
    (difference,) = [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]
    assert difference["layout"]["xaxis"]["title"]["text"] == "Predicted class (cells: B minus A, images)"
    assert difference["layout"]["shapes"], "the chosen cell is marked"
    ids = [digits.sample_ids("test")[place] for place in of_class(1)[:2]]
    assert shown(page) == ids[::-1]
    assert "Open the run" in {link.proto.label for link in page.get("page_link")}


def test_groups_have_one_matrix_that_says_n(open_page, store, of_class):
    seeds = [make_mistaken(store.root, {of_class(1)[0]: 7}, training={"epochs": 4, "seed": seed}) for seed in range(2)]
    page = open_page("compare", runs=",".join(seeds), part="Confusion", mean="true", cell="1-7", order="By similarity")
    assert "Confusion matrix of 718 answers of test in 10 classes, mean of 2 runs" in text(page)
    assert "Every image that one of the 2 runs put there" in text(page)
    assert len(shown(page)) == 1


# ---- the parts ----


@pytest.mark.parametrize("customdata", [[12, 3], {"0": 12, "1": 3}, 12, 12.0])
def test_a_click_is_read_however_the_array_comes(customdata):
    assert first_number({"selection": {"points": [{"customdata": customdata}]}}) == 12


@pytest.mark.parametrize("event", [None, {}, {"selection": {"points": []}}, {"selection": {"points": [{}]}}])
def test_no_click_is_none(event):
    assert first_number(event) is None


def test_names_of_users_are_no_markup_in_cards():
    card = Card("<b>.png", np.zeros((2, 2, 3), np.uint8), "<i>", [Said("<u>", [("<script>", 0.5)])])
    html = image_cards.cards_html([card]).removeprefix(image_cards.STYLE)
    assert not {"<b>.", "<i>:", "<u>", "<script"} & {html[at : at + 4] for at in range(len(html))} - {"<i s"}
    assert "&lt;script&gt;" in html


def test_large_pictures_travel_small():
    large = np.random.default_rng(0).integers(0, 256, (600, 900, 3)).astype(np.uint8)
    assert len(image_cards.data_url(large)) < 60_000
    assert image_cards.data_url(large).startswith("data:image/jpeg")
    assert image_cards.data_url(large[:32, :32]).startswith("data:image/png")
