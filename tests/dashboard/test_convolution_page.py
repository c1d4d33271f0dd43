"""The convolution lab as a page: every operation, the address, the steps, and what is refused."""

import io
import json
import re

import numpy as np
import pytest
from made_runs import make_run
from PIL import Image

from cnnlab.convolution.kernels import KERNELS
from cnnlab.convolution.settings import OPERATIONS
from dashboard import data
from dashboard.components.convolution_grid import Marks, grid
from dashboard.components.convolution_steps import PLAYING, STEP


def shown(page) -> str:
    return " ".join(str(element.proto.body) for element in page.get("html"))


def said(page) -> str:
    return "\n".join(str(element.value) for kind in (page.markdown, page.caption) for element in kind)


def keras_line(page) -> str:
    return page.code[0].value


def test_opens_with_everything(open_page):
    page = open_page("convolution")
    assert page.title[0].value == "Convolution lab"
    assert [metric.label for metric in page.metric] == ["Output side", "Parameters", "MACs"]
    assert [metric.value for metric in page.metric] == ["6", "10", "324"]
    assert keras_line(page) == "keras.layers.Conv2D(1, 3)"
    assert "output[0, 0] =" in shown(page)
    assert len(page.get("plotly_chart")) == 2
    assert not page.error


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation(open_page, operation):
    page = open_page("convolution", operation=OPERATIONS[operation], stride="2", padding="Same", channels="2")
    assert not page.error
    side = 16 if operation == "transposed" else 4
    sides = [metric.value for metric in page.metric if metric.label == "Output side"]
    assert sides == [str(side)]
    assert "strides=2" in keras_line(page)


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_kernel(open_page, kernel):
    page = open_page("convolution", kernel=KERNELS[kernel].title)
    assert page.selectbox(key="kernel").value == kernel
    assert KERNELS[kernel].summary in said(page)
    assert not page.error


def test_address_holds_the_view(open_page):
    page = open_page(
        "convolution", kernel="Laplacian", size="5", stride="2", padding="Same", mode="Convolution", pattern="Cross",
        side="12",
    )  # fmt: skip
    assert keras_line(page) == 'keras.layers.Conv2D(1, 5, strides=2, padding="same")'
    assert page.metric[0].label == "Padding of the side"
    assert "It is not symmetric" in said(page)
    page.slider(key="stride").set_value(3).run()


def test_nonsense_in_the_address_is_left_out(open_page):
    page = open_page("convolution", kernel="<b>x</b>", size="99", stride="-1", padding="x", input="y", dilation="a")
    assert keras_line(page) == "keras.layers.Conv2D(1, 3)"
    assert not page.error


def test_a_size_that_a_kernel_lacks_becomes_the_nearest(open_page):
    page = open_page("convolution", kernel="Box blur", size="4")
    assert keras_line(page) == "keras.layers.Conv2D(1, 4)"
    page.selectbox(key="kernel").set_value("sobel_x").run()
    assert keras_line(page) == "keras.layers.Conv2D(1, 3)"
    assert not page.exception


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"size": "11"}, "A 11×11 window does not fit into an input of 8×8 without padding."),
        ({"stride": "2", "dilation": "2"}, "Set the stride or the dilation to 1."),
    ],
)
def test_what_does_not_go_is_said_with_the_way_out(open_page, query, sentence):
    page = open_page("convolution", **query)
    assert sentence in re.sub(r"\\(.)", r"\1", page.error[0].value)
    assert not page.metric


def test_steps_forward_and_back(open_page):
    page = open_page("convolution")
    page.button(key="lab.next").click().run()
    assert page.session_state[STEP] == 1
    assert "output[0, 1] =" in shown(page)
    page.button(key="lab.back").click().run()
    assert page.session_state[STEP] == 0
    page.slider(key=STEP).set_value(35).run()
    assert "output[5, 5] =" in shown(page)
    # A smaller output has fewer steps: the last one is shown.
    page.slider(key="stride").set_value(3).run()
    assert "output[1, 1] =" in shown(page)


def test_play_and_pause(open_page):
    page = open_page("convolution")
    page.button(key="lab.play").click().run()
    assert page.session_state[PLAYING]
    assert page.button(key="lab.play").label == "Pause"
    at = page.session_state[STEP]
    assert at > 0
    page.button(key="lab.play").click().run()
    assert not page.session_state[PLAYING]
    assert page.session_state[STEP] == at


def test_groups_take_filters_with_them(open_page):
    page = open_page("convolution", channels="4")
    page.select_slider(key="groups").set_value(4).run()
    assert page.select_slider(key="filters").value == 4
    assert keras_line(page) == "keras.layers.Conv2D(4, 3, groups=4)"
    names = page.selectbox(key="map").options
    assert names == ["Sobel x", "Sobel y", "Prewitt x", "Prewitt y"]
    page.selectbox(key="map").set_value(2).run()
    assert not page.exception


def test_numbers_typed_into_cells_stand_in_the_address(open_page):
    page = open_page("convolution", kernel="One's own, cell by cell", cells="0,0,0,0,2,0,0,0,0", input="Draw")
    assert "Own kernel" in said(page)
    assert "output[0, 0] =" in shown(page)
    assert page.query_params["cells"] in ("0,0,0,0,2,0,0,0,0", ["0,0,0,0,2,0,0,0,0"])
    assert len(page.query_params["drawn"][0].split(",")) == 64 or len(str(page.query_params["drawn"]).split(",")) == 64
    assert not page.error


def test_an_image_of_a_data_set(open_page):
    page = open_page("convolution", input="Data set")
    assert "digits, image 1" in re.sub(r"\\(.)", r"\1", said(page))
    page.number_input(key="image").set_value(5).run()
    assert not page.exception
    assert page.metric[0].value == "6"


def png(width: int, height: int) -> bytes:
    kept = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)).save(kept, "PNG")
    return kept.getvalue()


def test_own_image(open_page):
    page = open_page("convolution", input="Own image", padding="Same")
    assert not page.metric
    page.get("file_uploader")[0].set_value(("my_photo.png", png(300, 200), "image/png")).run()
    assert not page.exception
    assert {metric.label: metric.value for metric in page.metric if "Output" in metric.label} == {
        "Output height": "85",
        "Output width": "128",
    }
    page.toggle(key="grey").set_value(False).run()
    assert "85 × 128 × 3" in said(page)


def test_a_broken_image_is_refused_in_words(open_page):
    page = open_page("convolution", input="Own image")
    page.get("file_uploader")[0].set_value(("x.png", b"no image", "image/png")).run()
    assert "is no image that can be read" in page.error[0].value
    assert not page.exception


def test_a_filter_of_a_trained_run(open_page, store, monkeypatch):
    run = make_run(store.root)
    weights = np.arange(3 * 3 * 2 * 4).reshape(3, 3, 2, 4).tolist()
    asked = []

    def ask_later(kind, **arguments):
        asked.append((kind, arguments))
        layer = arguments.get("layer", "conv1")
        layers = [{"name": name, "shape": [3, 3, 2, 4]} for name in ("conv1", "conv2")]
        return data.Answer(json.loads(json.dumps({"layers": layers, "layer": layer, "weights": weights})))

    monkeypatch.setattr(data, "ask_later", ask_later)
    page = open_page("convolution", kernel="Filter of a trained run")
    assert asked[0] == ("filters", {"run_id": run})
    assert "Filter 1" in shown(page)
    assert "one channel of the filter is shown" in said(page)
    page.selectbox(key=f"lab.layer.{run}").set_value("conv2").run()
    assert asked[-1] == ("filters", {"run_id": run, "layer": "conv2"})
    assert page.query_params["filters_layer"] in ("conv2", ["conv2"])
    page.slider(key="channels").set_value(2).run()
    page.number_input(key="filter").set_value(3).run()
    assert "Filter 3" in shown(page)
    assert not page.exception


def test_no_trained_run(open_page):
    page = open_page("convolution", kernel="Filter of a trained run")
    assert "No run has completed yet." in page.info[0].value


def test_a_grid_never_writes_markup_of_others():
    html = grid(np.array([[1.0, -2.5], [float("nan"), 0.0]]), "<b>x</b>", Marks(window={(0, 0)}, padding={(1, 1)}))
    assert "<b>" not in html
    assert html.count("<i ") == 4
    assert "−2.50" in html
