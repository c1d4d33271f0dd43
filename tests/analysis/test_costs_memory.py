"""Memory of training by hand, on networks small enough to list what the backward pass reads."""

import keras
import pytest
from keras import layers

from cnnlab.analysis.costs import costs
from cnnlab.analysis.memory import training_memory
from cnnlab.analysis.training_memory import TrainingMemory, from_document, slots_name


def kept(build, shape=(8, 8, 2)) -> int:
    """Values (of four bytes) that are kept for one image."""
    images = keras.Input(shape)
    return training_memory(costs(keras.Model(images, build(images)))).kept_bytes_per_image // 4


IMAGE = 8 * 8 * 2
MAP = 8 * 8 * 4


@pytest.mark.parametrize(
    ("build", "by_hand"),
    [
        # A convolution reads its input again; who needs its output says so.
        (lambda x: layers.Conv2D(4, 3, padding="same")(x), IMAGE),
        (lambda x: layers.Conv2D(4, 3, padding="same", activation="relu")(x), IMAGE + MAP),
        # Before and after a gate of its own; the output is read by nobody.
        (lambda x: layers.Conv2D(4, 3, padding="same", activation="silu")(x), IMAGE + MAP),
        # Normalisation reads its input, relu its output; the sum between them nobody reads.
        (lambda x: layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(4, 1)(x))), IMAGE + 2 * MAP),
        (lambda x: layers.Add()([layers.Conv2D(4, 1)(x), layers.Conv2D(4, 1)(x)]), IMAGE),
        # A view is no tensor of its own.
        (lambda x: layers.Dense(3)(layers.Flatten()(layers.ReLU()(layers.Conv2D(4, 1)(x)))), IMAGE + MAP),
        (lambda x: layers.Dropout(0.5)(layers.Conv2D(4, 1)(x)), IMAGE + MAP),
        (lambda x: layers.MaxPooling2D(2)(layers.Conv2D(4, 1)(x)), IMAGE + MAP + MAP // 4),
    ],
)
def test_what_the_backward_pass_reads_again(build, by_hand):
    assert kept(build) == by_hand


def test_attention_keeps_its_scores():
    def build(x):
        tokens = layers.Reshape((64, 2))(x)
        return layers.MultiHeadAttention(2, 3)(tokens, tokens)

    # Queries, keys, values and their mixture; scores before and after the softmax; input and output.
    assert kept(build) == 4 * 64 * 6 + 2 * 2 * 64 * 64 + IMAGE + 64 * 2


def test_peak_and_largest_batch():
    parts = TrainingMemory(weights_bytes=1000, trained_bytes=800, kept_bytes_per_image=90, moving_bytes_per_image=10)
    assert parts.peak_bytes(8, "adam") == 1000 + 800 * 3 + 8 * 100
    assert parts.peak_bytes(8, "sgd") == 1000 + 800 + 8 * 100
    # 0.9 * 10,000 - 3,400 leaves 56 images.
    assert parts.largest_batch(10_000, "adam") == 32
    assert parts.largest_batch(3_800, "adam") == 0
    assert from_document(parts.as_document() | {"more": 1}) == parts


def test_slots_of_the_optimizers_are_those_of_keras():
    from cnnlab.analysis.training_memory import SLOTS

    built = {
        "sgd": keras.optimizers.SGD(),
        "sgd_momentum": keras.optimizers.SGD(momentum=0.9),
        "rmsprop": keras.optimizers.RMSprop(),
        "adagrad": keras.optimizers.Adagrad(),
        "adam": keras.optimizers.Adam(),
        "adamw": keras.optimizers.AdamW(),
    }
    weight = keras.Variable([1.0, 2.0, 3.0])
    for name, optimizer in built.items():
        optimizer.build([weight])
        assert sum(variable.shape == (3,) for variable in optimizer.variables) == SLOTS[name], name
    assert (slots_name("sgd", 0.9), slots_name("sgd", 0.0), slots_name("adam", 0.9)) == ("sgd_momentum", "sgd", "adam")
