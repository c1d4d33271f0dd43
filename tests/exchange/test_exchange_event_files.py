"""Records of event files: checksums against published ones, framing that survives tears and damage."""

import io
import struct

import numpy as np
import pytest
from exchange_making import STORES
from hypothesis import given
from hypothesis import strategies as st

from cnnlab.exchange import event_files
from cnnlab.exchange.crc32c import _bytewise, crc32c, crc32c_of, masked
from cnnlab.exchange.event_files import Reading, read_records, write_records

# RFC 3720, appendix B.4, and the check value of the catalogue of CRCs.
PUBLISHED = [
    (bytes(32), 0x8A9136AA),
    (b"\xff" * 32, 0x62A8AB43),
    (bytes(range(32)), 0x46DD794E),
    (bytes(reversed(range(32))), 0x113FDB5C),
    (b"123456789", 0xE3069283),
    (b"", 0),
]


@pytest.mark.parametrize(("data", "checksum"), PUBLISHED)
def test_checksums_are_the_published_ones(data, checksum):
    assert crc32c(data) == checksum
    padded = np.frombuffer(b"xx" + data + b"yyy", np.uint8)
    assert crc32c_of(padded, np.array([2]), np.array([len(data)])).tolist() == [checksum]


def test_a_masked_checksum_is_that_of_tensorflow():
    whole = next((STORES / "keras-tensorboard" / "train").iterdir()).read_bytes()
    (length, of_length) = struct.unpack_from("<QI", whole)
    (of_data,) = struct.unpack_from("<I", whole, 12 + length)
    found = masked(np.array([crc32c(whole[:8]), crc32c(whole[12 : 12 + length])], np.uint32))
    assert found.tolist() == [of_length, of_data]


@pytest.mark.parametrize("size", [3, 4, 16, 17, 1024, 1025, 8191, 8192, 8193, 20_001])
def test_a_long_record_has_the_checksum_of_its_bytes_one_by_one(size):
    data = np.random.default_rng(size).integers(0, 256, size, np.uint8)
    assert crc32c(data.tobytes()) == _bytewise(data, 0xFFFFFFFF) ^ 0xFFFFFFFF
    assert crc32c_of(data, np.array([0]), np.array([size])).tolist() == [crc32c(data.tobytes())]


@given(st.lists(st.binary(max_size=90), max_size=12))
def test_many_checksums_at_once_are_those_of_each(records):
    lengths = np.array([len(record) for record in records], np.int64)
    starts = np.cumsum(lengths) - lengths
    found = crc32c_of(np.frombuffer(b"".join(records), np.uint8), starts, lengths)
    assert found.tolist() == [crc32c(record) for record in records]


def framed(records):
    file = io.BytesIO()
    write_records(file, records)
    return file.getvalue()


def read(path, data):
    path.write_bytes(data)
    reading = Reading()
    return list(read_records(path, reading)), reading


RECORDS = st.lists(st.binary(max_size=60), min_size=1, max_size=8)


@given(records=RECORDS, block=st.integers(16, 200))
def test_what_is_written_is_read_whatever_the_size_of_a_block(tmp_path_factory, records, block):
    path = tmp_path_factory.getbasetemp() / "events"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_files, "BLOCK_BYTES", block)
        found, reading = read(path, framed(records))
    assert found == records
    assert (reading.records, reading.trouble) == (len(records), "")
    assert reading.done_bytes == path.stat().st_size


@given(records=RECORDS, data=st.data())
def test_a_torn_end_loses_the_torn_record_alone(tmp_path_factory, records, data):
    whole = framed(records)
    kept = data.draw(st.integers(0, len(whole) - 1))
    found, reading = read(tmp_path_factory.getbasetemp() / "torn", whole[:kept])
    assert found == records[: len(found)]
    whole_bytes = sum(len(record) + 16 for record in found)
    assert whole_bytes <= kept < sum(len(one) + 16 for one in records[: len(found) + 1])
    assert reading.is_torn == (kept > whole_bytes)
    assert ("the last record is not whole" in reading.trouble) == reading.is_torn


@given(records=RECORDS, data=st.data())
def test_one_wrong_bit_never_gives_a_wrong_record(tmp_path_factory, records, data):
    whole = bytearray(framed(records))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    found, reading = read(tmp_path_factory.getbasetemp() / "damaged", bytes(whole))
    assert reading.damaged == 1 or reading.is_cut
    rest = iter(records)
    assert all(record in rest for record in found)  # what is left is in the order of what was written
    assert len(found) < len(records)
    if reading.damaged:
        assert reading.trouble == "1 damaged record left out"
        assert len(found) == len(records) - 1


def test_a_length_out_of_all_measure_is_not_waited_for(tmp_path):
    huge = struct.pack("<Q", 1 << 60)
    head = huge + struct.pack("<I", int(masked(np.array([crc32c(huge)], np.uint32))[0]))
    found, reading = read(tmp_path / "huge", framed([b"good"]) + head + b"x" * 50)
    assert found == [b"good"]
    assert reading.trouble == "damaged after 20 bytes, the rest left out"
