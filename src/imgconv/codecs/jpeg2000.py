"""JPEG 2000 Part 1 by OpenJPEG and HTJ2K (Part 15) by OpenJPH.

The component transforms that belong to the codestream (RCT, ICT) are undone.
JP2 boxes around a codestream, which the standard forbids, are skipped.
Not supported: Part 2 multi-component transforms.

Source
------
ISO/IEC 15444-1, 15444-15; PS3.5 8.2.4, 8.2.14, A.4.4, A.4.12
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import imagecodecs
from numpy.typing import NDArray

from imgconv.codecs.conform import require_agreement, to_declared
from imgconv.codecs.frame import PixelFormat
from imgconv.codecs.streams import find_codestream, parse_jpeg2000_header
from imgconv.errors import CorruptData, UnsupportedData

__all__ = ["decode", "decode_htj2k"]


def decode(data: bytes, pixel_format: PixelFormat, transfer_syntax_uid: str) -> NDArray[Any]:  # noqa: ARG001
    """Return the samples of one JPEG 2000 frame.

    Raises
    ------
    CorruptData
        The stream is damaged, or does not agree with the pixel format.
    """
    return _decode(data, pixel_format, imagecodecs.jpeg2k_decode, imagecodecs.Jpeg2kError)


def decode_htj2k(data: bytes, pixel_format: PixelFormat, transfer_syntax_uid: str) -> NDArray[Any]:  # noqa: ARG001
    """Return the samples of one HTJ2K frame.

    Raises
    ------
    CorruptData
        The stream is damaged, or does not agree with the pixel format.
    """
    return _decode(data, pixel_format, imagecodecs.htj2k_decode, imagecodecs.Htj2kError)


def _decode(
    data: bytes,
    pixel_format: PixelFormat,
    decoder: Callable[[bytes], NDArray[Any]],
    failure: type[Exception],
) -> NDArray[Any]:
    header = parse_jpeg2000_header(data)
    require_agreement(header, pixel_format)
    if header.subsampled:
        raise UnsupportedData("a JPEG 2000 codestream with subsampled components is not supported")
    start = find_codestream(data)
    try:
        array = decoder(data[start:] if start else data)
    except (failure, ValueError, RuntimeError) as error:
        raise CorruptData("a JPEG 2000 codestream is damaged") from error
    return to_declared(array, pixel_format)
