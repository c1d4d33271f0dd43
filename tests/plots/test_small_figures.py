"""Schedule, class balance and hardware; and what all figures have in common."""

import json

import numpy as np
import polars as pl
import pytest
from judging_figures import judging_figures
from plot_frames import metrics, summaries

from cnnlab.plots import (
    bubbles,
    class_balance,
    confused_pairs,
    confusion,
    confusion_difference,
    hardware,
    learning_curves,
    schedule_preview,
)

# ---- schedule ----


def test_schedule_in_epochs():
    info = schedule_preview.schedule_preview_info([0.1, 0.2, 0.3, 0.1], steps_per_epoch=2)
    assert info.epochs.tolist() == [0, 0.5, 1.0, 1.5]
    assert info.learning_rates.tolist() == [0.1, 0.2, 0.3, 0.1]
    assert schedule_preview.schedule_preview_summary(info) == (
        "Learning rate over 4 steps: highest 0.3, 0.1 at the last step."
    )


def test_a_long_schedule_keeps_its_drops_ends_and_peak():
    rates = np.where(np.arange(200_000) < 123_457, 0.1, 0.01)
    rates[77_777] = 0.5
    info = schedule_preview.schedule_preview_info(rates, 1)
    assert info.epochs.size < 2000
    assert {0, 123_456, 123_457, 77_777, 199_999} <= set(info.epochs.astype(int))
    assert (info.steps, info.highest, info.last) == (200_000, 0.5, 0.01)


def test_a_schedule_needs_steps():
    info = schedule_preview.schedule_preview_info([], 10)
    assert info.is_empty
    assert not schedule_preview.schedule_preview(info).data
    assert schedule_preview.schedule_preview_summary(info) == "No learning rate is known yet."
    with pytest.raises(ValueError, match=r"^steps_per_epoch=0 is out of range\. Expected an integer in \[1, inf\)\.$"):
        schedule_preview.schedule_preview_info([0.1], 0)


# ---- class balance ----


def samples():
    return pl.DataFrame(
        {"split": ["train"] * 3 + ["val"] + ["test"] * 2, "label": pl.Series([0, 0, 1, 0, 1, 1], dtype=pl.Int32)}
    )


def test_balance_counts_every_class_in_every_split():
    info = class_balance.class_balance_info(samples(), ("cat", "dog", "cow"), output="label")
    assert info.table.select("split", "class", "n").rows() == [
        ("train", "cat", 2), ("train", "dog", 1), ("train", "cow", 0),
        ("val", "cat", 1), ("val", "dog", 0), ("val", "cow", 0),
        ("test", "cat", 0), ("test", "dog", 2), ("test", "cow", 0),
    ]  # fmt: skip
    assert info.table["share"].to_list()[:3] == pytest.approx([2 / 3, 1 / 3, 0])
    assert class_balance.class_balance_summary(info) == (
        "6 images (3 train, 1 val, 2 test) in 3 classes: the largest is dog with 3, the smallest cow with 0."
    )


@pytest.mark.parametrize(("values", "mode"), [("counts", "stack"), ("shares", "group")])
def test_balance_bars(values, mode):
    info = class_balance.class_balance_info(samples(), ("cat", "dog", "cow"), output="label")
    figure = class_balance.class_balance(info, values)
    assert [trace.name for trace in figure.data] == ["train (n = 3)", "val (n = 1)", "test (n = 2)"]
    assert figure.layout.barmode == mode


def test_balance_of_nothing():
    info = class_balance.class_balance_info(samples().clear(), ("cat",), output="label")
    assert info.is_empty
    assert class_balance.class_balance_summary(info) == "No labelled images are known."
    assert class_balance.class_balance(info).layout.annotations[0].text == "No labelled images in this data set."


# ---- hardware ----


def usage(**columns):
    return pl.DataFrame({"elapsed_s": [0.0, 2.0, 4.0], **columns})


def test_hardware_shares_and_memory():
    info = hardware.hardware_info(usage(cpu_percent=[10.0, None, 150.0], memory_bytes=[2**30, 2**31, 2**30]))
    figure = hardware.hardware(info)
    assert [trace.name for trace in figure.data] == ["CPU", "Memory"]
    assert figure.data[0].y == pytest.approx([10, np.nan, 150], nan_ok=True), "what was not measured is a gap"
    assert figure.data[1].y.tolist() == [1.0, 2.0, 1.0]
    assert hardware.hardware_summary(info) == (
        "Use of the machine in 3 measurements; peaks: CPU 150 %, memory 2.00 GiB."
    )


def test_hardware_with_a_gpu():
    info = hardware.hardware_info(usage(gpu_percent=[1.0, 2.0, 3.0], gpu_memory_bytes=[2**30] * 3))
    assert hardware.hardware_summary(info).endswith("peaks: GPU 3 %, GPU memory 1.00 GiB.")


@pytest.mark.parametrize("columns", [{}, {"cpu_percent": pl.Series([None] * 3, dtype=pl.Float64)}])
def test_hardware_not_measured(columns):
    info = hardware.hardware_info(usage(**columns))
    assert info.is_empty
    assert hardware.hardware_summary(info) == "No use of the machine was measured."
    assert not hardware.hardware(info).data


# ---- all figures ----


def figures():
    curves = metrics({"a": [1.0, 0.5], "b": [1.0, float("nan")]})
    pairs = pl.DataFrame({"split": ["test"] * 2, "output": ["y"] * 2, "label": [0, 1], "predicted": [0, 0]})
    matrix = confusion.confusion_info(pairs, ("a", "b"))
    many = confusion.confusion_info(pairs, [f"class {number}" for number in range(300)])
    balance = class_balance.class_balance_info(samples(), ("a", "b"), output="label")
    used = hardware.hardware_info(usage(cpu_percent=[1.0, 2.0, 3.0], memory_bytes=[1, 2, 3]))
    return {
        "learning_curves": learning_curves.learning_curves(learning_curves.learning_curves_info(curves)),
        "confusion": confusion.confusion(matrix),
        "shares": confusion.confusion(matrix, "rows"),
        "many_classes": confusion.confusion(many, has_diagonal=False),
        "difference": confusion_difference.confusion_difference(
            confusion_difference.confusion_difference_info(matrix, matrix, ("a", "b"))
        ),
        "pairs": confused_pairs.confused_pairs(confused_pairs.confused_pairs_info(pairs, ("a", "b"))),
        **judging_figures(),
        "bubbles": bubbles.bubbles(bubbles.bubbles_info(summaries({}))),
        "schedule": schedule_preview.schedule_preview(schedule_preview.schedule_preview_info([0.1, 0.2], 1)),
        "balance": class_balance.class_balance(balance),
        "hardware": hardware.hardware(used),
        "empty": learning_curves.learning_curves(learning_curves.learning_curves_info(curves.clear())),
    }


def font_colours(value, path=""):
    """Where a figure sets the colour of text; then the theme of the page could not. In coloured cells it must not."""
    if isinstance(value, dict) and value.get("type") != "heatmap":
        for key, inner in value.items():
            here = f"{path}.{key}"
            if key == "color" and (".font." in here or "textfont" in here):
                yield here
            yield from font_colours(inner, here)
    elif isinstance(value, list):
        for inner in value:
            yield from font_colours(inner, path)


@pytest.mark.parametrize("name", figures())
def test_every_figure_is_valid_and_leaves_the_page_its_colours(name):
    figure = figures()[name]
    written = json.loads(figure.to_json())
    assert list(font_colours(written)) == []
    layout = written["layout"]["template"]["layout"]
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
    assert "data" not in written["layout"]["template"]
    assert "title" not in written["layout"], "the page has the heading, and the summary is the caption"


@pytest.mark.parametrize("name", [name for name in figures() if name not in {"empty", "hardware"}])
def test_every_axis_says_what_it_shows(name):
    figure = figures()[name]
    assert figure.layout.xaxis.title.text
    assert figure.layout.yaxis.title.text
