"""JSON lines: what was written is read, whatever was torn off."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.runs.lines import append_lines, pack, parse_lines, read_lines, unpack

SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)
ROWS = st.lists(st.dictionaries(st.text(), SCALARS.filter(lambda v: v == v and v not in (math.inf, -math.inf))))


def test_appends_and_reads(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    append_lines(path, [{"a": 1}, {"b": "é\n"}])
    append_lines(path, [])
    append_lines(path, [{"c": None}])
    assert read_lines(path) == [{"a": 1}, {"b": "é\n"}, {"c": None}]


def test_a_missing_file_has_no_lines(tmp_path: Path) -> None:
    assert read_lines(tmp_path / "none.jsonl") == []


def test_appending_goes_on_after_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": 2')
    append_lines(path, [{"a": 3}])
    assert read_lines(path) == [{"a": 1}, {"a": 3}]


def test_a_bare_nan_is_refused_because_not_every_reader_knows_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        append_lines(tmp_path / "x.jsonl", [{"a": math.nan}])


def test_two_torn_lines_never_make_one_whole() -> None:
    assert parse_lines(b'{"a": [1\n2]}\n{"b": 1}') == [{"b": 1}]


@given(rows=ROWS, data=st.data())
def test_a_file_torn_at_any_byte_keeps_its_whole_lines(rows: list, data: st.DataObject) -> None:
    lines = [json.dumps(row, ensure_ascii=False).encode() for row in rows]
    whole = b"".join(line + b"\n" for line in lines)
    cut = data.draw(st.integers(0, len(whole)))
    ends = [sum(len(line) + 1 for line in lines[: index + 1]) - 1 for index in range(len(lines))]
    assert parse_lines(whole[:cut]) == [row for row, end in zip(rows, ends, strict=True) if end <= cut]


@given(value=st.dictionaries(st.text().filter(lambda key: key != "special"), VALUES))
def test_packed_values_are_strict_json_and_come_back(value: dict) -> None:
    text = json.dumps(pack(value), allow_nan=False)
    assert repr(unpack(json.loads(text))) == repr(value)
