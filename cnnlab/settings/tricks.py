"""What is added to plain training, each off by default."""

from cnnlab.parameters import Parameters


class TricksConfig(Parameters):
    """What is added to plain training, each off by default."""
