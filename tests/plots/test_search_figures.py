"""The curves of the searches for a learning rate and a batch size."""

import math

import numpy as np
import pytest

from cnnlab.plots.batch_search import batch_search, batch_search_info, batch_search_summary
from cnnlab.plots.rate_search import rate_search, rate_search_info, rate_search_summary

RATE = {
    "rates": [1e-3, 1e-2, 1e-1, 1.0],
    "losses": [2.0, 1.2, 0.9, None],
    "smoothed": [2.0, 1.4, 1.0, None],
    "steepest": 1e-2,
    "diverged_at": 1.0,
    "tenth": 0.1,
    "suggestion": 1e-2,
    "rule": "steepest",
}
BATCH = {
    "rows": [
        {"batch_size": 8, "images_per_s": 100.0, "step_s": 0.08, "steps": 9},
        {"batch_size": 16, "images_per_s": 196.0, "step_s": 0.08, "steps": 9},
        {"batch_size": 32, "images_per_s": 200.0, "step_s": 0.16, "steps": 9},
    ],
    "suggestion": 16,
}


def test_the_single_steps_lie_behind_their_mean_and_both_rates_are_marked():
    info = rate_search_info(RATE)
    assert info.marks == [("falls fastest", 0.01, True), ("a tenth of where it diverges", 0.1, False)]
    figure = rate_search(info)
    assert [trace.name for trace in figure.data] == ["single steps", "mean of a tenth"]
    np.testing.assert_array_equal(figure.data[0].y, [2.0, 1.2, 0.9, np.nan])
    assert figure.data[0].line.width < figure.data[1].line.width
    assert figure.layout.xaxis.type == "log"
    assert [shape.x0 for shape in figure.layout.shapes] == [0.01, 0.1]
    assert [shape.line.dash for shape in figure.layout.shapes] == ["solid", "dash"]
    # Annotations stand at the logarithm on such an axis.
    assert [note.x for note in figure.layout.annotations] == pytest.approx([math.log10(0.01), math.log10(0.1)])
    # What diverged does not flatten the rest: half of the fall above the first loss.
    assert figure.layout.yaxis.range[1] == pytest.approx(2.0 + 0.5)
    assert rate_search_summary(info) == (
        "Training loss over 4 steps of rising learning rate, 1.0e-03 to 1.0e+00: 0.01, falls fastest (suggested); "
        "0.1, a tenth of where it diverges."
    )


def test_a_search_that_left_at_once_has_no_curve():
    info = rate_search_info({**RATE, "rates": [], "losses": [], "smoothed": [], "steepest": None, "tenth": None})
    assert info.is_empty
    assert not rate_search(info).data
    assert rate_search_summary(info) == "The loss left at the first step."


def test_the_suggested_batch_stands_out():
    info = batch_search_info(BATCH)
    figure = batch_search(info)
    assert figure.data[0].marker.size == (8, 13, 8)
    assert figure.layout.shapes[0].y0 == 0.95 * 200.0
    assert figure.data[0].customdata.tolist() == [80.0, 80.0, 160.0]
    assert batch_search_summary(info) == (
        "Training throughput at batch sizes 8 to 32: highest 200 images per second at 32; 16 is the smallest "
        "within 5 % of it."
    )


def test_no_size_could_be_timed():
    info = batch_search_info({"rows": [], "suggestion": None})
    assert info.is_empty
    assert not batch_search(info).data
    assert batch_search_summary(info) == "No batch size could be timed."
