"""What the catalogue says of one family of networks. Imports no Keras."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cnnlab.parameters import Parameters, check

# A network made for larger images is proposed at least at this size: below, whole stages see a single pixel.
LEAST_PROPOSED_PX = 32


@dataclass(frozen=True)
class Published:
    """A number of trainable parameters that others have printed of one network of the family.

    A test builds the network and compares: exactly, and its MACs too where the table of
    torchvision has them.

    Attributes:
        source: Where the number stands, or what it follows from.
        parameters: The settings of that network, where not the defaults.
        num_classes: Of its output.
        channels: Of its images.
        table_row: Its name in the table of torchvision, if it stands there.
    """

    params: int
    source: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    num_classes: int = 1000
    channels: int = 3
    table_row: str = ""


@dataclass(frozen=True)
class Architecture:
    """One family of networks.

    Attributes:
        smallest_px: The least height and width that leaves something to pool.
        natural_px: The height and width of its paper, which the form proposes.
        year: Of the paper; None for what a person makes.
        takes_pixels: Whether its builder gets pixels from 0 to 255 in place of normalised images; may depend
            on the parameters.
        has_one_size: Whether its weights fit one image size only, as those of a dense layer over a whole map do.
        check_size: Raises `ConfigError` where its checked parameters do not fit images of that size.
        builder: `module:function`, imported only where Keras may be.
        head: Likewise, of a family whose logits do not come from a dense layer; called
            with features, number of classes and the layer's name.
        paper: Title of the paper.
        key_idea: What was new in it, in a sentence.
        small_images: How the network changes for images smaller than the paper's.
        published: Counts to compare with; the first with no settings is the default network's.
    """

    name: str
    title: str
    year: int | None
    source: str
    summary: str
    parameters: type[Parameters]
    smallest_px: int
    natural_px: int
    builder: str
    head: str = ""
    takes_pixels: bool | Callable[[Mapping[str, Any]], bool] = False
    has_one_size: bool = False
    check_size: Callable[[Mapping[str, Any], int], None] | None = None
    authors: str = ""
    paper: str = ""
    key_idea: str = ""
    small_images: str = ""
    published: tuple[Published, ...] = ()

    def check(self, values: Mapping[str, Any]) -> Parameters:
        """Return the checked parameters of one network of this family."""
        return check(self.parameters, values, f"architecture {self.name!r}")

    def brief(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameters as a person would write them."""
        return self.check(values).brief()

    def wants_pixels(self, parameters: Mapping[str, Any]) -> bool:
        """Return whether the network of these checked parameters takes pixels from 0 to 255."""
        return self.takes_pixels(parameters) if callable(self.takes_pixels) else self.takes_pixels

    @property
    def label(self) -> str:
        """Return the title with the year of the paper, if there is one."""
        return f"{self.title} ({self.year})" if self.year else self.title

    @property
    def published_params(self) -> int | None:
        """Return the printed number of parameters of the default network, if there is one."""
        return next((one.params for one in self.published if not one.parameters), None)

    def proposed_px(self, image_px: int) -> int:
        """Return the size to propose for images of `image_px`: their own, within reason.

        A network made for large images changes its stem for small ones, which is better and
        far cheaper than enlarging the images.
        """
        if self.natural_px <= LEAST_PROPOSED_PX:
            return self.natural_px
        return min(max(image_px, self.smallest_px, LEAST_PROPOSED_PX), self.natural_px)
