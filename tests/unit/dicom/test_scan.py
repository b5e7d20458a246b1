import struct

import pytest

from imgconv.dicom.scan import EXPLICIT_LITTLE, Found, Need, iter_items, looks_like_dicom, walk
from imgconv.errors import CorruptData


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\0" * 128 + b"DICM", True),
        (element(8, 5, b"CS", b"ISO_IR 100"), True),
        (struct.pack("<HHI", 8, 5, 10) + b"ISO_IR 100", True),
        (struct.pack(">HH2sH", 8, 5, b"CS", 10) + b"ISO_IR 100", True),
        (b"\x08\0", False),
        (b"", False),
        (b"patient,study,series,file\n" * 40, False),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 200, False),
        (b"\0" * 1024, False),
    ],
)
def test_looks_like_dicom(head, expected):
    assert looks_like_dicom("any", head) is expected


def test_walk_short_buffer_says_what_it_needs():
    data = element(8, 0x60, b"CS", b"MR") + element(0x10, 0x20, b"LO", b"12345678")
    table = {}
    stopped = walk(data[:-3], 0, len(data) - 3, EXPLICIT_LITTLE, table)
    assert stopped == Need(10, len(data))
    assert walk(data, stopped.position, len(data), EXPLICIT_LITTLE, table) == len(data)
    assert table == {0x00080060: ("CS", 8, 2), 0x00100020: ("LO", 18, 8)}


def test_walk_unknown_vr_has_a_long_length():
    data = struct.pack("<HH2sHI", 8, 0x60, b"ZZ", 0, 2) + b"ab" + element(8, 0x70, b"LO", b"x ")
    table = {}
    walk(data, 0, len(data), EXPLICIT_LITTLE, table)
    assert table[0x00080060] == ("UN", 12, 2)
    assert 0x00080070 in table


def test_walk_stops_at_pixels():
    data = struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF)
    assert walk(data, 0, len(data), EXPLICIT_LITTLE, {}) == Found(0x7FE00010, ("OB", 12, -1))


def test_iter_items_broken_sequence_is_corrupt():
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 100) + b"ab"
    with pytest.raises(CorruptData):
        list(iter_items(item, 0, len(item), EXPLICIT_LITTLE))
