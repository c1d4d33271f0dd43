"""How several outputs are weighed in one training."""

from cnnlab.parameters import Parameters


class HeadsConfig(Parameters):
    """How several outputs are weighed in one training."""
