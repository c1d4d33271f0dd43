"""The data sets that come by name: what they are, what can be set, where they come from.

Imports no TensorFlow and no Keras. A person's own images are not here: an imported
set lives in the store under its name (see `cnnlab.datasets.storage`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from cnnlab.errors import UnknownNameError
from cnnlab.parameters import NoParameters, Parameters, check


class ShapesParameters(Parameters):
    count: int = Field(2000, ge=60, le=200_000, title="Images", description="In all splits together.")
    size: int = Field(
        32, ge=12, le=256, title="Side", description="Height and width.", json_schema_extra={"unit": "px"}
    )
    noise: float = Field(
        0.05, ge=0, le=1, title="Noise", description="Standard deviation of the pixel noise, as a share of full scale."
    )
    balance: float = Field(
        1.0,
        gt=0,
        le=1,
        title="Class balance",
        description="1: all classes alike; below, each next shape and colour is that much rarer than the one before.",
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, title="Seed", description="The same seed draws the same images.")


@dataclass(frozen=True)
class DatasetEntry:
    """One data set of the catalogue.

    Attributes:
        image_shape: Height, width, channels with the default parameters.
        outputs: Class names per output; the first output is the main one.
        builder: `module:function`, called with the checked parameters.
    """

    name: str
    title: str
    source: str
    summary: str
    parameters: type[Parameters]
    image_shape: tuple[int, int, int]
    outputs: Mapping[str, tuple[str, ...]]
    num_images: int
    needs_network: bool
    builder: str

    def check(self, values: Mapping[str, Any]) -> Parameters:
        """Return the checked parameters of this data set."""
        return check(self.parameters, values, f"data set {self.name!r}")


SHAPE_NAMES = ("circle", "square", "triangle", "cross", "ring", "bar")
COLOUR_NAMES = ("red", "green", "blue", "yellow", "purple")
FASHION_NAMES = (
    "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
CIFAR10_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR100_NAMES = (
    "apple", "aquarium_fish", "baby", "bear", "beaver", "bed", "bee", "beetle", "bicycle", "bottle", "bowl", "boy",
    "bridge", "bus", "butterfly", "camel", "can", "castle", "caterpillar", "cattle", "chair", "chimpanzee", "clock",
    "cloud", "cockroach", "couch", "crab", "crocodile", "cup", "dinosaur", "dolphin", "elephant", "flatfish", "forest",
    "fox", "girl", "hamster", "house", "kangaroo", "keyboard", "lamp", "lawn_mower", "leopard", "lion", "lizard",
    "lobster", "man", "maple_tree", "motorcycle", "mountain", "mouse", "mushroom", "oak_tree", "orange", "orchid",
    "otter", "palm_tree", "pear", "pickup_truck", "pine_tree", "plain", "plate", "poppy", "porcupine", "possum",
    "rabbit", "raccoon", "ray", "road", "rocket", "rose", "sea", "seal", "shark", "shrew", "skunk", "skyscraper",
    "snail", "snake", "spider", "squirrel", "streetcar", "sunflower", "sweet_pepper", "table", "tank", "telephone",
    "television", "tiger", "tractor", "train", "trout", "tulip", "turtle", "wardrobe", "whale", "willow_tree", "wolf",
    "woman", "worm",
)  # fmt: skip
DIGIT_NAMES = tuple(str(digit) for digit in range(10))


def _downloaded(
    name: str, title: str, source: str, summary: str, shape: tuple[int, int, int], classes: tuple[str, ...], num: int
) -> DatasetEntry:
    return DatasetEntry(
        name=name,
        title=title,
        source=source,
        summary=summary,
        parameters=NoParameters,
        image_shape=shape,
        outputs={"label": classes},
        num_images=num,
        needs_network=True,
        builder="cnnlab.datasets.downloaded:build",
    )


DATASETS: dict[str, DatasetEntry] = {
    entry.name: entry
    for entry in (
        DatasetEntry(
            name="digits",
            title="Digits 8x8",
            source="scikit-learn; Alpaydin and Kaynak 1998, UCI, doi:10.24432/C50P49",
            summary="1,797 real handwritten digits of 8x8 pixels: trains in seconds.",
            parameters=NoParameters,
            image_shape=(8, 8, 1),
            outputs={"label": DIGIT_NAMES},
            num_images=1797,
            needs_network=False,
            builder="cnnlab.datasets.digits:build",
        ),
        DatasetEntry(
            name="shapes",
            title="Shapes and colours",
            source="Generated here, from a seed",
            summary="One shape in one colour per image: two outputs to learn at once.",
            parameters=ShapesParameters,
            image_shape=(32, 32, 3),
            outputs={"shape": SHAPE_NAMES, "colour": COLOUR_NAMES},
            num_images=2000,
            needs_network=False,
            builder="cnnlab.datasets.shapes:build",
        ),
        _downloaded(
            "mnist", "MNIST", "LeCun et al. 1998, through keras.datasets",
            "70,000 handwritten digits of 28x28 pixels.", (28, 28, 1), DIGIT_NAMES, 70_000,
        ),
        _downloaded(
            "fashion_mnist", "Fashion-MNIST", "Xiao et al. 2017, arXiv:1708.07747, through keras.datasets",
            "70,000 pieces of clothing of 28x28 pixels.", (28, 28, 1), FASHION_NAMES, 70_000,
        ),
        _downloaded(
            "cifar10", "CIFAR-10", "Krizhevsky 2009, through keras.datasets",
            "60,000 colour photographs of 32x32 pixels in 10 classes.", (32, 32, 3), CIFAR10_NAMES, 60_000,
        ),
        _downloaded(
            "cifar100", "CIFAR-100", "Krizhevsky 2009, through keras.datasets",
            "60,000 colour photographs of 32x32 pixels in 100 classes.", (32, 32, 3), CIFAR100_NAMES, 60_000,
        ),
    )
}  # fmt: skip


def get_entry(name: str) -> DatasetEntry:
    """Return the catalogue's entry of `name`, or raise `UnknownNameError` with a suggestion."""
    try:
        return DATASETS[name]
    except KeyError:
        raise UnknownNameError("data set", name, DATASETS) from None
