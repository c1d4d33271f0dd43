"""The formulas with numbers in give what Keras has."""

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from cnnlab.analysis.costs import costs
from cnnlab.analysis.formulas import formulas_of, padding_of

side = st.integers(7, 40)
kernel = st.integers(1, 5)


def last_row(layer: keras.Layer, shape: tuple[int, ...] = (12, 9, 4)):
    """The row of one layer on images of a shape."""
    images = keras.Input(shape)
    return costs(keras.Model(images, layer(images))).rows[-1]


def values(row) -> dict[str, int]:
    """What each formula gives."""
    return {formula.what: formula.value for formula in formulas_of(row.call)}


@st.composite
def convolutions(draw):
    """Class and settings of any two-dimensional convolution."""
    kind = draw(
        st.sampled_from([layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D, layers.Conv2DTranspose])
    )
    size = (draw(kernel), draw(kernel))
    stride = draw(st.integers(1, 3))
    given_values = {
        "kernel_size": size,
        "strides": stride,
        "padding": draw(st.sampled_from(["same", "valid"])),
        "use_bias": draw(st.booleans()),
    }
    if kind is not layers.DepthwiseConv2D:
        given_values["filters"] = 2 * draw(st.integers(1, 4))
    if kind is layers.Conv2D:
        given_values["groups"] = draw(st.sampled_from([1, 2]))
    if kind in (layers.DepthwiseConv2D, layers.SeparableConv2D):
        given_values["depth_multiplier"] = draw(st.integers(1, 3))
    if stride == 1 and kind is not layers.Conv2DTranspose:
        given_values["dilation_rate"] = draw(st.integers(1, 2))
    return kind, given_values


@settings(max_examples=150, deadline=None)
@given(convolutions(), side, side)
def test_formulas_agree_with_keras(kind_and_settings, height, width):
    kind, given_values = kind_and_settings
    layer = kind(**given_values)
    if layer.padding == "valid" and min(height, width) <= 2 * 4:
        height, width = height + 8, width + 8
    row = last_row(layer, (height, width, 4))
    found = values(row)
    assert (found["output height"], found["output width"]) == row.output_shape[:2]
    assert found["parameters"] == layer.count_params() == row.num_params
    assert found["MACs"] == row.macs


@pytest.mark.parametrize(
    ("layer", "lines"),
    [
        (
            lambda: layers.Conv2D(8, 3),
            [
                "output height: (W - F + 2P)/S + 1 = (12 - 3 + 2*0)/1 + 1 = 10",
                "output width: (W - F + 2P)/S + 1 = (9 - 3 + 2*0)/1 + 1 = 7",
                "parameters: (F*F*D1)*K + K = (3*3*4)*8 + 8 = 296",
                "MACs: H2*W2*(F*F*D1)*K = 10*7*(3*3*4)*8 = 20,160",
            ],
        ),
        (
            lambda: layers.Conv2D(8, 3, strides=2, padding="same", groups=2, use_bias=False),
            [
                "output height: (W - F + P_before + P_after)/S + 1 = (12 - 3 + 0 + 1)/2 + 1 = 6",
                "output width: (W - F + 2P)/S + 1 = (9 - 3 + 2*1)/2 + 1 = 5",
                "parameters: (F*F*D1/G)*K = (3*3*4/2)*8 = 144",
                "MACs: H2*W2*(F*F*D1/G)*K = 6*5*(3*3*4/2)*8 = 4,320",
            ],
        ),
        (
            lambda: layers.Conv2D(8, 3, strides=(2, 1)),
            [
                "output height: (W - F + 2P)/S + 1 = floor((12 - 3 + 2*0)/2) + 1 = 5",
                "output width: (W - F + 2P)/S + 1 = (9 - 3 + 2*0)/1 + 1 = 7",
                "parameters: (F*F*D1)*K + K = (3*3*4)*8 + 8 = 296",
                "MACs: H2*W2*(F*F*D1)*K = 5*7*(3*3*4)*8 = 10,080",
            ],
        ),
        (
            lambda: layers.DepthwiseConv2D(3, dilation_rate=2),
            [
                "output height: (W - (D(F - 1) + 1) + 2P)/S + 1 = (12 - 5 + 2*0)/1 + 1 = 8",
                "output width: (W - (D(F - 1) + 1) + 2P)/S + 1 = (9 - 5 + 2*0)/1 + 1 = 5",
                "parameters: (F*F)*D1*M + D1*M = (3*3)*4*1 + 4 = 40",
                "MACs: H2*W2*(F*F)*D1*M = 8*5*(3*3)*4*1 = 1,440",
            ],
        ),
        (
            lambda: layers.SeparableConv2D(8, 3),
            [
                "output height: (W - F + 2P)/S + 1 = (12 - 3 + 2*0)/1 + 1 = 10",
                "output width: (W - F + 2P)/S + 1 = (9 - 3 + 2*0)/1 + 1 = 7",
                "parameters: (F*F*D1*M + D1*M*K) + K = (3*3*4*1 + 4*1*8) + 8 = 76",
                "MACs: H2*W2*(F*F*D1*M + D1*M*K) = 10*7*(3*3*4*1 + 4*1*8) = 4,760",
            ],
        ),
        (
            lambda: layers.Conv2DTranspose(8, 2, strides=2, padding="same"),
            [
                "output height: W*S = 12*2 = 24",
                "output width: W*S = 9*2 = 18",
                "parameters: (F*F*D1)*K + K = (2*2*4)*8 + 8 = 136",
                "MACs: H1*W1*(F*F*D1)*K = 12*9*(2*2*4)*8 = 13,824",
            ],
        ),
        (lambda: layers.MaxPooling2D(2), []),
    ],
)
def test_formulas_read_as_in_a_course(layer, lines):
    assert [str(formula) for formula in formulas_of(last_row(layer()).call)] == lines


def test_same_padding_is_shown_as_it_really_is():
    row = last_row(layers.Conv2D(2, 3, strides=2, padding="same"), (224, 225, 3))
    assert padding_of(row.call) == {"height": [0, 1], "width": [1, 1]}
    assert padding_of(last_row(layers.MaxPooling2D(2)).call) == {"height": [0, 0], "width": [0, 0]}
    assert padding_of(last_row(layers.Flatten()).call) is None


def test_one_and_three_dimensions_have_formulas_too():
    causal = last_row(layers.Conv1D(3, 4, padding="causal"), (20, 2))
    assert values(causal) == {"output length": 20, "parameters": 27, "MACs": 20 * 24}
    assert padding_of(causal.call) == {"length": [3, 0]}
    solid = last_row(layers.Conv3D(2, 2), (4, 5, 6, 1))
    assert list(values(solid).values()) == [3, 4, 5, 18, 3 * 4 * 5 * 16]
