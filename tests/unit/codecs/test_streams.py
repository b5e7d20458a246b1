import imagecodecs
import numpy as np
import pytest

from imgconv.codecs.streams import (
    find_codestream,
    parse_header_of,
    parse_jpeg2000_header,
    parse_jpeg_header,
    parse_jpegxl_size,
)
from imgconv.errors import CorruptData

GREY = np.arange(48, dtype=np.uint16).reshape(6, 8)
COLOUR = np.arange(144, dtype=np.uint8).reshape(6, 8, 3)


def test_parse_jpeg_header_lossless_tells_predictor_and_precision():
    stream = imagecodecs.jpeg8_encode(GREY, lossless=True, predictor=1, bitspersample=12)
    header = parse_jpeg_header(stream)
    assert (header.rows, header.columns, header.samples_per_pixel) == (6, 8, 1)
    assert (header.process, header.predictor, header.precision) == (0xC3, 1, 12)
    assert header.reversible


def test_parse_jpeg_header_near_lossless_tells_near():
    header = parse_jpeg_header(imagecodecs.jpegls_encode(GREY, 2, out=4096))
    assert (header.process, header.near, header.reversible) == (0xF7, 2, False)


@pytest.mark.parametrize(
    ("options", "is_ycbcr"),
    [
        ({"colorspace": "RGB", "outcolorspace": "RGB"}, False),
        ({"colorspace": "RGB", "outcolorspace": "YCBCR"}, True),
    ],
)
def test_is_ycbcr_follows_the_markers(options, is_ycbcr):
    stream = imagecodecs.jpeg8_encode(COLOUR, level=90, **options)
    assert parse_jpeg_header(stream).is_ycbcr is is_ycbcr


def test_is_ycbcr_without_any_marker_is_unknown():
    stream = bytes(
        imagecodecs.jpeg8_encode(COLOUR, level=90, colorspace="RGB", outcolorspace="RGB")
    )
    start = stream.index(b"\xff\xee")
    length = int.from_bytes(stream[start + 2 : start + 4], "big")
    plain = stream[:start] + stream[start + 2 + length :]
    assert parse_jpeg_header(plain).component_ids == b"RGB"
    numbered = plain.replace(b"\x03R", b"\x03\0", 1)
    assert parse_jpeg_header(numbered).is_ycbcr is None


@pytest.mark.parametrize("cut", [0, 1, 3, 20, 40])
def test_parse_jpeg_header_truncated_is_corrupt(cut):
    stream = bytes(imagecodecs.jpeg8_encode(GREY, lossless=True, predictor=1))
    with pytest.raises(CorruptData):
        parse_jpeg_header(stream[:cut])


def test_parse_jpeg2000_header_tells_transform_sign_and_throughput():
    plain = parse_jpeg2000_header(
        imagecodecs.jpeg2k_encode(
            GREY.astype(np.int16), level=0, codecformat="J2K", reversible=True
        )
    )
    assert (plain.rows, plain.columns, plain.signed, plain.reversible) == (6, 8, True, True)
    assert not plain.high_throughput
    fast = parse_jpeg2000_header(imagecodecs.htj2k_encode(COLOUR, reversible=True))
    assert (fast.samples_per_pixel, fast.transform, fast.high_throughput) == (3, 1, True)


def test_find_codestream_skips_the_boxes_of_jp2():
    boxed = bytes(imagecodecs.jpeg2k_encode(GREY, level=0, codecformat="JP2", reversible=True))
    start = find_codestream(boxed)
    assert start > 0
    assert parse_jpeg2000_header(boxed).columns == 8


@pytest.mark.parametrize(
    "data", [b"", b"\xff\x4f\xff\x51", b"\0" * 50, b"\xff\x4f\xff\x51" + b"\0" * 60]
)
def test_parse_jpeg2000_header_no_stream_is_corrupt(data):
    with pytest.raises(CorruptData):
        parse_jpeg2000_header(data)


def test_parse_header_of_damaged_stream_is_none():
    assert parse_header_of("jpeg", b"rubbish") is None
    assert parse_header_of("rle", b"rubbish") is None


@pytest.mark.parametrize("container", [False, True])
@pytest.mark.parametrize(
    "shape",
    [(8, 8), (64, 256), (1, 1), (7, 13), (300, 400), (512, 512), (10, 12), (2000, 3), (90, 160)],
)
def test_parse_jpegxl_size_is_the_size_that_was_encoded(shape, container):
    stream = imagecodecs.jpegxl_encode(
        np.zeros(shape, np.uint8), lossless=True, usecontainer=container
    )
    assert parse_jpegxl_size(bytes(stream)) == shape


@pytest.mark.parametrize("data", [b"", b"\0" * 40, b"\0\0\0\x0cJXL \r\n\x87\n" + b"\xff" * 8])
def test_parse_jpegxl_size_no_stream_is_corrupt(data):
    with pytest.raises(CorruptData):
        parse_jpegxl_size(data)
