import numpy as np
import pytest

from imgconv.codecs import PixelFormat, decode_frame, encode_frame

GREY = PixelFormat(rows=2, columns=3, bits_allocated=16, bits_stored=16)
SAMPLES = np.arange(6, dtype=np.uint16).reshape(2, 3)


@pytest.mark.parametrize(
    ("uid", "second"),
    [
        ("1.2.840.10008.1.2.1", b"\1\0"),
        ("1.2.840.10008.1.2.2", b"\0\1"),
        ("1.2.840.10008.1.2.1.98", b"\1\0"),
    ],
)
def test_encode_and_decode_in_the_byte_order_of_the_syntax(uid, second):
    data = encode_frame(SAMPLES, uid, GREY).data
    assert data[2:4] == second
    assert np.array_equal(decode_frame(data, uid, GREY), SAMPLES)
