"""JPEG-LS, lossless and near-lossless, by CharLS.

Not supported: mapping tables, which no DICOM writer is known to use.

Source
------
ISO/IEC 14495-1; PS3.5 8.2.3, A.4.3
"""

from __future__ import annotations

from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from imgconv.codecs.conform import require_agreement, require_end, to_declared
from imgconv.codecs.encode import EncodeTask
from imgconv.codecs.frame import PixelFormat
from imgconv.codecs.streams import parse_jpeg_header
from imgconv.errors import CorruptData, UnsupportedData

__all__ = ["decode", "encode"]

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
    require_end(data)  # without the marker, CharLS goes on for seconds before it notices
    try:
        array = imagecodecs.jpegls_decode(data)
    except (imagecodecs.JpeglsError, ValueError, RuntimeError) as error:
        raise CorruptData("a JPEG-LS stream is damaged") from error
    return to_declared(array, pixel_format)


def encode(samples: NDArray[Any], task: EncodeTask) -> bytes:
    """Return one JPEG-LS frame.

    The precision is Bits Allocated, so that the sign extension and whatever
    else is beyond Bits Stored survives.
    """
    target, options = task.target, task.options
    near = options.near or 0
    if near and target.signed:
        # Near-lossless coding wraps around at the ends of the unsigned range.
        raise UnsupportedData(
            "signed samples cannot be near-lossless: -1 and 0 are far apart in JPEG-LS",
            hint="choose `--to jpeg2000-lossy`",
        )
    unsigned = np.ascontiguousarray(samples).view(np.dtype(f"u{target.dtype.itemsize}"))
    # Noise takes more than it did before; what is never written costs no memory.
    room = 2 * unsigned.nbytes + 4096
    try:
        return bytes(imagecodecs.jpegls_encode(unsigned, near, out=room))
    except (imagecodecs.JpeglsError, ValueError) as error:
        raise UnsupportedData("the JPEG-LS encoder refuses a frame") from error
