"""Settings that several families have, each off as they come."""

from typing import Any

from pydantic import Field


def zero_init_last_norm_field() -> Any:
    """Return the field of a start as the identity, for blocks that end in a normalisation."""
    return Field(
        False,
        title="Blocks start as the identity",
        description="The last normalisation of each branch starts with a scale of zero. Source: Goyal et al. 2017, "
        "arXiv:1706.02677, section 5.1; He et al. 2018, arXiv:1812.01187.",
    )


def zero_init_last_conv_field() -> Any:
    """Return the field of a start as the identity, for blocks that end in a convolution."""
    return Field(
        False,
        title="Blocks start as the identity",
        description="The last convolution of each branch starts at zero: with pre-activation no normalisation comes "
        "after it. Source: Zhang et al. 2019, arXiv:1901.09321.",
    )


def stochastic_depth_field() -> Any:
    """Return the field of the share of images that skip blocks."""
    return Field(
        0.0,
        ge=0,
        le=0.8,
        title="Stochastic depth",
        description="Share of images that skip the last block while training; earlier ones less, evenly. Source: "
        "Huang et al. 2016, arXiv:1603.09382.",
    )
