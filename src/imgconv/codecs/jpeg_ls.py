"""JPEG-LS, lossless and near-lossless, by CharLS.

Not supported: mapping tables, which no DICOM writer is known to use.

Source
------
ISO/IEC 14495-1; PS3.5 8.2.3, A.4.3
"""

from __future__ import annotations

from typing import Any

import imagecodecs
from numpy.typing import NDArray

from imgconv.codecs.conform import require_agreement, to_declared
from imgconv.codecs.frame import PixelFormat
from imgconv.codecs.streams import parse_jpeg_header
from imgconv.errors import CorruptData

__all__ = ["decode"]

_SOF55 = 0xF7


def decode(data: bytes, pixel_format: PixelFormat, transfer_syntax_uid: str) -> NDArray[Any]:  # noqa: ARG001
    """Return the samples of one JPEG-LS frame.

    Raises
    ------
    CorruptData
        The stream is damaged, or does not agree with the pixel format.
    """
    header = parse_jpeg_header(data)
    if header.process != _SOF55:
        raise CorruptData(f"no JPEG-LS stream: its frame marker is `ff{header.process:02x}`")
    require_agreement(header, pixel_format)
    try:
        array = imagecodecs.jpegls_decode(data)
    except (imagecodecs.JpeglsError, ValueError, RuntimeError) as error:
        raise CorruptData("a JPEG-LS stream is damaged") from error
    return to_declared(array, pixel_format)
