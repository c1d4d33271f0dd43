"""The architectures one can train: what they are, what can be set, where they come from.

Imports no Keras: forms, the command line, the search space and the help read it. The next
architecture is one more entry under `entries` and one file with its `build_features`.
What a person makes comes last.
"""

from cnnlab.architectures.entries import applications, classic, compact, modern, own, residual, small
from cnnlab.architectures.entry import Architecture
from cnnlab.errors import UnknownNameError

__all__ = ["ARCHITECTURES", "LOCAL", "Architecture", "get_architecture"]

ARCHITECTURES: dict[str, Architecture] = {
    entry.name: entry
    for group in (small, classic, residual, compact, modern, applications, own)
    for entry in group.ENTRIES
}


# What runs a file of this machine: for the command line alone, so that no page lists it.
LOCAL: dict[str, Architecture] = {entry.name: entry for entry in own.LOCAL_ENTRIES}


def get_architecture(name: str) -> Architecture:
    """Return the entry of `name`, also of a local one, or raise `UnknownNameError` with a suggestion."""
    known = ARCHITECTURES | LOCAL
    try:
        return known[name]
    except KeyError:
        raise UnknownNameError("architecture", name, known) from None
