"""Events as TensorBoard reads them: scalars, texts and hyperparameters. Field numbers as in `events`."""

from collections.abc import Mapping

from cnnlab.exchange import wire
from cnnlab.exchange.events import END_TAG, EXPERIMENT_TAG, START_TAG, Parameter

_STRING = 7
# What the table of all trainings calls text, yes or no, and numbers.
_KINDS = {str: 1, bool: 2, float: 3}


def version_event(wall_s: float) -> bytes:
    """Return the event that a file begins with."""
    return wire.put_double(1, wall_s) + wire.put_bytes(3, "brain.Event:2")


def scalar_event(tag: str, step: int, wall_s: float, value: float) -> bytes:
    """Return one scalar, rounded to float32: the server that TensorBoard 2.21 reads with takes no other (tried)."""
    return _event(step, wall_s, wire.put_bytes(1, tag) + wire.put_float(2, value))


def text_event(tag: str, wall_s: float, text: str) -> bytes:
    """Return a text, which TensorBoard shows as Markdown."""
    tensor = wire.put_varint(1, _STRING) + wire.put_bytes(2, b"") + wire.put_bytes(8, text)
    metadata = wire.put_bytes(1, wire.put_bytes(1, "text"))
    return _event(0, wall_s, wire.put_bytes(1, tag) + wire.put_bytes(8, tensor) + wire.put_bytes(9, metadata))


def session_start_event(wall_s: float, parameters: Mapping[str, Parameter], group: str) -> bytes:
    """Return the hyperparameters of a training that began then."""
    entries = b"".join(wire.put_bytes(1, _put_entry(name, value)) for name, value in parameters.items())
    start = entries + wire.put_bytes(4, group) + wire.put_double(5, wall_s)
    return _hparams_event(START_TAG, wall_s, wire.put_bytes(3, start))


def session_end_event(wall_s: float, status: int) -> bytes:
    """Return how a training ended: 1 well, 2 badly, 3 not yet, 0 unknown."""
    end = wire.put_varint(1, status) + wire.put_double(2, wall_s)
    return _hparams_event(END_TAG, wall_s, wire.put_bytes(4, end))


def experiment_event(
    wall_s: float, parameters: Mapping[str, Parameter], metrics: Mapping[tuple[str, str], str]
) -> bytes:
    """Return which hyperparameters and which metrics the table of all trainings has.

    Args:
        parameters: A value of each, for its type: text, number or bool.
        metrics: Titles by sub-folder of a training and tag.
    """
    infos = b"".join(
        wire.put_bytes(4, wire.put_bytes(1, name) + wire.put_varint(4, _KINDS.get(type(value), 3)))
        for name, value in parameters.items()
    )
    for (folder, tag), title in metrics.items():
        name = wire.put_bytes(1, folder) + wire.put_bytes(2, tag)
        infos += wire.put_bytes(5, wire.put_bytes(1, name) + wire.put_bytes(3, title))
    return _hparams_event(EXPERIMENT_TAG, wall_s, wire.put_bytes(2, infos))


def _put_entry(name: str, value: Parameter) -> bytes:
    if isinstance(value, bool):
        content = wire.put_varint(4, int(value))
    elif isinstance(value, str):
        content = wire.put_bytes(3, value)
    else:
        content = wire.put_double(2, float(value))
    return wire.put_bytes(1, name) + wire.put_bytes(2, content)


def _hparams_event(tag: str, wall_s: float, content: bytes) -> bytes:
    plugin = wire.put_bytes(1, "hparams") + wire.put_bytes(2, content)
    return _event(0, wall_s, wire.put_bytes(1, tag) + wire.put_bytes(9, wire.put_bytes(1, plugin)))


def _event(step: int, wall_s: float, value: bytes) -> bytes:
    head = wire.put_double(1, wall_s) + (wire.put_varint(2, step) if step else b"")
    return head + wire.put_bytes(5, wire.put_bytes(1, value))
