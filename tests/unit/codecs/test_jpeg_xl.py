import imagecodecs
import numpy as np
import pytest

from imgconv.codecs.frame import PixelFormat
from imgconv.codecs.jpeg_xl import decode, pack_jpeg, unpack_jpeg
from imgconv.errors import CorruptData, UnsupportedData

GREY = PixelFormat(rows=16, columns=24, bits_allocated=8, bits_stored=8)


def test_pack_jpeg_comes_back_bit_by_bit():
    image = np.random.default_rng(0).integers(0, 255, (16, 24)).astype(np.uint8)
    stream = bytes(imagecodecs.jpeg8_encode(image, level=90))
    packed = pack_jpeg(stream)
    assert unpack_jpeg(packed) == stream
    assert decode(packed, GREY, "").shape == (16, 24)


def test_pack_and_unpack_of_rubbish_are_refused():
    with pytest.raises(UnsupportedData):
        pack_jpeg(b"rubbish")
    with pytest.raises(CorruptData):
        unpack_jpeg(b"rubbish")
    plain = bytes(imagecodecs.jpegxl_encode(np.zeros((16, 24), np.uint8), lossless=True))
    with pytest.raises(CorruptData):
        unpack_jpeg(plain)


def test_decode_of_a_large_stream_for_a_small_image_is_refused_first():
    large = bytes(imagecodecs.jpegxl_encode(np.zeros((2000, 2000), np.uint8), lossless=True))
    with pytest.raises(CorruptData, match="`2000, 2000`"):
        decode(large, GREY, "")


def test_decode_animation_is_refused_before_it_is_decoded():
    frames = np.zeros((5, 16, 24), np.uint8)
    data = bytes(imagecodecs.jpegxl_encode(frames, lossless=True, photometric="gray"))
    pixel_format = PixelFormat(rows=16, columns=24, bits_allocated=8, bits_stored=8)
    with pytest.raises(CorruptData, match="animation"):
        decode(data, pixel_format, "")
