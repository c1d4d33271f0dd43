"""The charts after Canziani: density and bars by hand, the front, the published layer, and names that keep clear."""

import json

import numpy as np
import pytest
from plot_frames import named, summaries

from cnnlab.analysis.intervals import student_share, wilson
from cnnlab.plots import published
from cnnlab.plots.bubble_layout import WIDTHS_PX, axes_of, label_positions, share_ticks
from cnnlab.plots.bubble_sizes import size_reference
from cnnlab.plots.bubbles import NOWHERE, bubbles, bubbles_of
from cnnlab.plots.density import density, density_info, density_summary
from cnnlab.plots.palette import colour_of
from cnnlab.plots.pareto import pareto_info, pareto_summary
from cnnlab.plots.placing import Mark, label_box
from cnnlab.plots.point_bars import MOST_BARS
from cnnlab.plots.points import run_points
from cnnlab.plots.top1_bars import top1_bars, top1_bars_info, top1_bars_summary
from cnnlab.published.imagenet import choose_weights, load_imagenet

THREE = (
    {"name": "small", "num_params": 50_000, "macs": 400_000, "test_accuracy": 0.9, "val_accuracy": 0.91},
    {"name": "wasteful", "num_params": 2_000_000, "macs": 9_000_000, "test_accuracy": 0.85, "val_accuracy": 0.95},
    {"name": "large", "num_params": 1_000_000, "macs": 5_000_000, "test_accuracy": 0.95, "val_accuracy": 0.94,
     "architecture": "resnet"},
)  # fmt: skip


def imagenet(weights="first"):
    return published.published_points(choose_weights(load_imagenet(), weights))


# ---- accuracy density ----


def test_density_by_hand():
    info = density_info(run_points(summaries(*THREE)))
    # 90 % of 0.05 million, 95 % of one million, 85 % of two million parameters.
    assert dict(info.table.select("label", "density").rows()) == pytest.approx(
        {"small": 1800.0, "large": 95.0, "wasteful": 42.5}
    )
    assert info.table["label"].to_list() == ["small", "large", "wasteful"]
    low, high = wilson(324, 360)
    first = info.table.row(0, named=True)
    assert (first["low"], first["high"]) == pytest.approx((100 * low / 0.05, 100 * high / 0.05))


def test_density_of_a_published_network_by_hand():
    table = density_info(imagenet()).table
    assert table.filter(label="AlexNet")["density"].to_list() == [pytest.approx(56.522 / 61.10084)]


def test_density_says_who_has_none():
    points = run_points(summaries(*THREE, {"name": "unsized", "num_params": None}, {"test_accuracy": None}))
    text = density_summary(density_info(points))
    assert text == (
        "Top-1 accuracy on test per million parameters, 3 bars: highest small with 1,800 % per million parameters "
        "(n = 360 images, Wilson), lowest wasteful with 42.5; not shown: unsized (parameters are not known), "
        "run4 (no test accuracy, completed)."
    )


def test_density_of_nothing():
    info = density_info(run_points(summaries({"name": "x", "num_params": None})))
    assert info.is_empty
    assert density_summary(info) == (
        "No run has both a test accuracy and known parameters: x (parameters are not known)."
    )
    assert density(info).layout.annotations[0].text.startswith("No bar to draw")


def test_only_the_highest_densities_are_drawn_and_it_is_said():
    info = density_info(imagenet("all"))
    assert len(density(info).data[0].y) == MOST_BARS
    assert f"; the {info.table.height - MOST_BARS} lowest are in the table only" in density_summary(info)
    assert "not shown: MobileNet_V2 V1 (parameters are not known)" in density_summary(info)


# ---- top-1 by architecture ----


def test_bars_have_the_intervals_of_wilson_and_of_student():
    frame = summaries(
        {"name": "net", "group_id": "g", "test_accuracy": 0.8},
        {"name": "net", "group_id": "g", "test_accuracy": 0.9},
        {"name": "alone", "group_id": "h"},
    )
    info = top1_bars_info(run_points(frame, is_grouped=True))
    bar = top1_bars(info).data[0]
    assert list(bar.y) == ["alone, n = 1", "net, n = 2"]
    mean, _, high = student_share([0.8, 0.9])
    assert bar.error_x.array.tolist() == pytest.approx([wilson(324, 360)[1] - 0.9, high - mean])
    assert "mean of n = 2 runs, Student's t" in bar.hovertext[1]
    assert bar.customdata.dtype == np.int32
    assert [info.points.members[place] for place in bar.customdata] == [("run2",), ("run0", "run1")]


def test_one_bar_of_each_architecture_is_chosen_by_validation():
    info = top1_bars_info(run_points(summaries(*THREE)), is_one_each=True)
    # 'wasteful' has the better validation accuracy, though 'small' is better on test.
    assert info.table["label"].to_list() == ["large", "wasteful"]
    assert list(top1_bars(info).data[0].y) == ["resnet", "lenet5 (best of 2)"]
    assert top1_bars_summary(info) == (
        "Top-1 accuracy on test, 2 bars, of each architecture the one with the highest validation accuracy: "
        "highest large with 95.00 % (n = 360 images, Wilson), lowest wasteful with 85.00 %."
    )


def test_without_validation_the_choice_says_what_it_went_by():
    info = top1_bars_info(run_points(summaries({**THREE[0], "val_accuracy": None}, *THREE[1:])), is_one_each=True)
    assert info.table["label"].to_list() == ["large", "small"]
    assert "of each architecture the one with the highest top-1 on test" in top1_bars_summary(info)


def test_a_group_is_chosen_by_the_mean_of_its_validation():
    frame = summaries(
        {"name": "steady", "group_id": "g", "val_accuracy": 0.9},
        {"name": "steady", "group_id": "g", "val_accuracy": 0.9},
        {"name": "lucky", "group_id": "h", "val_accuracy": 0.99},
        {"name": "lucky", "group_id": "h", "val_accuracy": 0.7},
    )
    info = top1_bars_info(run_points(frame, is_grouped=True), is_one_each=True)
    assert info.table["label"].to_list() == ["steady"]


def test_no_bars_say_so():
    info = top1_bars_info(run_points(summaries({"name": "x", "test_accuracy": None})), is_one_each=True)
    assert info.is_empty
    assert top1_bars_summary(info) == "No run has a test accuracy: x (no test accuracy, completed)."
    assert top1_bars(info).layout.annotations[0].text.startswith("No bar to draw")


def test_an_architecture_has_one_colour_on_all_charts():
    points = imagenet()
    architectures = sorted(set(points.table["architecture"]))
    colours = colour_of(architectures)
    bar = top1_bars(top1_bars_info(points, is_one_each=True), architectures=architectures).data[0]
    drawn = dict(zip([label.split(" (")[0] for label in bar.y], bar.marker.line.color, strict=True))
    assert drawn == colours
    # MobileNetV2 has no bubble, as its parameters are not known: the others keep their colours.
    figure = bubbles(bubbles_of(points, "macs"), architectures=architectures)
    assert named(figure, "ViT")[-1].marker.color == colours["ViT"]
    assert not named(figure, "MobileNetV2")


# ---- the Pareto front ----


def test_the_front_is_drawn_as_a_staircase_to_the_edge():
    info = bubbles_of(run_points(summaries(*THREE)), "macs")
    front = pareto_info(info.table, "macs")
    assert front.table["label"].to_list() == ["small", "large"]
    assert pareto_summary(front) == "On the Pareto front, from the cheapest up (2 points of 3): small, large."
    figure = bubbles(info, front=front)
    (line,) = named(figure, "Pareto front")
    assert line.line.shape == "hv"
    assert list(line.y) == [0.9, 0.95, 0.95]
    assert list(line.x[:2]) == [400_000, 5_000_000]
    assert line.x[2] == pytest.approx(10 ** figure.layout.xaxis.range[1])
    assert not named(bubbles(info), "Pareto front")


def test_the_front_depends_on_the_cost():
    # By parameters 'slim' is cheaper, by operations 'quick'.
    frame = summaries({"name": "slim", "num_params": 10, "macs": 100}, {"name": "quick", "num_params": 20, "macs": 50})
    info = bubbles_of(run_points(frame), "macs")
    assert pareto_info(info.table, "macs").table["label"].to_list() == ["quick"]
    assert pareto_info(info.table, "num_params").table["label"].to_list() == ["slim"]


def test_no_points_have_a_front_that_says_so():
    info = bubbles_of(run_points(summaries({"test_accuracy": None})), "macs")
    assert pareto_summary(pareto_info(info.table, "macs")) == "No point, so no Pareto front."


# ---- axes, the layer behind ----


def test_a_linear_axis_begins_below_zero_and_ends_beyond_the_dearest():
    figure = bubbles(bubbles_of(run_points(summaries(*THREE)), "macs"), scale="linear")
    assert figure.layout.xaxis.type == "linear"
    low, high = figure.layout.xaxis.range
    assert low < 0 < 9_000_000 < high
    json.loads(figure.to_json())


def test_the_layer_behind_is_pale_leads_nowhere_and_shares_the_scale_of_areas():
    info = bubbles_of(run_points(summaries(*THREE)), "macs")
    layer = bubbles_of(imagenet(), "macs")
    figure = bubbles(info, behind=layer)
    (behind,) = named(figure, f"ImageNet, published (n = {layer.table.height})")
    assert set(behind.customdata.tolist()) == {NOWHERE}
    assert figure.data[0] is behind, "drawn first, so that one's own runs lie above it"
    sizerefs = {trace.marker.sizeref for trace in figure.data if trace.marker.sizemode == "area"}
    assert sizerefs == {size_reference(layer.table["num_params"].max())}
    low, high = figure.layout.xaxis.range
    assert low < np.log10(400_000)
    assert high > np.log10(layer.table["macs"].max())


def test_an_empty_layer_changes_nothing():
    info = bubbles_of(run_points(summaries(*THREE)), "macs")
    nothing = bubbles_of(published.published_points(load_imagenet().clear()), "macs")
    assert len(bubbles(info, behind=nothing).data) == len(bubbles(info).data)


@pytest.mark.parametrize(("low", "high"), [(0.93, 1.013), (0.5, 0.95), (0.0, 1.0), (0.9712, 0.9731), (-0.1, 1.2)])
def test_ticks_of_accuracy_are_round_and_never_above_all(low, high):
    ticks = share_ticks(low, high)
    assert 2 <= len(ticks) <= 8 or high - low < 0.005
    assert all(max(0, low) <= tick <= min(1, high) for tick in ticks)


# ---- names of bubbles ----


@pytest.mark.parametrize("weights", ["first", "best", "all"])
@pytest.mark.parametrize("cost", ["macs", "num_params"])
@pytest.mark.parametrize("scale", ["log", "linear"])
def test_names_of_the_front_keep_clear_at_every_width(weights, cost, scale):
    info = bubbles_of(imagenet(weights), cost)
    front = pareto_info(info.table, cost)
    axes = axes_of([info.table], cost, scale)
    sizeref = size_reference(info.table["num_params"].max())
    positions = label_positions(info.table, cost, axes, sizeref, 560, front.indices, front.steps)
    rows = [row for row, side in zip(info.table.iter_rows(named=True), positions, strict=True) if side]
    assert rows
    assert {row["index"] for row in rows} <= set(front.indices)
    sides = [side for side in positions if side]
    y_low, y_high = axes.y_range
    plot_px = (560 - 130) * 0.83
    for width in WIDTHS_PX:
        boxes = []
        for row, side in zip(rows, sides, strict=True):
            share = float(axes.shares(np.array([row[cost]], dtype=float))[0])
            y = (y_high - row["accuracy"]) / (y_high - y_low) * plot_px
            radius = 28 * np.sqrt(row["num_params"] / info.table["num_params"].max())
            boxes.append(label_box(Mark(share, y, radius, row["label"], y, y), side, width))
        for place, one in enumerate(boxes):
            for other in boxes[:place]:
                apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
                assert apart, (width, one, other)


def test_with_many_bubbles_only_the_front_is_named():
    info = bubbles_of(imagenet(), "macs")
    assert not any(text for trace in bubbles(info).data for text in trace.text or () if trace.xaxis != "x2")
    front = pareto_info(info.table, "macs")
    figure = bubbles(info, front=front)
    shown = {text for trace in figure.data if trace.xaxis != "x2" for text in trace.text or () if text}
    assert shown
    assert shown <= set(front.table["label"])


def test_the_published_view_names_weights_only_where_there_are_several():
    labels = set(imagenet("all").table["label"])
    assert {"AlexNet", "ResNet50 V1", "ResNet50 V2", "RegNet_Y_128GF SWAG_E2E_V1"} <= labels
    assert "ResNet50" in set(imagenet("first").table["label"])
    assert imagenet("all").table["label"].n_unique() == 114
