"""JPEG XL: lossless, lossy, and recompressed JPEG, by libjxl.

Not supported: animations, alpha, floating point samples.

Source
------
ISO/IEC 18181-1; PS3.5 8.2.15, A.4.14
"""

from __future__ import annotations

from typing import Any

import imagecodecs
from numpy.typing import NDArray

from imgconv.codecs.conform import require_agreement, to_declared
from imgconv.codecs.frame import PixelFormat
from imgconv.codecs.streams import StreamHeader
from imgconv.errors import CorruptData

__all__ = ["decode"]


def decode(data: bytes, pixel_format: PixelFormat, transfer_syntax_uid: str) -> NDArray[Any]:  # noqa: ARG001
    """Return the samples of one JPEG XL frame.

    Raises
    ------
    CorruptData
        The stream is damaged, or does not agree with the pixel format.
    """
    try:
        array = imagecodecs.jpegxl_decode(data, keeporientation=True)
    except (imagecodecs.JpegxlError, ValueError, RuntimeError) as error:
        raise CorruptData("a JPEG XL stream is damaged") from error
    samples = array.shape[2] if array.ndim == 3 else 1
    header = StreamHeader(array.shape[0], array.shape[1], samples, array.dtype.itemsize * 8)
    require_agreement(header, pixel_format)
    return to_declared(array, pixel_format)
