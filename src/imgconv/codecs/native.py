"""Uncompressed frames, native or encapsulated (1.2.840.10008.1.2.1.98).

Source
------
PS3.5 8.1.1, A.4.11
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from imgconv.codecs.frame import PixelFormat, decode_native, encode_native
from imgconv.standard.transfer_syntaxes import BY_UID

if TYPE_CHECKING:
    from imgconv.codecs.encode import EncodeTask

__all__ = ["decode", "encode"]


def decode(
    data: bytes | memoryview, pixel_format: PixelFormat, transfer_syntax_uid: str
) -> NDArray[Any]:
    """Return the samples of one uncompressed frame."""
    return decode_native(
        data, pixel_format, big_endian=BY_UID[transfer_syntax_uid].big_endian_pixels
    )


def encode(samples: NDArray[Any], task: EncodeTask) -> bytes:
    """Return one frame as bytes, not padded."""
    big_endian = BY_UID[task.transfer_syntax_uid].big_endian_pixels
    return encode_native(samples, task.target, big_endian=big_endian)
