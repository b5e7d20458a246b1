import struct

import numpy as np
import pytest

from imgconv.codecs.frame import PixelFormat
from imgconv.codecs.rle import decode, measure
from imgconv.errors import CorruptData

GREY = PixelFormat(rows=2, columns=3, bits_allocated=16, bits_stored=16)


def _frame(*segments):
    offsets, position = [], 64
    for segment in segments:
        offsets.append(position)
        position += len(segment)
    return struct.pack("<16L", len(segments), *offsets, *[0] * (15 - len(segments))) + b"".join(
        segments
    )


def test_decode_high_bytes_come_first():
    data = _frame(b"\xfb\x01", b"\x05\0\1\2\3\4\5")
    assert decode(data, GREY, "").tolist() == [[256, 257, 258], [259, 260, 261]]


def test_decode_more_than_is_wanted_is_cut():
    data = _frame(b"\xf8\x01", b"\x07\0\1\2\3\4\5\6\7")
    assert decode(data, GREY, "")[1, 2] == 261


def test_decode_one_bit_frames_as_they_occur_in_the_field():
    pixel_format = PixelFormat(rows=2, columns=8, bits_allocated=1, bits_stored=1)
    assert decode(_frame(b"\1\x0f\x80"), pixel_format, "").sum(axis=1).tolist() == [4, 1]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\2\0\0\0", "header alone takes 64"),
        (_frame(b"\xfb\x01"), "`1` segments; expected 2"),
        (_frame(b"\xfb\x01", b"\xfc\x01"), "holds `5` bytes; expected 6"),
        (_frame(b"\xfb\x01", b""), "`0` bytes cannot hold 6"),
        (struct.pack("<16L", 2, 64, 60, *[0] * 13) + b"\xfb\1", "do not rise"),
        (struct.pack("<16L", 2, 64, 9999, *[0] * 13) + b"\xfb\1", "do not rise"),
    ],
)
def test_decode_damaged_is_corrupt(data, message):
    with pytest.raises(CorruptData, match=message):
        decode(data, GREY, "")


def test_encode_packs_rows_apart():
    from imgconv.codecs import encode_frame

    samples = np.full((2, 3), 7, np.uint8)
    pixel_format = PixelFormat(rows=2, columns=3, bits_allocated=8, bits_stored=8)
    data = encode_frame(samples, "1.2.840.10008.1.2.5", pixel_format).data
    assert data[64:] == b"\xfe\7\xfe\7"  # two runs of three, not one of six


def test_segments_are_measured():
    header = struct.pack("<16L", 2, 64, 66, *([0] * 13))
    assert measure(header + bytes([255, 7]) + bytes([251, 7])) == [2, 6]


@pytest.mark.parametrize("data", [b"", bytes(63), struct.pack("<16L", 1, 900, *([0] * 14))])
def test_what_is_no_frame_is_not_measured(data):
    with pytest.raises(CorruptData):
        measure(data)


def test_decode_bomb_is_refused_without_being_unpacked():
    import tracemalloc

    pixel_format = PixelFormat(rows=2, columns=3, bits_allocated=8, bits_stored=8)
    bomb = _frame(b"\x81\0" * (1 << 20))  # 2 MiB of runs become 128 MiB
    tracemalloc.start()
    with pytest.raises(CorruptData, match="holds more than"):
        decode(bomb, pixel_format, "")
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()
