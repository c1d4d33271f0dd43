"""The weights that a training learnt for its outputs."""

import polars as pl

from cnnlab.analysis.joint import all_right
from cnnlab.plots.output_weights import output_weights, output_weights_info, output_weights_summary

ROWS = [(1, "b", "weight", 1.0), (2, "b", "weight", 2.0), (1, "<a>", "weight", 0.5), (1, "b", "loss", 9.0)]
FRAME = pl.DataFrame(ROWS, schema=["epoch", "output", "metric", "value"], orient="row")


def test_one_line_per_output():
    info = output_weights_info(FRAME)
    assert {name: (x.tolist(), y.tolist()) for name, (x, y) in info.lines.items()} == {
        "<a>": ([1], [0.5]),
        "b": ([1, 2], [1.0, 2.0]),
    }
    figure = output_weights(info, epochs=10)
    assert [trace.name for trace in figure.data] == ["&lt;a&gt;", "b"]
    assert figure.layout.xaxis.range[1] > 10
    assert output_weights_summary(info) == "Learnt weights of the outputs in epoch 2: <a> 0.5, b 2."


def test_no_weights():
    info = output_weights_info(FRAME.filter(pl.col("metric") == "loss"))
    assert not output_weights(info).data
    assert output_weights_summary(info) == "No weights are known yet."


def test_all_outputs_right_at_once():
    rows = [("1", 0, 0), ("1", 2, 2), ("2", 1, 1), ("2", 1, 0), ("3", 1, None), ("3", 0, 0)]
    frame = pl.DataFrame(rows, schema=["sample_id", "label", "predicted"], orient="row")
    assert all_right(frame) == (1, 3)
    assert all_right(frame.head(0)) == (0, 0)
