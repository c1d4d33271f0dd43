"""Lists of images with what is said of them: by one network, or by two beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnlab.analysis.image_answers import ImageAnswers
from dashboard.image_data import Side


@dataclass(frozen=True)
class Voice:
    """Who says something of the images, and in which place of their answers each listed image is.

    Attributes:
        letter: `A`, `B`, or empty where there is one only.
    """

    side: Side
    answers: ImageAnswers
    places: NDArray[np.int64]
    letter: str = ""


@dataclass(frozen=True)
class ImageList:
    """Images in the order in which they are shown; the first voice decides whose data and whose network it is."""

    voices: Sequence[Voice]
    output: str
    split: str
    classes: tuple[str, ...]

    @property
    def n(self) -> int:
        return len(self.voices[0].places)
