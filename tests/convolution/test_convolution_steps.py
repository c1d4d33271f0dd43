"""Kernels, patterns, sizes, formulas, steps and sentences of the convolution lab."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as some

from cnnlab.convolution.formulas import beside, formulas, padding_sentence
from cnnlab.convolution.geometry import output_shape, receptive_fields
from cnnlab.convolution.keras_code import keras_code, remarks
from cnnlab.convolution.kernels import KERNELS, get_kernel, nearest_size
from cnnlab.convolution.layer import apply, make_layer
from cnnlab.convolution.patterns import PATTERNS, as_channels, get_pattern
from cnnlab.convolution.settings import OPERATIONS, Settings, check_settings
from cnnlab.convolution.steps import num_steps, output_so_far, position_of, step_at
from cnnlab.errors import CNNLabError, ConfigError

RANDOM = np.random.default_rng(5)


@some.composite
def layers(draw):
    """A layer and an image that it fits."""
    operation = draw(some.sampled_from(list(OPERATIONS)))
    pads = ["valid", "same"] if operation in ("transposed", "max_pooling", "average_pooling") else ["valid", "full"]
    stride = draw(some.integers(1, 3))
    groups = draw(some.sampled_from([1, 2])) if operation == "standard" else 1
    settings = check_settings(
        {
            "operation": operation,
            "mode": draw(some.sampled_from(["correlation", "convolution"])),
            "size": draw(some.integers(1, 3)),
            "stride": stride,
            "padding": draw(some.sampled_from([*pads, "same"])),
            "dilation": draw(some.integers(1, 2)) if stride == 1 else 1,
            "filters": 2,
            "groups": groups,
        }
    )
    image = RANDOM.normal(size=(draw(some.integers(5, 7)), draw(some.integers(5, 7)), 2))
    kernels = list(RANDOM.normal(size=(2, settings.size, settings.size)))
    return make_layer(settings, 2, kernels), image


@examples(max_examples=80, deadline=None)
@given(case=layers())
def test_every_step_adds_up_to_the_output(case):
    layer, image = case
    output = apply(layer, image)
    assert output.shape == output_shape(layer.settings, image.shape)
    number = num_steps(layer, image.shape) - 1
    for feature_map in range(output.shape[2]):
        np.testing.assert_allclose(output_so_far(layer, image, number, feature_map), output[..., feature_map])
        step = step_at(layer, image, position_of(layer, image.shape, number // 2), feature_map)
        if layer.settings.operation == "transposed":
            before = output_so_far(layer, image, number // 2 - 1, feature_map)
            after = output_so_far(layer, image, number // 2, feature_map)
            rows, columns = np.ix_(step.rows, step.columns)
            inside = step.is_inside
            stamped = step.products.sum(axis=2)[inside]
            height, width = output.shape[:2]
            added = (after - before)[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)][inside]
            np.testing.assert_allclose(added, stamped, atol=1e-9)
        else:
            assert step.total == pytest.approx(output[step.position][feature_map])


def test_what_comes_later_is_still_empty():
    layer = make_layer(Settings(), 1, [np.ones((3, 3))])
    shown = output_so_far(layer, np.ones((5, 5, 1)), 3)
    assert np.isnan(shown).tolist() == [[False] * 3, [False, True, True], [True] * 3]


def test_a_window_over_the_border_says_where_the_zeros_are():
    layer = make_layer(Settings(padding="same", stride=2), 1, [np.ones((3, 3))])
    step = step_at(layer, np.ones((4, 4, 1)), (1, 1))
    assert step.rows == (2, 3, 4), "the odd zero is below and right"
    assert step.is_inside.tolist() == [[True, True, False]] * 2 + [[False] * 3]
    assert step.total == 4


# ---- catalogues ----


@pytest.mark.parametrize("name", KERNELS)
def test_every_kernel_in_every_size(name):
    kernel = get_kernel(name)
    for size in kernel.sizes:
        matrix = kernel.matrix(size)
        assert matrix.shape == (size, size)
        assert np.isfinite(matrix).all()
    assert kernel.title
    assert kernel.summary.endswith(".")
    assert kernel.source


@pytest.mark.parametrize("name", ["sobel_x", "sobel_y", "prewitt_x", "prewitt_y", "laplacian"])
def test_edge_kernels_see_nothing_on_a_flat_image(name):
    for size in get_kernel(name).sizes:
        assert get_kernel(name).matrix(size).sum() == pytest.approx(0)


@pytest.mark.parametrize("name", ["box", "gaussian", "identity", "sharpen", "emboss"])
def test_other_kernels_keep_a_flat_image(name):
    for size in get_kernel(name).sizes:
        assert get_kernel(name).matrix(size).sum() == pytest.approx(1)


def test_kernels_as_they_stand_in_books():
    assert get_kernel("sobel_x").matrix(3).tolist() == [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    assert get_kernel("prewitt_y").matrix(3).tolist() == [[-1, -1, -1], [0, 0, 0], [1, 1, 1]]
    assert get_kernel("laplacian").matrix(3).tolist() == [[0, 1, 0], [1, -4, 1], [0, 1, 0]]
    assert get_kernel("emboss").matrix(3).tolist() == [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]
    assert (get_kernel("gaussian").matrix(3) * 16).tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    assert (get_kernel("random").matrix(3, 1) != get_kernel("random").matrix(3, 2)).any()


def test_a_kernel_in_another_size():
    assert nearest_size(get_kernel("sobel_x"), 4) == 3
    assert nearest_size(get_kernel("box"), 4) == 4
    with pytest.raises(ConfigError) as said:
        get_kernel("sobel_x").matrix(4)
    assert str(said.value) == (
        "Sobel x does not exist as 4×4. Expected a size of: 3, 5, 7, 9, 11. Choose one of them or another kernel."
    )
    with pytest.raises(CNNLabError, match=r"^Unknown kernel 'sobel'\. Did you mean 'sobel_[xy]'\?$"):
        get_kernel("sobel")


@pytest.mark.parametrize("name", PATTERNS)
def test_every_pattern_at_every_side(name):
    for side in (4, 7, 12):
        grid = get_pattern(name).grid(side)
        assert grid.shape == (side, side)
        assert set(np.unique(grid)) <= set(range(10))
        assert grid.max() > grid.min()
        assert as_channels(grid, 4).shape == (side, side, 4)
    with pytest.raises(ConfigError, match=r"^side=3 is out of range\. Expected an integer in \[4, 12\]\."):
        get_pattern(name).grid(3)


# ---- formulas ----


def test_formulas_with_the_numbers_in():
    said = [str(formula) for formula in formulas(Settings(stride=2, padding="same", filters=8), (8, 8, 3))]
    assert said == [
        "Padding of the side: max((⌈W/S⌉ − 1)·S + F − W, 0) = max((⌈8/2⌉ − 1)·2 + 3 − 8, 0) = 1",
        "Output side: ⌊(W − F + P₁ + P₂) / S⌋ + 1 = ⌊(8 − 3 + 0 + 1) / 2⌋ + 1 = 4",
        "Parameters: F·F·D1·K + K = 3·3·3·8 + 8 = 224",
        "MACs: H2·W2·F·F·D1·K = 4·4·3·3·3·8 = 3,456",
    ]
    assert padding_sentence(Settings(stride=2, padding="same"), (8, 8, 3)) == (
        "Padding: 0 above, 1 below, 0 left, 1 right. It is not symmetric: Keras puts the odd one below and right."
    )


def test_other_kinds_of_layers():
    def said(shape=(8, 6, 4), **values):
        return [str(formula) for formula in formulas(Settings(**values), shape)]

    assert (
        said(dilation=2)[0]
        == "Output height: ⌊(W − (D(F − 1) + 1) + 2P) / S⌋ + 1 = ⌊(8 − (2·(3 − 1) + 1) + 2·0) / 1⌋ + 1 = 4"
    )
    assert said(operation="depthwise")[2] == "Parameters: F·F·D1 + D1 = 3·3·4 + 4 = 40"
    assert said(operation="separable", filters=8)[2:] == [
        "Parameters: (F·F·D1 + D1·K) + K = (3·3·4 + 4·8) + 8 = 76",
        "MACs: H2·W2·(F·F·D1 + D1·K) = 6·4·(3·3·4 + 4·8) = 1,632",
    ]
    assert (
        said(operation="transposed", stride=2)[0] == "Output height: (W − 1)·S + max(F, S) = (8 − 1)·2 + max(3, 2) = 17"
    )
    assert said(filters=4, groups=2)[2] == "Parameters: F·F·(D1/G)·K + K = 3·3·(4/2)·4 + 4 = 76"
    assert said(operation="max_pooling", size=2, stride=2)[2:] == [
        "Parameters: none: nothing is learnt = 0 = 0",
        "MACs: none: nothing is multiplied = 0 = 0",
    ]


def test_kinds_beside_each_other():
    rows = {row.title: row for row in beside(Settings(filters=8, padding="same"), (16, 16, 4))}
    assert list(rows) == ["Standard", "Dilated, D = 2", "Grouped, G = 4", "Depthwise", "Separable", "Transposed"]
    assert rows["Separable"].macs.value < rows["Standard"].macs.value
    assert rows["Dilated, D = 2"].reach == 5
    assert "Dilated, D = 2" not in {row.title for row in beside(Settings(), (4, 4, 1))}, "5 cells do not fit into 4"
    many = beside(Settings().model_copy(update={"filters": 128}), (32, 32, 64))
    assert many[0].parameters.value == 3 * 3 * 64 * 128 + 128


def test_receptive_field_grows_with_the_stride():
    assert receptive_fields(Settings(dilation=2), 3) == [5, 9, 13]
    assert receptive_fields(Settings(size=2, stride=2, operation="max_pooling"), 3) == [2, 4, 8]


def test_what_keras_lacks_is_said():
    assert keras_code(Settings(padding="full", size=4)) == (
        "keras.Sequential([keras.layers.ZeroPadding2D(3), keras.layers.Conv2D(1, 4)])"
    )
    assert len(remarks(Settings(padding="full", mode="convolution"))) == 2


# ---- sentences ----


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"stride": 2, "dilation": 2},
            "stride=2 and dilation=2 do not go together: Keras has no such layer. Expected one of them to be 1. "
            "Set the stride or the dilation to 1.",
        ),
        (
            {"operation": "transposed", "padding": "full"},
            "Padding 'full' does not exist for transposed convolution. Expected 'valid' or 'same'. Choose one of them.",
        ),
        (
            {"filters": 1, "groups": 3},
            "filters=1 cannot be split into groups=3. Expected a multiple of 3. "
            "Set the filters to 3 or the groups to 1.",
        ),
        ({"size": 12}, "size=12 is out of range. Expected an integer in [1, 11]."),
        ({"padding": "sam"}, "padding='sam' is not known. Did you mean 'same'?"),
    ],
)
def test_settings_that_do_not_go_together(values, sentence):
    with pytest.raises(ConfigError) as said:
        check_settings(values)
    assert str(said.value) == sentence


def test_what_means_nothing_is_left_out():
    assert check_settings({"operation": "max_pooling", "dilation": 3, "groups": 2, "stride": 2}).dilation == 1


@pytest.mark.parametrize(
    ("settings", "shape", "sentence"),
    [
        (
            Settings(size=7),
            (5, 5, 1),
            "A 7×7 window does not fit into an input of 5×5 without padding. Expected a window of at most 5. "
            "Make the kernel or the dilation smaller, the input larger, or set the padding to 'same'.",
        ),
        (
            Settings(dilation=4),
            (8, 8, 1),
            "A 9×9 window (kernel 3×3 with dilation 4) does not fit into an input of 8×8 without padding. "
            "Expected a window of at most 8. Make the kernel or the dilation smaller, the input larger, "
            "or set the padding to 'same'.",
        ),
        (
            Settings(groups=2, filters=2),
            (8, 8, 3),
            "groups=2 does not divide the 3 channels of the input. Expected one of: 1, 3. "
            "Choose one of them or an input with other channels.",
        ),
    ],
)
def test_what_does_not_fit_the_input(settings, shape, sentence):
    with pytest.raises(ConfigError) as said:
        output_shape(settings, shape)
    assert str(said.value) == sentence


def test_a_kernel_of_another_size_is_refused():
    with pytest.raises(ConfigError) as said:
        make_layer(Settings(size=5), 1, [np.ones((3, 3))])
    assert str(said.value) == ("The kernel has 3×3 cells. Expected 5×5. Set the kernel size to that of the kernel.")
