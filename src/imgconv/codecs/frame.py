"""One frame as bytes and as samples: the pixel format, and how frames are packed natively.

`PixelFormat` is what a codec knows of a data set: the attributes of the Image
Pixel Module that say how samples are laid out, and nothing else.

Source
------
PS3.3 C.7.6.3 (Image Pixel Module); PS3.5 8.1, 8.2 (encoding of pixel data)
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import CorruptData, UnsupportedData
from imgconv.records import record

__all__ = [
    "MAX_FRAME_BYTES",
    "Frame",
    "PixelFormat",
    "decode_native",
    "encode_native",
    "significant",
]

# One decoded frame is held in memory at once. The largest frames of scanners (digital
# radiography, whole slide overviews) have some 100 MB; more is taken for a hostile header.
MAX_FRAME_BYTES = 1 << 30

# 4 is of ARGB and CMYK, which are retired; 2 is never defined, but can be carried all the same.
_MAX_SAMPLES = 4

# Samples a pixel where chroma is stored for every second column; PS3.3 C.7.6.3.1.2
_SUBSAMPLED = {"YBR_FULL_422": 2, "YBR_PARTIAL_422": 2}


@record
class PixelFormat:
    """How the samples of one frame are laid out.

    Parameters
    ----------
    rows, columns
        Size of a frame, in pixels.
    samples_per_pixel
        1 or 3.
    bits_allocated, bits_stored, high_bit
        As in the data set; 32 or 64 bits allocated for floating point.
    signed
        Pixel Representation is 1.
    photometric_interpretation
        Of the samples *as they are stored in this encoding*.
    planar_configuration
        0: colour by pixel; 1: colour by plane. Only of native (and, by
        definition, RLE) data; meaningless for one sample.
    floating
        Samples are IEEE floats: Float or Double Float Pixel Data.

    Raises
    ------
    CorruptData
        The attributes contradict each other, or describe no image.
    UnsupportedData
        A frame would be larger than `MAX_FRAME_BYTES`.
    """

    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    signed: bool = False
    samples_per_pixel: int = 1
    photometric_interpretation: str = "MONOCHROME2"
    planar_configuration: int = 0
    high_bit: int | None = None
    floating: bool = False

    def __post_init__(self) -> None:
        if self.rows < 1 or self.columns < 1:
            raise CorruptData(f"an image has `{self.rows}` rows and `{self.columns}` columns")
        if not 1 <= self.samples_per_pixel <= _MAX_SAMPLES:
            raise CorruptData(f"Samples per Pixel is `{self.samples_per_pixel}`; expected 1 or 3")
        if self.bits_allocated not in (1, 8, 16, 32, 64):
            raise UnsupportedData(
                f"Bits Allocated is `{self.bits_allocated}`; supported are 1, 8, 16, 32 and 64"
            )
        if not 1 <= self.bits_stored <= self.bits_allocated:
            raise CorruptData(
                f"Bits Stored is `{self.bits_stored}` with `{self.bits_allocated}` allocated"
            )
        if self.high_bit is None:
            object.__setattr__(self, "high_bit", self.bits_stored - 1)
        if self.array_bytes > MAX_FRAME_BYTES:
            raise UnsupportedData(
                f"a frame of {self.rows} x {self.columns} pixels takes {self.array_bytes} bytes; "
                f"the limit is {MAX_FRAME_BYTES}"
            )

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of a decoded sample, native byte order."""
        size = max(1, self.bits_allocated // 8)
        is_signed = self.signed and self.bits_allocated > 1  # a bit has no room for a sign
        kind = "f" if self.floating else "i" if is_signed else "u"
        return np.dtype(f"{kind}{size}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a decoded frame: ``(j, i)``, or ``(j, i, c)`` for several samples."""
        if self.samples_per_pixel == 1:
            return (self.rows, self.columns)
        return (self.rows, self.columns, self.samples_per_pixel)

    @property
    def array_bytes(self) -> int:
        """Size of a decoded frame in memory."""
        pixels = self.rows * self.columns * self.samples_per_pixel
        return pixels * max(1, self.bits_allocated // 8)

    @property
    def frame_bits(self) -> int:
        """Size of a native frame in a file, in bits; 1-bit frames need not end on a byte."""
        samples = self.samples_per_pixel
        if self.is_subsampled:
            samples = _SUBSAMPLED[self.photometric_interpretation]
        return self.rows * self.columns * samples * self.bits_allocated

    @property
    def frame_bytes(self) -> int:
        """Size of a native frame in a file, in bytes, rounded up."""
        return (self.frame_bits + 7) // 8

    @property
    def is_subsampled(self) -> bool:
        """Whether chroma has half the columns when stored natively (4:2:2)."""
        return self.samples_per_pixel == 3 and self.photometric_interpretation in _SUBSAMPLED

    @property
    def decoded(self) -> PixelFormat:
        """The format of the array that decoding gives.

        Colour by pixel, chroma at full resolution; reversible and irreversible
        transforms of JPEG 2000 are undone, since they are part of the codestream.
        YBR_FULL stays YBR_FULL: no other colour transform is ever applied.
        """
        names = {"YBR_RCT": "RGB", "YBR_ICT": "RGB", "XYB": "RGB", "YBR_FULL_422": "YBR_FULL"}
        name = names.get(self.photometric_interpretation, self.photometric_interpretation)
        return replace(self, photometric_interpretation=name, planar_configuration=0)


@record(eq=False)
class Frame:
    """A frame's samples ``(j, i)`` or ``(j, i, c)`` with the format that they are in."""

    samples: NDArray[Any]
    pixel_format: PixelFormat


def decode_native(
    data: bytes | memoryview, pixel_format: PixelFormat, *, big_endian: bool = False
) -> NDArray[Any]:
    """Return the samples of one uncompressed frame; may be a read-only view of `data`.

    Chroma of 4:2:2 is repeated, which loses nothing. One-bit frames begin at
    the lowest bit of the first byte.

    Parameters
    ----------
    data
        The frame's bytes; padding after them is ignored.

    Raises
    ------
    CorruptData
        There are fewer bytes than the frame needs.

    Source
    ------
    PS3.5 8.1.1, 8.2.1; PS3.3 C.7.6.3.1.2 (order of 4:2:2 samples)
    """
    needed = pixel_format.frame_bytes
    if len(data) < needed:
        raise CorruptData(f"a frame has `{len(data)}` bytes; expected {needed}")
    if pixel_format.bits_allocated == 1:
        return _unpack_bits(data, pixel_format)
    dtype = pixel_format.dtype.newbyteorder(">" if big_endian else "<")
    flat = np.frombuffer(data, dtype, count=needed // dtype.itemsize)
    if not dtype.isnative:
        flat = flat.astype(pixel_format.dtype)
    if pixel_format.is_subsampled:
        return _repeat_chroma(flat, pixel_format)
    if pixel_format.samples_per_pixel > 1 and pixel_format.planar_configuration == 1:
        planes = flat.reshape(
            pixel_format.samples_per_pixel, pixel_format.rows, pixel_format.columns
        )
        return np.ascontiguousarray(planes.transpose(1, 2, 0))
    return flat.reshape(pixel_format.shape)


def encode_native(
    samples: NDArray[Any], pixel_format: PixelFormat, *, big_endian: bool = False
) -> bytes:
    """Return one frame as uncompressed bytes, without padding to even length.

    `pixel_format` describes what is wanted: planar configuration 1 gives
    planes, 4:2:2 drops every second chroma sample (the reverse of what
    `decode_native` does).

    Source
    ------
    PS3.5 8.1.1, 8.2.1
    """
    if pixel_format.bits_allocated == 1:
        return np.packbits(samples.reshape(-1) != 0, bitorder="little").tobytes()
    array = samples.astype(pixel_format.dtype.newbyteorder(">" if big_endian else "<"), copy=False)
    if pixel_format.is_subsampled:
        pairs = array.reshape(pixel_format.rows, pixel_format.columns // 2, 2, 3)
        packed = np.stack(
            [pairs[:, :, 0, 0], pairs[:, :, 1, 0], pairs[:, :, 0, 1], pairs[:, :, 0, 2]], axis=-1
        )
        return packed.tobytes()
    if pixel_format.samples_per_pixel > 1 and pixel_format.planar_configuration == 1:
        return np.ascontiguousarray(array.transpose(2, 0, 1)).tobytes()
    return array.tobytes()


def significant(samples: NDArray[Any], pixel_format: PixelFormat) -> NDArray[Any]:
    """Return the values that samples mean: their Bits Stored bits up to High Bit, sign extended.

    Bits outside of these may hold a retired overlay, or the sign, or zeros,
    whatever the sign is. Returns `samples` itself if that changes nothing.

    Source
    ------
    PS3.5 8.1.1; PS3.3 C.7.6.3.1.2
    """
    unused = pixel_format.bits_allocated - pixel_format.bits_stored
    if pixel_format.floating or pixel_format.bits_allocated == 1 or not unused:
        return samples
    high_bit = (
        pixel_format.bits_stored - 1 if pixel_format.high_bit is None else pixel_format.high_bit
    )
    above = pixel_format.bits_allocated - 1 - min(high_bit, pixel_format.bits_allocated - 1)
    if above == unused and _are_clean(samples, pixel_format.bits_stored):
        return samples
    # The right shift is arithmetic for signed types, logical for unsigned ones.
    result: NDArray[Any] = (samples << above) >> unused
    return result


def _are_clean(samples: NDArray[Any], bits: int) -> bool:
    """Whether all samples fit into `bits`: looking costs a tenth of shifting."""
    if samples.size == 0:
        return True
    if samples.dtype.kind == "u":
        return int(samples.max()) >> bits == 0
    half = 1 << (bits - 1)
    return int(samples.min()) >= -half and int(samples.max()) < half


def _unpack_bits(data: bytes | memoryview, pixel_format: PixelFormat) -> NDArray[np.uint8]:
    count = pixel_format.frame_bits
    packed = np.frombuffer(data, np.uint8, count=pixel_format.frame_bytes)
    return np.unpackbits(packed, count=count, bitorder="little").reshape(pixel_format.shape)


def _repeat_chroma(flat: NDArray[Any], pixel_format: PixelFormat) -> NDArray[Any]:
    if pixel_format.columns % 2:
        raise CorruptData(f"4:2:2 data with an odd number of columns, `{pixel_format.columns}`")
    quads = flat.reshape(pixel_format.rows, pixel_format.columns // 2, 4)  # Y1 Y2 Cb Cr
    out = np.empty(pixel_format.shape, flat.dtype)
    out[:, 0::2, 0] = quads[:, :, 0]
    out[:, 1::2, 0] = quads[:, :, 1]
    out[:, :, 1] = quads[:, :, 2].repeat(2, axis=1)
    out[:, :, 2] = quads[:, :, 3].repeat(2, axis=1)
    return out
