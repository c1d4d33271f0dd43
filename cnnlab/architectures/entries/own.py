"""Entries of networks that a person makes, in place of families with a paper."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator

from cnnlab.architectures.entry import Architecture
from cnnlab.architectures.layer_list import LayerListParameters
from cnnlab.architectures.layer_list_shapes import check_shapes
from cnnlab.errors import ConfigError
from cnnlab.parameters import Parameters

SAVED, PYTHON = ".keras", ".py"


class OwnFileParameters(Parameters):
    path: str = Field(title="File", description="A Python file that builds a network, or a saved .keras file.")
    settings: dict[str, Any] = Field(
        default_factory=dict, title="Settings", description="Handed to the function of the Python file."
    )
    sha256: str = Field("", title="SHA-256", description="Of the file; found by itself when left out.")

    @field_validator("path")
    @classmethod
    def _check_path(cls, path: str) -> str:
        if not path.lower().endswith((SAVED, PYTHON)):
            raise ConfigError(
                f"path={path!r} is no network. Expected a file that ends in .py or .keras. Give the path of one."
            )
        return path


def reads_pixels(parameters: Mapping[str, Any]) -> bool:
    """Return whether the file's network takes pixels from 0 to 255: a saved one does, as those of runs do."""
    return str(parameters["path"]).lower().endswith(SAVED)


def _check_layer_list(parameters: Mapping[str, Any], image_px: int) -> None:
    # Which list fits depends on height and width alone: how many channels the images have is known to the data.
    check_shapes(parameters["layers"], (image_px, image_px, 3))


ENTRIES = (
    Architecture(
        name="layers",
        title="Own layer list",
        year=None,
        source="",
        summary="Any layers in a row, with skips: write the list in the layer editor or as YAML.",
        parameters=LayerListParameters,
        smallest_px=8,
        natural_px=32,
        builder="cnnlab.architectures.layer_list_keras:build_features",
        check_size=_check_layer_list,
    ),
)

# Never offered by pages: they run what is on this machine.
LOCAL_ENTRIES = (
    Architecture(
        name="own_file",
        title="Network of an own file",
        year=None,
        source="",
        summary="A Python file with build_features or build, or a .keras file; only on the command line.",
        parameters=OwnFileParameters,
        smallest_px=8,
        natural_px=32,
        builder="cnnlab.architectures.own_models:build_features",
        head="cnnlab.architectures.own_models:head",
        takes_pixels=reads_pixels,
    ),
)
