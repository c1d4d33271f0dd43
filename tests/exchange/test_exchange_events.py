"""Events of TensorBoard: what is a scalar, what are hyperparameters, and bytes that are neither."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.exchange import event_making, wire
from cnnlab.exchange.events import DOUBLE, FLOAT, HALF, INT32, INT64, Decoder


def decoded(*events):
    decoder, found = Decoder(), []
    for event in events:
        decoder.read(event, lambda *scalar: found.append(scalar))
    return decoder, found


def tensor_event(dtype, content, plugin="scalars"):
    """Return a scalar as TensorFlow 2 writes it."""
    tensor = wire.put_varint(1, dtype) + wire.put_bytes(2, b"") + content
    metadata = wire.put_bytes(1, wire.put_bytes(1, plugin)) if plugin else b""
    value = wire.put_bytes(1, "loss") + wire.put_bytes(8, tensor) + wire.put_bytes(9, metadata)
    return wire.put_double(1, 5.0) + wire.put_varint(2, 3) + wire.put_bytes(5, wire.put_bytes(1, value))


@given(st.integers(-(2**63), 2**63 - 1), st.floats(width=32), st.floats(0, 1e12), st.text(max_size=20))
def test_a_scalar_comes_back_as_a_float32(step, value, wall_s, tag):
    _, found = decoded(event_making.scalar_event(tag, step, wall_s, value))
    assert repr(found) == repr([(tag, step, wall_s, value)])


def test_a_number_beyond_float32_is_infinite():
    _, found = decoded(event_making.scalar_event("a", 1, 1.0, -1e300))
    assert found[0][3] == -math.inf


@pytest.mark.parametrize(
    ("dtype", "content", "expected"),
    [
        (FLOAT, wire.put_bytes(4, struct.pack("<f", 0.5)), 0.5),
        (FLOAT, wire.put_bytes(5, struct.pack("<f", 0.25)), 0.25),
        (DOUBLE, wire.put_bytes(4, struct.pack("<d", 0.1)), 0.1),
        (DOUBLE, wire.put_bytes(6, struct.pack("<d", 0.2)), 0.2),
        (HALF, wire.put_bytes(4, struct.pack("<e", 1.5)), 1.5),
        (INT32, wire.put_varint(7, -4), -4.0),
        (INT64, wire.put_bytes(10, b"\x07"), 7.0),
    ],
)
def test_tensors_of_one_number_are_scalars(dtype, content, expected):
    assert decoded(tensor_event(dtype, content))[1] == [("loss", 3, 5.0, expected)]


def test_other_tensors_are_passed_over():
    two = wire.put_bytes(4, struct.pack("<2f", 1, 2))
    assert decoded(tensor_event(FLOAT, two))[1] == []
    assert decoded(tensor_event(7, wire.put_bytes(8, b"text"), "text"))[1] == []
    assert decoded(tensor_event(FLOAT, wire.put_bytes(4, struct.pack("<f", 1)), "histograms"))[1] == []


def test_the_plugin_may_be_said_once():
    content = wire.put_bytes(4, struct.pack("<f", 1))
    assert len(decoded(tensor_event(FLOAT, content), tensor_event(FLOAT, content, ""))[1]) == 2
    assert decoded(tensor_event(FLOAT, content, ""))[1] == []


def test_hyperparameters_and_the_end_come_back():
    given_values = {"lr": 0.01, "optimizer": "adam", "augment": False}
    decoder, found = decoded(
        event_making.version_event(2.0),
        event_making.session_start_event(3.0, given_values, "group"),
        event_making.text_event("config", 3.0, "hello"),
        event_making.session_end_event(9.0, 2),
    )
    assert found == []
    assert (decoder.version, decoder.first_s) == ("brain.Event:2", 2.0)
    start, end = decoder.sessions
    assert (start.parameters, start.start_s) == (given_values, 3.0)
    assert (end.status, end.end_s) == ("FAILURE", 9.0)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_refused(data):
    try:
        decoded(data)
    except wire.WireError:
        return


@given(st.data())
def test_a_cut_or_changed_event_is_an_event_or_refused(data):
    event = bytearray(tensor_event(DOUBLE, wire.put_bytes(6, struct.pack("<d", 0.2))))
    event[data.draw(st.integers(0, len(event) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded(bytes(event[: data.draw(st.integers(0, len(event)))]))
    except wire.WireError:
        return
