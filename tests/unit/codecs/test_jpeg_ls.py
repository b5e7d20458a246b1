import imagecodecs
import numpy as np
import pytest

from imgconv.codecs.frame import PixelFormat
from imgconv.codecs.jpeg_ls import decode
from imgconv.errors import CorruptData

GREY = PixelFormat(rows=6, columns=8, bits_allocated=16, bits_stored=12)


def test_decode_another_jpeg_is_corrupt():
    stream = bytes(imagecodecs.jpeg8_encode(np.zeros((6, 8), np.uint8), level=90))
    with pytest.raises(CorruptData, match="no JPEG-LS stream"):
        decode(stream, GREY, "")


def test_decode_ignores_a_byte_of_padding():
    samples = np.arange(48, dtype=np.uint16).reshape(6, 8)
    stream = bytes(imagecodecs.jpegls_encode(samples, out=4096))
    assert np.array_equal(decode(stream + b"\0", GREY, ""), samples)


def test_decode_truncated_is_corrupt_at_once():
    stream = bytes(imagecodecs.jpegls_encode(np.arange(48, dtype=np.uint16).reshape(6, 8)))
    with pytest.raises(CorruptData, match="no end marker"):
        decode(stream[:-4], GREY, "")
