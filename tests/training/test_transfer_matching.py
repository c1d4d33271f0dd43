"""Which weights are taken is a matter of names and shapes alone."""

import pytest

from cnnlab.config import config_from_dict
from cnnlab.errors import ConfigError
from cnnlab.settings.transfer import TransferConfig
from cnnlab.training.transfer_matching import LayerShapes, check_share, keys, match, share
from cnnlab.training.transfer_plan import blocks_of, plan


def conv(name, *shape):
    return LayerShapes(name, "Conv2D", (shape, shape[-1:]))


def dense(name, *shape, is_head=False):
    return LayerShapes(name, "Dense", (shape, shape[-1:]), is_head=is_head, is_flat=True)


def lenet(channels=1, flat=400, classes=10):
    return [
        conv("c1", 5, 5, channels, 6),
        conv("c3", 5, 5, 6, 16),
        dense("c5", flat, 120),
        dense("f6", 120, 84),
        dense("label_logits", 84, classes, is_head=True),
    ]


def origins(network, source):
    return {one.layer.name: (one.origin, one.reason) for one in match(network, source)}


def test_all_but_the_classifier_is_taken_from_the_same_network():
    assert origins(lenet(), lenet()) == {
        **dict.fromkeys(("c1", "c3", "c5", "f6"), ("taken", "")),
        "label_logits": ("new", "classifier"),
    }


def test_another_image_size_makes_the_dense_layers_new_and_colour_adapts_the_first():
    found = match(lenet(channels=3, flat=784, classes=6), lenet())
    assert {one.layer.name: (one.origin, one.reason) for one in found} == {
        "c1": ("adapted", "1 channel(s) in the source, 3 here"),
        "c3": ("taken", ""),
        "c5": ("new", "400×120 in the source"),
        "f6": ("new", "follows a new dense layer"),
        "label_logits": ("new", "classifier"),
    }
    assert share(found) == 1.0  # dense layers that hang on the image size belong to the classifier


def test_four_channels_are_not_adapted():
    assert origins(lenet(channels=4), lenet())["c1"] == ("new", "5×5×1×6 in the source")


def test_too_little_is_refused_with_what_is_missing():
    source = [conv("c1", 5, 5, 1, 6), conv("other", 5, 5, 6, 16)]
    with pytest.raises(ConfigError) as error:
        check_share(match(lenet(), source), "The source run 'x'")
    assert str(error.value) == (
        "The source run 'x' has weights for 6 % of the parameters before the classifier; new would be c3 (not in the "
        "source), c5 (not in the source), f6 (follows a new dense layer). Expected at least 50 %. Choose the "
        "architecture and the parameters of the source, or train from scratch."
    )


def test_names_that_keras_makes_up_are_counted_anew():
    def layers(offset):
        return [
            LayerShapes(f"conv2d_{offset}", "Conv2D", ((3, 3, 1, 4),)),
            LayerShapes(f"batch_normalization_{offset + 5}", "BatchNormalization", ((4,),)),
            LayerShapes(f"conv2d_{offset + 2}", "Conv2D", ((3, 3, 4, 4),)),
            LayerShapes("conv2d_7x7", "Conv2D", ((7, 7, 4, 4),)),
        ]

    expected = ["Conv2D#0", "BatchNormalization#0", "Conv2D#1", "conv2d_7x7"]
    assert keys(layers(17)) == keys(layers(94)) == expected
    assert {one.origin for one in match(layers(17), layers(94))} == {"taken"}


def factors(**transfer):
    network = [
        conv("stem_conv", 3, 3, 1, 4),
        conv("stack1_block1_1_conv", 3, 3, 4, 4),
        conv("stack1_block2_1_conv", 3, 3, 4, 4),
        LayerShapes("stack1_block2_bn", "BatchNormalization", ((4,),)),
        dense("label_logits", 4, 2, is_head=True),
    ]
    made = plan(TransferConfig(source="run:x", **transfer), match(network, network))
    return [(stage.first_epoch, list(stage.factors.values())) for stage in made.stages]


@pytest.mark.parametrize(
    ("transfer", "expected"),
    [
        ({"mode": "features"}, [(0, [0, 0, 0, 0, 1])]),
        ({"mode": "last_blocks", "blocks": 1}, [(0, [0, 0, 0.1, 0.1, 1])]),
        ({"mode": "last_blocks", "blocks": 2, "rate_decay": 0.5}, [(0, [0, 0.05, 0.1, 0.1, 1])]),
        ({"mode": "all", "body_rate": 1.0, "rate_decay": 0.5}, [(0, [0.25, 0.5, 1, 1, 1])]),
        ({"mode": "stages", "head_epochs": 3}, [(0, [0, 0, 0, 0, 1]), (3, [0.1, 0.1, 0.1, 0.1, 1])]),
    ],
    ids=lambda value: value.get("mode", "") if isinstance(value, dict) else "",
)
def test_who_learns_when(transfer, expected):
    assert factors(**transfer) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["stem_conv", "stem_bn", "stack2_block3_1_conv"], ["stem", "stem", "stack2_block3"]),
        (["block1_conv1", "block1_conv2"], ["block1", "block1"]),
        (["conv1_conv", "conv1_bn", "conv2_block1_1_conv"], ["conv1", "conv1", "conv2_block1"]),
        (
            ["Conv1", "bn_Conv1", "expanded_conv_project", "block_16_project_BN"],
            ["Conv1", "Conv1", "expanded_conv", "block_16"],
        ),
        (
            ["block2a_se_reduce", "fire9_squeeze", "inception_4a_1x1_conv", "c3"],
            ["block2a", "fire9", "inception_4a", "c3"],
        ),
    ],
)
def test_blocks_are_read_from_names(names, expected):
    layers = [LayerShapes(name, "Conv2D", ((1,),)) for name in names]
    assert blocks_of(match(layers, layers)) == expected


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"transfer": {"source": "vgg"}},
            "transfer.source='vgg' is no source of weights. Expected run:ID of an earlier run, 'imagenet', or a file "
            "that ends in .keras, .h5, .hdf5. Leave it out to train from scratch.",
        ),
        (
            {"transfer": {"source": "imagenet"}},
            "transfer.source='imagenet' has no weights for architecture 'lenet5'. Expected architecture "
            "'keras_application'. Choose that architecture, or an earlier run as source.",
        ),
        (
            {"transfer": {"source": "run:x", "head_epochs": 20}},
            "transfer.head_epochs=20 leaves nothing of epochs=20. Expected fewer head epochs than epochs. Shorten the "
            "first stage, train longer, or use mode 'features'.",
        ),
        (
            {
                "transfer": {"source": "imagenet"},
                "architecture": {"name": "keras_application", "parameters": {"freeze": True}},
            },
            "architecture.parameters.freeze and transfer.source both say which layers learn. Expected one of them. Set "
            "freeze to false; transfer.mode 'features' does the same.",
        ),
        (
            {
                "transfer": {"source": "run:x"},
                "architecture": {"name": "keras_application", "parameters": {"weights": "imagenet"}},
            },
            "architecture.parameters.weights='imagenet' and transfer.source='run:x' are two sources of weights. "
            "Expected one. Set weights to none, or transfer.source to 'imagenet'.",
        ),
    ],
)
def test_what_does_not_go_together_is_said(values, sentence):
    with pytest.raises(ConfigError) as error:
        config_from_dict(values)
    assert str(error.value) == sentence


def test_head_epochs_mean_nothing_in_other_modes():
    config_from_dict({"transfer": {"source": "run:x", "mode": "features", "head_epochs": 20}})
    config_from_dict({"transfer": {"head_epochs": 20}})
