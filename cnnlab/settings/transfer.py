"""Where the weights come from that a training starts with."""

from cnnlab.parameters import Parameters


class TransferConfig(Parameters):
    """Where the weights come from that a training starts with."""
