"""Scalars and hyperparameters out of the events of TensorBoard.

Field numbers from event.proto, summary.proto and tensor.proto
(https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto) and plugins/hparams/api.proto and
plugin_data.proto beside them. A scalar is `simple_value` (TensorFlow 1, PyTorch) or a tensor of rank 0 of the plugin
`scalars` (TensorFlow 2, Keras). Images, histograms and graphs are passed over, and texts but for those that are asked
for.
"""

import struct
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from cnnlab.exchange import wire

# Event
_WALL_TIME, _STEP, _VERSION, _SUMMARY = 1, 2, 3, 5
# Summary.Value
_TAG, _SIMPLE, _TENSOR, _METADATA = 1, 2, 8, 9
# TensorProto
_DTYPE, _CONTENT, _STRINGS = 1, 4, 8
FLOAT, DOUBLE, INT32, INT64, HALF = 1, 2, 3, 9, 19
_FORMATS = {FLOAT: "<f", DOUBLE: "<d", INT32: "<i", INT64: "<q", HALF: "<e"}
_VALUES = {5: FLOAT, 6: DOUBLE, 7: INT32, 10: INT64}  # fields with one value each, often packed
# HParamsPluginData and below
_EXPERIMENT, _SESSION_START, _SESSION_END = 2, 3, 4
START_TAG, END_TAG, EXPERIMENT_TAG = (
    "_hparams_/session_start_info",
    "_hparams_/session_end_info",
    "_hparams_/experiment",
)
STATUSES = {0: "UNKNOWN", 1: "SUCCESS", 2: "FAILURE", 3: "RUNNING"}

Parameter = str | float | bool


@dataclass(frozen=True)
class Session:
    """What the plugin for hyperparameters keeps of a training; a part of it is None."""

    parameters: Mapping[str, Parameter] | None = None
    start_s: float | None = None
    status: str | None = None
    end_s: float | None = None


@dataclass
class Decoder:
    """Reads the events of one file, which may say of a tag only once which plugin it belongs to.

    Attributes:
        wanted: Tags of the texts to keep.
    """

    wanted: Collection[str] = ()
    version: str = ""
    first_s: float | None = None
    sessions: list[Session] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    _plugins: dict[str, str] = field(default_factory=dict)

    def read(self, data: bytes, take: Callable[[str, int, float, float], None]) -> None:
        """Read one event and hand each scalar over as `take(tag, step, wall_time, value)`.

        Raises:
            WireError: the data are no event.
        """
        wall_s, step, summary = 0.0, 0, None
        for number, kind, start, end in wire.fields(data, 0, len(data)):
            if number == _WALL_TIME and kind == wire.EIGHT:
                wall_s = wire.double_at(data, start)
            elif number == _STEP and kind == wire.VARINT:
                step = wire.signed(start)
            elif number == _SUMMARY and kind == wire.BYTES:
                summary = (start, end)
            elif number == _VERSION and kind == wire.BYTES:
                self.version = wire.text_at(data, start, end)
        if self.first_s is None and wall_s > 0:
            self.first_s = wall_s
        if summary is not None:
            for number, kind, start, end in wire.fields(data, *summary):
                if number == 1 and kind == wire.BYTES:
                    self._value(data, start, end, step, wall_s, take)

    def _value(
        self,
        data: bytes,
        start: int,
        end: int,
        step: int,
        wall_s: float,
        take: Callable[[str, int, float, float], None],
    ) -> None:
        tag, simple, tensor, plugin, content = "", None, None, None, (0, 0)
        for number, kind, first, last in wire.fields(data, start, end):
            if number == _TAG and kind == wire.BYTES:
                tag = wire.text_at(data, first, last)
            elif number == _SIMPLE and kind == wire.FOUR:
                simple = wire.float_at(data, first)
            elif number == _TENSOR and kind == wire.BYTES:
                tensor = (first, last)
            elif number == _METADATA and kind == wire.BYTES:
                plugin, content = _plugin(data, first, last)
        if simple is not None:
            take(tag, step, wall_s, simple)
            return
        if plugin:
            self._plugins[tag] = plugin
        if plugin == "hparams":
            self.sessions.append(_session(data, *content))
        elif plugin == "text" and tensor is not None and tag in self.wanted:
            self.texts[tag] = _text(data, *tensor)
        elif tensor is not None and self._plugins.get(tag) == "scalars":
            value = _scalar(data, *tensor)
            if value is not None:
                take(tag, step, wall_s, value)


def _plugin(data: bytes, start: int, end: int) -> tuple[str | None, tuple[int, int]]:
    """Return the plugin that a value belongs to, and where its own content lies."""
    name, content = None, (0, 0)
    for number, kind, first, last in wire.fields(data, start, end):
        if number == 1 and kind == wire.BYTES:
            for inner, inner_kind, begin, stop in wire.fields(data, first, last):
                if inner == 1 and inner_kind == wire.BYTES:
                    name = wire.text_at(data, begin, stop)
                elif inner == 2 and inner_kind == wire.BYTES:
                    content = (begin, stop)
    return name, content


def _text(data: bytes, start: int, end: int) -> str:
    """Return the first text of a tensor, empty where it has none."""
    for number, kind, first, last in wire.fields(data, start, end):
        if number == _STRINGS and kind == wire.BYTES:
            return wire.text_at(data, first, last)
    return ""


def _scalar(data: bytes, start: int, end: int) -> float | None:
    """Return the one number of a tensor, None where it has another number of them, or no numbers."""
    dtype, raw = 0, b""
    for number, kind, first, last in wire.fields(data, start, end):
        if number == _DTYPE and kind == wire.VARINT:
            dtype = first
        elif number == _CONTENT and kind == wire.BYTES:
            raw = data[first:last]
        elif number in _VALUES:
            raw = _as_content(data, number, kind, first, last)
    shape = _FORMATS.get(dtype)
    if shape is None or len(raw) != struct.calcsize(shape):
        return None
    return float(struct.unpack(shape, raw)[0])


def _as_content(data: bytes, number: int, kind: int, first: int, last: int) -> bytes:
    """Return a value field of a tensor as its content would be."""
    if _VALUES[number] in (FLOAT, DOUBLE):
        return data[first:last]
    value = first if kind == wire.VARINT else wire.varint(data, first, last)[0]
    try:
        return struct.pack(_FORMATS[_VALUES[number]], wire.signed(value))
    except struct.error:
        return b""


def _session(data: bytes, start: int, end: int) -> Session:
    parameters: dict[str, Parameter] | None = None
    begun = ended = status = None
    for number, kind, first, last in wire.fields(data, start, end):
        if kind != wire.BYTES:
            continue
        if number == _SESSION_START:
            parameters = parameters or {}
            for inner, inner_kind, begin, stop in wire.fields(data, first, last):
                if inner == 1 and inner_kind == wire.BYTES:
                    parameters |= _entry(data, begin, stop)
                elif inner == 5 and inner_kind == wire.EIGHT:
                    begun = wire.double_at(data, begin)
        elif number == _SESSION_END:
            status = STATUSES[0]
            for inner, inner_kind, begin, _stop in wire.fields(data, first, last):
                if inner == 1 and inner_kind == wire.VARINT:
                    status = STATUSES.get(begin, STATUSES[0])
                elif inner == 2 and inner_kind == wire.EIGHT:
                    ended = wire.double_at(data, begin)
    return Session(parameters, begun, status, ended)


def _entry(data: bytes, start: int, end: int) -> dict[str, Parameter]:
    """Return one pair of a map of names and `google.protobuf.Value`."""
    name, value = "", None
    for number, kind, first, last in wire.fields(data, start, end):
        if number == 1 and kind == wire.BYTES:
            name = wire.text_at(data, first, last)
        elif number == 2 and kind == wire.BYTES:
            value = _plain_value(data, first, last)
    return {} if value is None else {name: value}


def _plain_value(data: bytes, start: int, end: int) -> Parameter | None:
    for number, kind, first, last in wire.fields(data, start, end):
        if number == 2 and kind == wire.EIGHT:
            return wire.double_at(data, first)
        if number == 3 and kind == wire.BYTES:
            return wire.text_at(data, first, last)
        if number == 4 and kind == wire.VARINT:
            return bool(first)
    return None
