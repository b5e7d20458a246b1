import struct

import pytest

from imgconv.formats.raster.exif import exif_orientation


def exif(order, value, tag=0x0112):
    mark = {"<": b"II", ">": b"MM"}[order]
    return (
        mark
        + struct.pack(f"{order}HIH", 42, 8, 1)
        + struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0)
    )


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_exif_orientation_is_found(order, prefix):
    assert exif_orientation(prefix + exif(order, 6)) == 6


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"II",
        exif("<", 9),
        exif("<", 3, tag=0x0113),
        b"II*\0\xff\xff\xff\xff\0\0",
        exif("<", 6)[:16],
    ],
)
def test_exif_orientation_without_a_sane_value_is_upright(data):
    assert exif_orientation(data) == 1
