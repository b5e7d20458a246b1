"""Deflated Image Frame Compression: each frame is a raw deflate stream (RFC 1951).

Source
------
PS3.5 A.4.13; PS3.5 8.2.16
"""

from __future__ import annotations

from typing import Any

from isal import isal_zlib
from numpy.typing import NDArray

from imgconv.codecs.encode import EncodeTask
from imgconv.codecs.frame import PixelFormat, decode_native, encode_native
from imgconv.errors import CorruptData

__all__ = ["decode", "encode"]

_LEVEL = 2  # of isal: ten times as fast as zlib, 7 % larger


def decode(data: bytes, pixel_format: PixelFormat, transfer_syntax_uid: str) -> NDArray[Any]:  # noqa: ARG001
    """Return the samples of one deflated frame; never inflates more than a frame.

    Raises
    ------
    CorruptData
        It is no deflate stream, holds too few bytes, or is followed by something else.
    """
    needed = pixel_format.frame_bytes
    engine = isal_zlib.decompressobj(-isal_zlib.MAX_WBITS)
    try:
        frame = engine.decompress(data, needed)
    except isal_zlib.error as error:  # type: ignore[misc]  # its stub declares an instance
        raise CorruptData("a frame is no raw deflate stream") from error
    if engine.eof and engine.unused_data.strip(b"\0"):
        raise CorruptData(f"`{len(engine.unused_data)}` bytes follow a frame's deflate stream")
    return decode_native(frame, pixel_format)


def encode(samples: NDArray[Any], task: EncodeTask) -> bytes:
    """Return one frame as a raw deflate stream."""
    packer = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)
    return packer.compress(encode_native(samples, task.target)) + packer.flush()
