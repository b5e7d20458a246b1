"""Hold a codestream against the data set that it came in.

Which of the two is right where they differ: the data set for the meaning of
samples (sign, bits stored), the stream for nothing. A stream of another size
or number of samples is refused before it is decoded.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.codecs.frame import PixelFormat
from imgconv.codecs.streams import StreamHeader
from imgconv.errors import CorruptData

__all__ = ["min_precision", "require_agreement", "require_end", "to_declared"]

_LEAST_PRECISION = 2  # of JPEG and JPEG-LS


def require_agreement(header: StreamHeader, pixel_format: PixelFormat) -> None:
    """Raise unless size, samples and depth of a stream fit the data set.

    Raises
    ------
    CorruptData
        Names what differs.
    """
    stream = (header.rows, header.columns, header.samples_per_pixel)
    wanted = (pixel_format.rows, pixel_format.columns, pixel_format.samples_per_pixel)
    if stream != wanted:
        raise CorruptData(
            "a frame's codestream has rows, columns, samples "
            f"`{stream[0]}, {stream[1]}, {stream[2]}`; the data set says {wanted}"
        )
    if header.precision > pixel_format.bits_allocated:
        raise CorruptData(
            f"a frame's codestream has `{header.precision}` bits a sample; "
            f"Bits Allocated is {pixel_format.bits_allocated}"
        )


def require_end(data: bytes) -> None:
    """Raise unless a JPEG or JPEG 2000 stream has its end marker.

    Decoders fill what a truncated stream lacks with something, and say nothing.
    The marker's bytes cannot stand within entropy-coded data.

    Raises
    ------
    CorruptData
        The stream was truncated.
    """
    if data.rfind(b"\xff\xd9") < 0:
        raise CorruptData("a codestream has no end marker; it was truncated")


def to_declared(array: NDArray[Any], pixel_format: PixelFormat) -> NDArray[Any]:
    """Return decoded samples in the shape and type of the data set.

    The bits below the stream's precision are kept, those above are what the
    decoder gives: zero for an unsigned stream in a signed data set. So a
    sample means what its low Bits Stored bits say, as it does in native data;
    `codecs.frame.significant` gives that value.

    Raises
    ------
    CorruptData
        The decoder returned another shape.
    """
    if array.shape != pixel_format.shape:
        if array.size != np.prod(pixel_format.shape):
            raise CorruptData(f"a codestream decoded to shape `{array.shape}`")
        array = array.reshape(pixel_format.shape)
    target = pixel_format.dtype
    if array.dtype == target:
        return array
    # Where the stream and the data set differ in the sign, the bits are right.
    same_sign = np.dtype(f"{array.dtype.kind}{target.itemsize}")
    return array.astype(same_sign, copy=False).view(target)


def min_precision(unsigned: NDArray[Any], pixel_format: PixelFormat) -> int:
    """Return the bits that a codestream needs: Bits Stored if no sample is beyond it."""
    stored, allocated = pixel_format.bits_stored, pixel_format.bits_allocated
    if stored == allocated or (unsigned.size and int(unsigned.max()) >> stored):
        return allocated
    return max(stored, _LEAST_PRECISION)
