"""SHA-256 of decoded pixels: the same before and after, whatever the transfer syntax."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.codecs.frame import PixelFormat, encode_native
from imgconv.dicom.frames import FrameReader

__all__ = ["PixelDigest", "digest_all", "join_bits"]


class _BitJoiner:
    """Joins one-bit frames without gaps, holding back less than a byte; PS3.5 8.1.1."""

    def __init__(self, frame_bits: int) -> None:
        self._frame_bits = frame_bits
        self._rest = np.empty(0, np.uint8)

    def add(self, frame: bytes) -> bytes:
        """Return the bytes that are complete with another frame."""
        if self._frame_bits % 8 == 0:
            return frame
        bits = np.frombuffer(frame, np.uint8)
        bits = np.unpackbits(bits, count=self._frame_bits, bitorder="little")
        bits = np.concatenate([self._rest, bits])
        whole = len(bits) // 8 * 8
        self._rest = bits[whole:]
        return np.packbits(bits[:whole], bitorder="little").tobytes()

    def flush(self) -> bytes:
        """Return the last byte, if it is not complete."""
        return np.packbits(self._rest, bitorder="little").tobytes()


def join_bits(frames: Iterable[bytes], pixel_format: PixelFormat) -> Iterator[bytes]:
    """Join one-bit frames without gaps; PS3.5 8.1.1."""
    joiner = _BitJoiner(pixel_format.frame_bits)
    for frame in frames:
        yield joiner.add(frame)
    yield joiner.flush()


class PixelDigest:
    """SHA-256 of decoded pixels as they would be in a native file."""

    def __init__(self, pixel_format: PixelFormat) -> None:
        self._format = replace(pixel_format, planar_configuration=0)
        self._hash = hashlib.sha256()
        self._joiner = _BitJoiner(pixel_format.frame_bits)

    def update(self, samples: NDArray[Any]) -> None:
        """Add a frame."""
        if self._format.bits_allocated == 1:
            self._hash.update(self._joiner.add(encode_native(samples, self._format)))
        else:
            little = samples.astype(samples.dtype.newbyteorder("<"), copy=False)
            self._hash.update(np.ascontiguousarray(little).data)

    def hexdigest(self) -> str:
        """Return the digest of all frames."""
        self._hash.update(self._joiner.flush())
        return self._hash.hexdigest()


def digest_all(frames: FrameReader) -> str:
    """Return the digest of all frames of a file."""
    digest = PixelDigest(frames.decoded_format)
    for samples in frames:
        digest.update(samples)
    return digest.hexdigest()
