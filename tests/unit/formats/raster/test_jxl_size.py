import imagecodecs
import numpy as np
import pytest

from imgconv.errors import CorruptData
from imgconv.formats.raster.jxl_size import parse_jpegxl_size


@pytest.mark.parametrize(
    "size", [(1, 1), (16, 16), (31, 20), (640, 480), (1920, 1080), (7, 3000), (96, 80)]
)
@pytest.mark.parametrize("container", [False, True])
def test_parse_jpegxl_size(size, container):
    columns, rows = size
    data = imagecodecs.jpegxl_encode(np.zeros((rows, columns), np.uint8), usecontainer=container)
    assert parse_jpegxl_size(data) == size


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\0\0\0\x0cJXL \r\n\x87\n", b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40)]
)
def test_parse_jpegxl_size_without_a_codestream_is_refused(data):
    with pytest.raises(CorruptData):
        parse_jpegxl_size(data)
