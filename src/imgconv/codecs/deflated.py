"""Deflated Image Frame Compression: each frame is a raw deflate stream (RFC 1951).

Source
------
PS3.5 A.4.13; PS3.5 8.2.16
"""

from __future__ import annotations

import zlib
from typing import Any

from numpy.typing import NDArray

from imgconv.codecs.encode import EncodeTask
from imgconv.codecs.frame import PixelFormat, decode_native, encode_native
from imgconv.errors import CorruptData

__all__ = ["decode", "encode"]

_LEVEL = 6  # zlib's own compromise


def decode(data: bytes, pixel_format: PixelFormat, transfer_syntax_uid: str) -> NDArray[Any]:  # noqa: ARG001
    """Return the samples of one deflated frame; never inflates more than a frame.

    Raises
    ------
    CorruptData
        It is no deflate stream, or holds too few bytes.
    """
    needed = pixel_format.frame_bytes
    try:
        frame = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, needed)
    except zlib.error as error:
        raise CorruptData("a frame is no raw deflate stream") from error
    return decode_native(frame, pixel_format)


def encode(samples: NDArray[Any], task: EncodeTask) -> bytes:
    """Return one frame as a raw deflate stream."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(encode_native(samples, task.target)) + packer.flush()
