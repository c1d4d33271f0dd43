"""Numbers in coloured cells: in each the ink that can be read."""

import numpy as np
import plotly.graph_objects as go
import pytest
from plot_frames import cell_texts

from cnnlab.plots.inked_cells import INKS, add_inked_cells, colours_at, contrast, is_white_ink, luminance
from cnnlab.plots.palette import diverging, sequential

ENOUGH = 4.5
SCALES = {
    f"{name}, {'dark' if is_dark else 'light'}": scale(is_dark, power)
    for name, scale, power in (
        ("difference", diverging, 1.6),
        ("matrix", sequential, 2.0),
        ("classes", sequential, 1.4),
    )
    for is_dark in (False, True)
}


@pytest.mark.parametrize("scale", SCALES.values(), ids=SCALES)
def test_every_number_can_be_read_on_its_cell(scale):
    shares = np.linspace(0, 1, 1001)
    ink = np.where(is_white_ink(scale, shares), 1.0, 0.0)
    assert contrast(luminance(colours_at(scale, shares)), ink).min() >= ENOUGH


def test_a_colour_between_two_stops():
    assert colours_at([(0, "#000000"), (0.5, "#ff0000"), (1, "#ffffff")], np.array([0.25, 0.75, 2.0])) == pytest.approx(
        np.array([[0.5, 0, 0], [1, 0.5, 0.5], [1, 1, 1]])
    )


def test_each_ink_is_a_layer_and_a_cell_has_one_of_them():
    figure = go.Figure()
    texts = [["0", "1"], ["", "1"]]
    scale = [(0.0, "#ffffff"), (1.0, "#000000")]
    add_inked_cells(figure, np.array([[0, 1], [1, 1]]), texts, scale=scale, low=0, high=1, hovertemplate="x")
    black, white = figure.data
    assert (black.textfont.color, white.textfont.color) == INKS
    assert np.isnan(white.z).tolist() == [[True, False], [True, False]], "an empty cell needs no ink"
    assert cell_texts(figure) == texts
    assert white.hoverinfo == "skip", "what a cell shows is said once"


def test_pale_cells_are_one_layer():
    figure = go.Figure()
    add_inked_cells(figure, np.zeros((2, 2)), [["0"] * 2] * 2, scale=sequential(), low=0, high=0)
    assert len(figure.data) == 1
