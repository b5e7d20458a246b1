import imagecodecs
import numpy as np
import pytest

from imgconv.codecs.frame import PixelFormat
from imgconv.codecs.jpeg import decode
from imgconv.errors import CorruptData, UnsupportedData

COLOUR = {"samples_per_pixel": 3, "bits_allocated": 8, "bits_stored": 8}
RGB = np.random.default_rng(0).integers(0, 255, (16, 24, 3)).astype(np.uint8)
FORMAT = PixelFormat(rows=16, columns=24, photometric_interpretation="YBR_FULL", **COLOUR)


def test_decode_does_not_convert_colour():
    stream = bytes(
        imagecodecs.jpeg8_encode(
            RGB, level=100, colorspace="YCBCR", outcolorspace="YCBCR", subsampling="444"
        )
    )
    assert np.abs(decode(stream, FORMAT, "").astype(int) - RGB).max() <= 3


def test_decode_arithmetic_or_hierarchical_is_unsupported():
    stream = bytes(imagecodecs.jpeg8_encode(RGB[..., 0].copy(), level=90))
    grey = PixelFormat(rows=16, columns=24, bits_allocated=8, bits_stored=8)
    at = stream.index(b"\xff\xc0")
    with pytest.raises(UnsupportedData, match="SOF5"):
        decode(stream[: at + 1] + b"\xc5" + stream[at + 2 :], grey, "")


def test_decode_few_bytes_for_many_lossless_samples_are_corrupt():
    small = bytes(imagecodecs.jpeg8_encode(RGB[..., 0].copy(), lossless=True, predictor=1))
    at = small.index(b"\xff\xc3")
    large = small[: at + 5] + (4000).to_bytes(2, "big") * 2 + small[at + 9 :]
    pixel_format = PixelFormat(rows=4000, columns=4000, bits_allocated=8, bits_stored=8)
    with pytest.raises(CorruptData, match="cannot hold 16000000 samples"):
        decode(large, pixel_format, "")


def test_decode_of_thousands_of_scans_is_refused():
    stream = bytes(imagecodecs.jpeg8_encode(RGB[..., 0].copy(), level=90))
    grey = PixelFormat(rows=16, columns=24, bits_allocated=8, bits_stored=8)
    at = stream.index(b"\xff\xda")
    with pytest.raises(CorruptData, match="`1001` scans"):
        decode(stream[:-2] + stream[at : at + 10] * 1000 + b"\xff\xd9", grey, "")


def test_decode_skips_fill_bytes_and_stuffing_between_markers_at_once():
    stream = bytes(imagecodecs.jpeg8_encode(RGB[..., 0].copy(), lossless=True, predictor=1))
    grey = PixelFormat(rows=16, columns=24, bits_allocated=8, bits_stored=8)
    filled = stream[:2] + b"\xff" * 1000 + stream[2:]
    assert np.array_equal(decode(filled, grey, ""), RGB[..., 0])
