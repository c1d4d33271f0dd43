"""What an entry proposes and checks, without Keras."""

import pytest

from cnnlab.architectures.catalogue import ARCHITECTURES, get_architecture
from cnnlab.errors import ConfigError, UnknownNameError


@pytest.mark.parametrize(
    ("name", "image_px", "expected"),
    [
        ("resnet_imagenet", 8, 32),
        ("resnet_imagenet", 32, 32),
        ("resnet_imagenet", 64, 64),
        ("resnet_imagenet", 500, 224),
        ("resnet", 8, 32),
        ("lenet5", 64, 32),
    ],
)
def test_the_proposed_size_is_the_images_own_within_reason(name, image_px, expected):
    assert get_architecture(name).proposed_px(image_px) == expected


def test_an_entry_knows_the_count_of_its_default_network():
    assert get_architecture("resnet_imagenet").published_params == 11_689_512
    assert get_architecture("vgg").published_params == 138_357_544


def test_a_name_close_to_an_entry_is_suggested():
    with pytest.raises(UnknownNameError, match=r"Did you mean 'resnet_imagenet'\?"):
        get_architecture("resnet_imagnet")


def test_a_depth_that_nobody_published_is_refused():
    with pytest.raises(ConfigError, match="depth=20 is not known"):
        get_architecture("resnet_imagenet").check({"depth": 20})


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_entry_proposes_a_size_at_which_it_builds(name):
    entry = ARCHITECTURES[name]
    for image_px in (8, 28, 32, 64, 96, 224, 500):
        assert entry.smallest_px <= entry.proposed_px(image_px) <= entry.natural_px
