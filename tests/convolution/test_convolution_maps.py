"""The pictures of the convolution lab: which value is black, and what is said of it."""

import numpy as np
import pytest

from cnnlab.plots.convolution_maps import convolution_map, convolution_map_info, convolution_map_summary

SIGNED = np.array([[-4.0, 2.0], [0.0, 1.0]])


@pytest.mark.parametrize(
    ("view", "low", "high", "said"),
    [
        ("signed", -4, 4, "2×2 cells, values -4 to 2: black -4, grey 0, white 4."),
        ("absolute", 0, 4, "2×2 cells, values 0 to 4: black 0, white 4."),
        ("relu", 0, 2, "2×2 cells, values 0 to 2: black 0, white 2."),
    ],
)
def test_what_black_and_white_are(view, low, high, said):
    info = convolution_map_info(SIGNED, view)
    assert (info.low, info.high) == (low, high)
    assert convolution_map_summary(info) == said


def test_a_flat_map_and_a_colour_image():
    flat = convolution_map_info(np.zeros((3, 3)))
    assert flat.high > flat.low
    colour = convolution_map_info(np.full((4, 5, 3), 200.0))
    assert convolution_map(colour).data[0].type == "image"
    assert convolution_map_summary(colour) == "4×5 cells, values 200 to 200, red, green and blue."


def test_the_first_row_is_on_top_and_axes_say_what_they_are():
    figure = convolution_map(convolution_map_info(np.arange(6.0).reshape(2, 3)))
    assert tuple(figure.layout.yaxis.range) == (1.5, -0.5)
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("Column (px)", "Row (px)")
