"""Entries of networks that a person makes, in place of families with a paper."""

from collections.abc import Mapping
from typing import Any

from cnnlab.architectures.entry import Architecture
from cnnlab.architectures.layer_list import LayerListParameters
from cnnlab.architectures.layer_list_shapes import check_shapes


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
