"""Receptive fields by recurrence against the pixels that really matter, and against published tables."""

import csv
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras import layers, ops

from cnnlab.analysis.costs import costs
from cnnlab.analysis.field_rules import Field, Sight
from cnnlab.analysis.networks import load_network, without_weights
from cnnlab.analysis.receptive_field import Axis, merged, same_padding

# Computed by its authors for networks of TF-Slim: Araujo et al. 2019, doi:10.23915/distill.00021.
TABLE = Path(__file__).with_name("published_receptive_fields.csv")
SIDES = (41, 36)


# === Against the pixels that matter ===


def pixels_that_matter(network: keras.Model) -> Iterator[tuple[int, int, set[int]]]:
    """Axis, output index, and the rows (columns) of the image that change it, by lighting one after another."""
    for axis in (0, 1):
        images = np.zeros((SIDES[axis], *SIDES, 1), "float32")
        for number in range(SIDES[axis]):
            images[(number, slice(None), number) if axis else (number, number)] = 1
        answer = np.asarray(network(images))[..., 0]
        reached = (answer > 0).any(axis=2 - axis)
        for index in range(reached.shape[1]):
            yield axis, index, set(np.flatnonzero(reached[:, index]).tolist())


def is_clear_of_borders(rows, axis: int, first: int, last: int) -> bool:
    """Whether an output sees no padding, neither of the image nor of a map on the way."""
    maps = [(row.sees.axes[axis], row.output_shape[axis]) for row in rows if isinstance(row.sees, Field)]
    return all(field.pixels_of(-1)[0] < first and last < field.pixels_of(side)[1] for field, side in maps)


def ones(layer: type, *arguments, **settings) -> keras.Layer:
    """A layer whose weights are all one, so that no influence cancels another."""
    names = {"kernel_initializer": "ones", "use_bias": False}
    if layer is layers.DepthwiseConv2D:
        names = {"depthwise_initializer": "ones", "use_bias": False}
    return layer(*arguments, **names, **settings)


window = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 2), st.sampled_from(["same", "valid"]))
step = st.one_of(
    st.tuples(st.sampled_from(["conv", "depthwise", "pool", "transposed", "branch"]), window),
    st.tuples(st.sampled_from(["pad", "crop", "nearest", "bilinear"]), st.integers(1, 2)),
)


def add_step(x, kind, value):
    """One step of a random stack; steps that would leave nothing are left out."""
    if kind == "pad":
        return layers.ZeroPadding2D(((value, 0), (0, value + 1)))(x)
    if kind == "crop":
        return layers.Cropping2D(((value, 0), (1, value)))(x) if min(x.shape[1:3]) > 6 else x
    if kind in ("nearest", "bilinear"):
        return layers.UpSampling2D(value + 1, interpolation=kind)(x) if max(x.shape[1:3]) < 45 else x
    kernel, stride, dilation, padding = value
    if min(x.shape[1:3]) <= dilation * (kernel - 1) + 1 or (kind == "transposed" and max(x.shape[1:3]) > 44):
        return x
    if kind == "pool":
        return layers.AveragePooling2D(kernel, strides=stride, padding=padding)(x)
    if kind == "transposed":
        return ones(layers.Conv2DTranspose, 1, kernel, strides=min(stride, kernel), padding=padding)(x)
    stride = 1 if dilation > 1 else stride
    if kind == "depthwise":
        return ones(layers.DepthwiseConv2D, kernel, strides=stride, dilation_rate=dilation, padding=padding)(x)
    if kind == "branch":
        long = ones(layers.Conv2D, 1, kernel, strides=stride, dilation_rate=dilation, padding="same")(x)
        return layers.Add()([long, ones(layers.Conv2D, 1, 1, strides=stride)(x)])
    return ones(layers.Conv2D, 1, kernel, strides=stride, dilation_rate=dilation, padding=padding)(x)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(step, min_size=1, max_size=4))
def test_the_recurrence_names_the_pixels_that_matter(steps):
    images = keras.Input((*SIDES, 1))
    x = images
    for kind, value in steps:
        x = add_step(x, kind, value)
    x = layers.Activation("linear")(x)
    network = keras.Model(images, x)
    rows = costs(network).rows
    field = rows[-1].sees
    assert isinstance(field, Field)
    for axis, index, pixels in pixels_that_matter(network):
        first, last = field.axes[axis].pixels_of(index)
        assert pixels <= set(range(first, last + 1))
        if is_clear_of_borders(rows, axis, first, last):
            # Both ends are reached; between them dilation may leave holes.
            assert (min(pixels), max(pixels)) == (first, last)


def test_squares_of_text_books():
    field = Axis().window(3, before=1).window(3, before=1).window(2, stride=2).window(3, before=1)
    assert (field.size, field.effective_stride, field.effective_padding) == (10, 2, 4)
    assert Axis().window(3, dilation=4).size == 9


def test_up_sampled_outputs_take_turns():
    # Two neighbours of an enlarged map may be the same pixel, or not: the larger counts.
    field = Axis().repeated(2).window(2)
    assert (field.size, float(field.effective_stride)) == (2, 0.5)
    assert [field.pixels_of(index) for index in (0, 1, 2)] == [(0, 0), (0, 1), (1, 1)]
    assert Axis().repeated(2).window(2, stride=2) == Axis()


def test_unaligned_paths_are_said_so_and_their_union_is_larger():
    one, other = Axis().window(3, stride=2, before=0), Axis().window(1, stride=2, before=1)
    both = merged([one, other])
    assert (both.size, both.is_aligned, both.effective_padding, both.union) == (3, False, None, 4)
    assert merged([Axis().window(3, before=1), Axis()]) == Axis().window(3, before=1)
    drifting = merged([Axis().window(3, stride=2), Axis()])
    assert (drifting.size, drifting.is_aligned) == (3, False)


@pytest.mark.parametrize(
    ("side", "kernel", "stride", "padding"),
    [(224, 7, 2, (2, 3)), (225, 7, 2, (3, 3)), (224, 3, 2, (0, 1)), (112, 3, 1, (1, 1)), (8, 1, 2, (0, 0))],
)
def test_same_padding_is_asymmetric_where_the_side_is_even(side, kernel, stride, padding):
    assert same_padding(side, kernel, stride) == padding


# === Layers that are not windows ===


def sees(build, shape=(16, 16, 4)):
    """What the output of a small network sees."""
    images = keras.Input(shape)
    return costs(keras.Model(images, build(layers.Conv2D(4, 3, padding="same")(images)))).rows[-1].sees


def test_a_gate_sees_the_whole_image_and_the_map_its_window():
    def gated(x):
        gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
        return layers.Multiply()([x, layers.Conv2D(4, 1, activation="sigmoid")(gate)])

    state = sees(gated)
    assert (state.size_px, state.sees_whole, state.is_aligned) == (3, True, True)
    assert sees(layers.GlobalMaxPooling2D()) is Sight.WHOLE
    assert sees(layers.Flatten()) is Sight.WHOLE


def test_a_shuffle_of_channels_is_followed():
    def shuffled(x):
        x = layers.Reshape((16, 16, 2, 2))(x)
        return layers.Reshape((16, 16, 4))(layers.Permute((1, 2, 4, 3))(x))

    def shuffled_by_operations(x):
        x = ops.transpose(ops.reshape(x, (-1, 16, 16, 2, 2)), (0, 1, 2, 4, 3))
        return ops.reshape(x, (-1, 16, 16, 4))

    assert sees(shuffled).size_px == sees(shuffled_by_operations).size_px == 3


def test_partial_connections_see_what_a_whole_convolution_sees():
    assert sees(lambda x: ops.take(x, [0, 2, 3, 2], axis=-1)).size_px == 3
    assert sees(lambda x: ops.take(x, [0, 2], axis=1)) is Sight.LOST  # rows of different origin
    with without_weights():
        network = load_network("lenet5_1998", {}, (32, 32, 1), 10).network
        found = {row.name: row.receptive_field_px for row in costs(network).rows}
    # 5, then 2 every 1; then 5 every 2: 6 + 4 * 2; then 2 every 2.
    assert (found["c1"], found["s2_amplitude"], found["c3_threes"], found["c3"]) == (5, 6, 14, 14)
    assert found["s4_amplitude"] == 16


def test_what_cannot_be_followed_is_not_guessed():
    assert sees(layers.Resizing(5, 5)) is Sight.LOST
    assert sees(layers.Reshape((64, 16))) is Sight.LOST
    assert sees(lambda x: layers.Concatenate(axis=1)([x, x])) is Sight.LOST
    images = keras.Input((16, 16, 4))
    lost = layers.Conv2D(4, 3)(layers.Resizing(9, 9)(images))
    assert costs(keras.Model(images, layers.Flatten()(lost))).last_map is None


def test_norms_over_height_and_width_are_gates():
    def normalised(x):
        return x * (ops.norm(x, axis=(1, 2), keepdims=True) + 1.0)

    state = sees(normalised)
    assert (state.size_px, state.sees_whole) == (3, True)


def test_height_and_width_may_differ_and_come_behind_the_channels():
    images = keras.Input((4, 16, 16))
    network = keras.Model(images, layers.Conv2D(4, (3, 5), strides=(1, 2), data_format="channels_first")(images))
    state = costs(network).rows[-1].sees
    assert [axis.size for axis in state.axes] == [3, 5]
    assert [axis.effective_stride for axis in state.axes] == [1, 2]


# === Published tables ===


def published(network: str) -> dict[str, tuple[int, int, int | None]]:
    """End point to receptive field, effective stride, effective padding."""
    with TABLE.open() as file:
        rows = [row for row in csv.DictReader(file) if row["network"] == network]
    return {
        row["end_point"].split("/", 1)[1]: (
            int(row["receptive_field"]),
            int(row["effective_stride"]),
            None if row["effective_padding"] == "None" else int(row["effective_padding"]),
        )
        for row in rows
    }


def fields_by_layer(network: keras.Model) -> dict[str, tuple[int, int, int | None]]:
    """Layer to receptive field, effective stride, effective padding, which must be the same along both axes."""
    found = {}
    for row in costs(network).rows:
        if isinstance(row.sees, Field):
            height, width = row.sees.axes
            assert height == width
            found[row.name] = (height.size, height.effective_stride, height.effective_padding)
    return found


def alexnet_v2() -> keras.Model:
    """Krizhevsky 2014, arXiv:1404.5997, as in TF-Slim; two filters are enough to see."""
    images = x = keras.Input((224, 224, 3))
    x = layers.Conv2D(2, 11, strides=4, name="conv1")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    x = layers.Conv2D(2, 5, padding="same", name="conv2")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool2")(x)
    for number in (3, 4, 5):
        x = layers.Conv2D(2, 3, padding="same", name=f"conv{number}")(x)
    return keras.Model(images, layers.MaxPooling2D(3, strides=2, name="pool5")(x))


def resnet_v1_50() -> keras.Model:
    """He et al. 2015, arXiv:1512.03385, as in TF-Slim: the last unit of a block has its stride."""
    images = x = keras.Input((224, 224, 3))
    x = layers.Conv2D(2, 7, strides=2)(layers.ZeroPadding2D(3)(x))
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    for block, (units, last_stride) in enumerate([(3, 2), (4, 2), (6, 2), (3, 1)], start=1):
        for unit in range(units):
            stride = last_stride if unit == units - 1 else 1
            shortcut = x if stride == 1 else layers.MaxPooling2D(1, strides=stride)(x)
            y = layers.Conv2D(2, 1)(x)
            y = layers.Conv2D(2, 3, strides=stride)(layers.ZeroPadding2D(1)(y))
            name = f"block{block}" if unit == units - 1 else None
            x = layers.Add(name=name)([layers.Conv2D(2, 1)(y), shortcut])
    return keras.Model(images, x)


def vgg_16() -> keras.Model:
    """The one of keras.applications, its layers under the names of the table."""
    with without_weights():
        return keras.applications.VGG16(weights=None)


@pytest.mark.parametrize("build", [alexnet_v2, vgg_16, resnet_v1_50], ids=lambda build: build.__name__)
def test_published_receptive_fields(build):
    expected = published(build.__name__)
    found = fields_by_layer(build())
    assert expected
    for end_point, (size, stride, padding) in expected.items():
        name = end_point.split("/")[-1]
        if build is vgg_16:
            name = f"block{name[4:].replace('_', '_conv')}" if name.startswith("conv") else f"block{name[4:]}_pool"
        # Without an input size the table has no padding for a pooling whose padding depends on it.
        assert found[name][:2] == (size, stride), end_point
        assert padding is None or found[name][2] == padding, end_point


@pytest.mark.parametrize(
    ("name", "size", "stride"),
    # Araujo et al. 2019, doi:10.23915/distill.00021, table in the appendix.
    [("ResNet50", 483, 32), ("InceptionV3", 1311, 32), ("MobileNet", 315, 32)],
)
def test_published_totals_of_keras_applications(name, size, stride):
    with without_weights():
        last = costs(getattr(keras.applications, name)(weights=None)).last_map
    assert last is not None
    assert (last.receptive_field_px, last.sees.axes[0].effective_stride) == (size, stride)
