"""What the catalogue says of one family of networks. Imports no Keras."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnnlab.parameters import Parameters, check


@dataclass(frozen=True)
class Architecture:
    """One family of networks.

    Attributes:
        smallest_px: The least height and width that leaves something to pool.
        natural_px: The height and width of its paper, which the form proposes.
        builder: `module:function`, imported only where Keras may be.
    """

    name: str
    title: str
    year: int
    source: str
    summary: str
    parameters: type[Parameters]
    smallest_px: int
    natural_px: int
    builder: str

    def check(self, values: Mapping[str, Any]) -> Parameters:
        """Return the checked parameters of one network of this family."""
        return check(self.parameters, values, f"architecture {self.name!r}")
