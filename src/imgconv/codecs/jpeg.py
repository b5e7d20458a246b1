"""JPEG with DCT (baseline, extended 8 and 12 bits, progressive) and lossless JPEG.

Components are returned as they are coded: YCbCr is not converted to RGB.
Not supported: arithmetic coding with 12 bits, hierarchical processes, CMYK.

Source
------
ISO/IEC 10918-1; PS3.5 8.2.1, A.4.1, A.4.2
"""

from __future__ import annotations

from typing import Any

import imagecodecs
from numpy.typing import NDArray

from imgconv.codecs.conform import require_agreement, to_declared
from imgconv.codecs.frame import PixelFormat
from imgconv.codecs.streams import parse_jpeg_header
from imgconv.errors import CorruptData, UnsupportedData

__all__ = ["decode"]

_PROCESSES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA}
# The least that a coded block or sample can take bounds what a stream of some length can hold:
# a DCT block of 64 samples has two Huffman codes of at least one bit, a lossless sample has one.
_SAMPLES_A_BYTE = {0xC3: 8}
_SAMPLES_A_BYTE_DCT = 64 * 4 * 64  # progressive blocks and end-of-band runs take far less


def decode(data: bytes, pixel_format: PixelFormat, transfer_syntax_uid: str) -> NDArray[Any]:  # noqa: ARG001
    """Return the components of one JPEG frame, chroma upsampled, colour not converted.

    Raises
    ------
    CorruptData
        The stream is damaged, or does not agree with the pixel format.
    UnsupportedData
        The JPEG process is not supported.
    """
    header = parse_jpeg_header(data)
    if header.process not in _PROCESSES:
        raise UnsupportedData(f"JPEG process SOF{header.process & 15} is not supported")
    require_agreement(header, pixel_format)
    samples = pixel_format.rows * pixel_format.columns * pixel_format.samples_per_pixel
    if samples > len(data) * _SAMPLES_A_BYTE.get(header.process, _SAMPLES_A_BYTE_DCT):
        raise CorruptData(f"a JPEG stream of `{len(data)}` bytes cannot hold {samples} samples")
    # Naming the same colour space on both sides keeps the components as they are.
    space = "YCBCR" if header.samples_per_pixel == 3 else None
    try:
        array = imagecodecs.jpeg8_decode(data, colorspace=space, outcolorspace=space)
    except (imagecodecs.Jpeg8Error, ValueError, RuntimeError) as error:
        raise CorruptData("a JPEG stream is damaged") from error
    return to_declared(array, pixel_format)
