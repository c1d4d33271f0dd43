"""What is drawn, as a table."""

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pytest
from plot_frames import metrics

from cnnlab.plots.figure_numbers import figure_numbers
from cnnlab.plots.learning_curves import learning_curves, learning_curves_info
from cnnlab.plots.template import empty_figure, new_figure


def rows(figure):
    return figure_numbers(figure).to_dicts()


def test_columns_are_called_as_the_axes():
    figure = new_figure(x_title="Epoch", y_title="Loss<br>of <b>a</b>")
    figure.add_scatter(x=[1, 2], y=[0.5, None])
    assert rows(figure) == [{"Epoch": 1.0, "Loss, of a": 0.5}, {"Epoch": 2.0, "Loss, of a": None}]


def test_series_and_names_of_points_are_told_apart():
    figure = new_figure(x_title="x", y_title="y")
    figure.add_scatter(x=[1], y=[1], name="&lt;a&gt;", hovertext=["<b>first</b><br>good"])
    figure.add_bar(x=["two"], y=[2], name="b")
    assert rows(figure) == [
        {"series": "<a>", "point": "first, good", "x": "1.0", "y": 1.0},
        {"series": "b", "point": None, "x": "two", "y": 2.0},
    ]


def test_what_only_explains_is_left_out():
    figure = learning_curves(learning_curves_info(metrics({"a": [2.0, 1.0]})))
    assert rows(figure) == [{"Epoch": 1.0, "Loss (cross-entropy)": 2.0}, {"Epoch": 2.0, "Loss (cross-entropy)": 1.0}]
    assert figure_numbers(empty_figure("Nothing yet.")).is_empty()


def test_intervals_are_ends_not_lengths():
    figure = new_figure(x_title="Effect", y_title="Change")
    figure.add_scatter(x=[1.0], y=["a"], error_x={"array": [0.5], "arrayminus": [0.25]})
    assert rows(figure) == [{"Effect": 1.0, "Change": "a", "low": 0.75, "high": 1.5}]


def test_each_axis_has_a_column_of_its_own():
    figure = new_figure(x_title="Time")
    figure.update_layout(yaxis={"title": {"text": "Use (%)"}}, yaxis2={"title": {"text": "Memory"}})
    figure.add_scatter(x=[0], y=[50]).add_scatter(x=[0], y=[2], yaxis="y2")
    assert rows(figure) == [
        {"Time": 0.0, "Use (%)": 50.0, "Memory": None},
        {"Time": 0.0, "Use (%)": None, "Memory": 2.0},
    ]


@pytest.mark.parametrize("kind", [go.Heatmap, go.Contour])
def test_a_map_has_a_row_per_cell(kind):
    figure = new_figure(x_title="Predicted", y_title="True")
    figure.add_trace(kind(z=np.array([[1, 2], [3, 4]]), x=["a", "b"], y=["c", "d"], colorbar={"title": "Images"}))
    assert figure_numbers(figure).rows() == [("c", "a", 1), ("c", "b", 2), ("d", "a", 3), ("d", "b", 4)]
    assert figure_numbers(figure).columns == ["True", "Predicted", "Images"]


def test_parallel_coordinates_have_a_row_per_line():
    figure = go.Figure(
        go.Parcoords(dimensions=[{"label": "rate", "values": [1, 2]}, {"label": "top-1", "values": [3, 4]}])
    )
    assert figure_numbers(figure).equals(pl.DataFrame({"rate": [1.0, 2.0], "top-1": [3.0, 4.0]}))
