import zlib

import numpy as np
import pytest

from imgconv.codecs.deflated import decode
from imgconv.codecs.frame import PixelFormat
from imgconv.errors import CorruptData

GREY = PixelFormat(rows=2, columns=3, bits_allocated=8, bits_stored=8)


def _raw(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def test_decode_inflates_a_raw_stream_and_ignores_padding():
    assert decode(_raw(bytes(range(6))) + b"\0", GREY, "").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert isinstance(decode(_raw(bytes(6)), GREY, ""), np.ndarray)


@pytest.mark.parametrize("data", [_raw(b"12345"), zlib.compress(b"123456"), b"\xff\xff", b""])
def test_decode_short_or_wrapped_is_corrupt(data):
    with pytest.raises(CorruptData):
        decode(data, GREY, "")


def test_decode_of_two_frames_in_one_is_corrupt():
    with pytest.raises(CorruptData, match="follow a frame's deflate stream"):
        decode(_raw(bytes(6)) + _raw(bytes(6)), GREY, "")
