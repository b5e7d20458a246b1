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


def join_bits(frames: Iterable[bytes], pixel_format: PixelFormat) -> Iterator[bytes]:
    """Join one-bit frames without gaps; PS3.5 8.1.1."""
    bits = pixel_format.frame_bits
    if bits % 8 == 0:
        yield from frames
        return
    whole = [
        np.unpackbits(np.frombuffer(frame, np.uint8), count=bits, bitorder="little")
        for frame in frames
    ]
    yield np.packbits(np.concatenate(whole), bitorder="little").tobytes()


class PixelDigest:
    """SHA-256 of decoded pixels as they would be in a native file."""

    def __init__(self, pixel_format: PixelFormat) -> None:
        self._format = replace(pixel_format, planar_configuration=0)
        self._hash = hashlib.sha256()
        self._bits: list[bytes] = []

    def update(self, samples: NDArray[Any]) -> None:
        """Add a frame."""
        if self._format.bits_allocated == 1:
            self._bits.append(encode_native(samples, self._format))
        else:
            little = samples.astype(samples.dtype.newbyteorder("<"), copy=False)
            self._hash.update(np.ascontiguousarray(little).data)

    def hexdigest(self) -> str:
        """Return the digest of all frames."""
        for chunk in join_bits(self._bits, self._format):
            self._hash.update(chunk)
        return self._hash.hexdigest()


def digest_all(frames: FrameReader) -> str:
    """Return the digest of all frames of a file."""
    digest = PixelDigest(frames.decoded_format)
    for samples in frames:
        digest.update(samples)
    return digest.hexdigest()
