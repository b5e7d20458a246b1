"""RLE Lossless: byte planes, each packed by PackBits.

Not supported: nothing that the standard allows. One-bit frames, which it does
not allow, are read as one segment of packed bits, as they occur in the field.

Source
------
PS3.5 Annex G
"""

from __future__ import annotations

import struct
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from imgconv.codecs.encode import EncodeTask
from imgconv.codecs.frame import PixelFormat, decode_native
from imgconv.errors import CorruptData

__all__ = ["decode", "encode"]

_HEADER = struct.Struct("<16L")
_MAX_EXPANSION = 64  # two bytes of PackBits give at most 128
# What is packed behind a frame is dropped if it is no more than that, or than the frame.
_MOST_BEYOND = 1 << 16


def decode(data: bytes, pixel_format: PixelFormat, transfer_syntax_uid: str) -> NDArray[Any]:  # noqa: ARG001
    """Return the samples of one RLE frame.

    Raises
    ------
    CorruptData
        The header contradicts the pixel format, or a segment is too short.
    """
    segments = _segments(data, pixel_format)
    if pixel_format.bits_allocated == 1:
        return decode_native(_unpack(segments[0], pixel_format.frame_bytes), pixel_format)
    pixels = pixel_format.rows * pixel_format.columns
    width = pixel_format.bits_allocated // 8
    unsigned = np.dtype(f"u{width}")
    planes = np.zeros((pixels, pixel_format.samples_per_pixel), unsigned)
    for number, segment in enumerate(segments):
        sample = planes[:, number // width]  # most significant byte first; G.2
        if width > 1:
            sample <<= unsigned.type(8)
        sample |= np.frombuffer(_unpack(segment, pixels), np.uint8)
    return planes.view(pixel_format.dtype).reshape(pixel_format.shape)


def _segments(data: bytes, pixel_format: PixelFormat) -> list[bytes]:
    if len(data) < _HEADER.size:
        raise CorruptData(f"an RLE frame has `{len(data)}` bytes; its header alone takes 64")
    count, *offsets = _HEADER.unpack_from(data)
    expected = pixel_format.samples_per_pixel * max(1, pixel_format.bits_allocated // 8)
    if count != expected:
        raise CorruptData(f"an RLE frame has `{count}` segments; expected {expected}")
    return _cut(data, offsets[:count])


def _cut(data: bytes, offsets: list[int]) -> list[bytes]:
    ends = [*offsets[1:], len(data)]
    if any(not _HEADER.size <= a <= b <= len(data) for a, b in zip(offsets, ends, strict=False)):
        raise CorruptData("the segment offsets of an RLE frame do not rise within the frame")
    return [data[a:b] for a, b in zip(offsets, ends, strict=False)]


def measure(data: bytes) -> list[int]:
    """Return how many bytes each segment of an RLE frame holds, whatever it should hold.

    Raises
    ------
    CorruptData
        There is no header, its offsets do not rise, or a segment is no PackBits stream.
    """
    if len(data) < _HEADER.size:
        raise CorruptData(f"an RLE frame has `{len(data)}` bytes; its header alone takes 64")
    count, *offsets = _HEADER.unpack_from(data)
    return [len(_unpack_all(segment)) for segment in _cut(data, offsets[:count])]


def _unpack(segment: bytes, size: int) -> bytes:
    """Return exactly `size` bytes; what a sloppy writer packed beyond them is dropped."""
    if len(segment) * _MAX_EXPANSION < size:
        raise CorruptData(f"an RLE segment of `{len(segment)}` bytes cannot hold {size}")
    try:
        unpacked = bytes(imagecodecs.packbits_decode(segment, out=size))
    except imagecodecs.PackbitsError:  # also if it holds more
        unpacked = _unpack_all(segment, size + max(size, _MOST_BEYOND))
    if len(unpacked) < size:
        raise CorruptData(f"an RLE segment holds `{len(unpacked)}` bytes; expected {size}")
    return unpacked[:size]


def _unpack_all(segment: bytes, most: int | None = None) -> bytes:
    try:
        return bytes(imagecodecs.packbits_decode(segment, out=most))
    except imagecodecs.PackbitsError as error:
        what = (
            "no PackBits stream" if most is None else f"damaged, or holds more than `{most}` bytes"
        )
        raise CorruptData(f"an RLE segment is {what}") from error


def encode(samples: NDArray[Any], task: EncodeTask) -> bytes:
    """Return one RLE frame: each row of each byte plane is packed by itself, as G.3.1 demands."""
    target = task.target
    width = target.dtype.itemsize
    unsigned = np.dtype(f"u{width}")
    planes = np.ascontiguousarray(samples, target.dtype).view(unsigned)
    planes = planes.reshape(target.rows, target.columns, -1)
    segments = []
    for sample in range(target.samples_per_pixel):
        for byte in reversed(range(width)):  # most significant byte first; G.2
            # Shifts are vectorized, a copy of every other byte is not: a third of the time.
            plane = (planes[:, :, sample] >> unsigned.type(8 * byte)).astype(np.uint8)
            packed = bytes(imagecodecs.packbits_encode(plane, axis=-1))
            segments.append(packed + b"\0" * (len(packed) % 2))
    offsets, position = [], _HEADER.size
    for segment in segments:
        offsets.append(position)
        position += len(segment)
    unused = [0] * (15 - len(offsets))
    return b"".join((_HEADER.pack(len(segments), *offsets, *unused), *segments))
