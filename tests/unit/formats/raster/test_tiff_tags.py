import struct

import imagecodecs
import numpy as np
import pytest

from imgconv.errors import CorruptData
from imgconv.formats.raster.tiff_tags import parse_directories


def directory(entries, following=0):
    return (
        struct.pack("<H", len(entries))
        + b"".join(struct.pack("<HHII", *entry) for entry in entries)
        + struct.pack("<I", following)
    )


def test_parse_directories_reads_size_and_pages():
    data = imagecodecs.tiff_encode(np.zeros((2, 4, 5), np.uint16))
    first, second = parse_directories(data)
    assert (first.get("width", 0), first.get("height", 0)) == (5, 4)
    assert second.values["bits"] == (16,)
    assert first.get("orientation", 1) == 1


def test_parse_directories_loop_is_refused():
    data = b"II*\0\x08\0\0\0" + directory([(256, 4, 1, 5)], following=8)
    with pytest.raises(CorruptData, match="loops"):
        parse_directories(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"II*\0\x08\0\0\0",
        b"II*\0\xff\xff\xff\xff" + bytes(20),
        b"II\x07\0\x08\0\0\0" + bytes(20),
        b"II*\0\0\0\0\0" + bytes(20),
        b"II*\0\x08\0\0\0" + struct.pack("<H", 60000) + bytes(40),
        b"II*\0\x08\0\0\0" + directory([(320, 3, 1000, 5000)]),
    ],
)
def test_parse_directories_damaged_is_refused(data):
    with pytest.raises(CorruptData):
        parse_directories(data)
