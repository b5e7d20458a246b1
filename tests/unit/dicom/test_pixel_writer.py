import struct
from io import BytesIO

import pytest

from imgconv.dicom.bytesource import ByteSource
from imgconv.dicom.fragments import parse_offset_table, scan_fragments
from imgconv.dicom.pixel_writer import needs_extended_table, write_encapsulated, write_native
from imgconv.errors import InternalError, UnsupportedData

FRAMES = [b"abc", b"defg", b"h"]


def _written(frames, **options):
    stream = BytesIO(b"before")
    stream.seek(6)
    size = write_encapsulated(stream, iter(frames), len(frames), **options)
    return stream.getvalue()[6:], size


def test_write_encapsulated_offsets_are_where_the_frames_are():
    data, size = _written(FRAMES)
    assert size == 8
    found = scan_fragments(ByteSource(data), 12)
    assert found.delimited
    assert found.end == len(data)
    offsets = parse_offset_table(found.offset_table, extended=False)
    for offset, frame, (position, length) in zip(offsets, FRAMES, found.spans, strict=True):
        assert position == found.base + offset + 8
        assert length % 2 == 0
        assert data[position : position + length] == frame + b"\0" * (len(frame) % 2)


def test_write_encapsulated_one_frame_has_an_empty_table():
    data, _ = _written([b"abcd"])
    assert scan_fragments(ByteSource(data), 12).offset_table == b""


def test_write_encapsulated_extended_tables_come_first():
    data, _ = _written(FRAMES, extended=True)
    assert data[:4] == b"\xe0\x7f\x01\0"
    assert struct.unpack_from("<3Q", data, 12) == (0, 12, 24)
    lengths_at = 12 + 24
    assert data[lengths_at : lengths_at + 6] == b"\xe0\x7f\x02\0OV"
    assert struct.unpack_from("<3Q", data, lengths_at + 12) == (3, 4, 1)
    found = scan_fragments(ByteSource(data), lengths_at + 12 + 24 + 12)
    assert found.offset_table == b""


def test_write_encapsulated_other_count_is_a_bug():
    with pytest.raises(InternalError):
        write_encapsulated(BytesIO(), iter(FRAMES), 4)


@pytest.mark.parametrize(
    ("size", "count", "wanted"), [(10, 3, False), (3 << 30, 3, True), (3 << 30, 1, False)]
)
def test_needs_extended_table_where_offsets_may_not_fit(size, count, wanted):
    assert needs_extended_table(size, count) is wanted


def test_write_native_pads_to_even_length():
    out = []
    write_native(out.append, [b"ab", b"c"], 3, vr="OB")
    assert b"".join(out) == b"\xe0\x7f\x10\0OB\0\0\4\0\0\0abc\0"


def test_write_native_wrong_or_too_long_is_refused():
    with pytest.raises(InternalError):
        write_native(lambda data: None, [b"ab"], 3)
    with pytest.raises(UnsupportedData, match="4 GiB"):
        write_native(lambda data: None, [], 1 << 32)
