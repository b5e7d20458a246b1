"""JPEG XL: lossless, lossy, and recompressed JPEG, by libjxl.

Not supported: animations, alpha, floating point samples.

Source
------
ISO/IEC 18181-1; PS3.5 8.2.15, A.4.14
"""

from __future__ import annotations

from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from imgconv.codecs.conform import min_precision, require_agreement, to_declared
from imgconv.codecs.encode import EncodeTask, find_largest_loss
from imgconv.codecs.frame import PixelFormat
from imgconv.codecs.streams import StreamHeader, has_jpegxl_frames, parse_jpegxl_size
from imgconv.errors import CorruptData, UnsupportedData

__all__ = ["decode", "encode", "pack_jpeg", "unpack_jpeg"]


def decode(data: bytes, pixel_format: PixelFormat, transfer_syntax_uid: str) -> NDArray[Any]:  # noqa: ARG001
    """Return the samples of one JPEG XL frame.

    Raises
    ------
    CorruptData
        The stream is damaged, or does not agree with the pixel format.
    """
    size = parse_jpegxl_size(data)
    if size != (pixel_format.rows, pixel_format.columns):
        raise CorruptData(
            f"a frame's codestream has rows, columns `{size[0]}, {size[1]}`; the data set says "
            f"({pixel_format.rows}, {pixel_format.columns})"
        )
    if has_jpegxl_frames(data):
        raise CorruptData("a frame's codestream is an animation, or has a preview")
    try:
        array = imagecodecs.jpegxl_decode(data, keeporientation=True)
    except (imagecodecs.JpegxlError, ValueError, RuntimeError) as error:
        raise CorruptData("a JPEG XL stream is damaged") from error
    samples = array.shape[2] if array.ndim == 3 else 1
    header = StreamHeader(array.shape[0], array.shape[1], samples, array.dtype.itemsize * 8)
    require_agreement(header, pixel_format)
    return to_declared(array, pixel_format)


def encode(samples: NDArray[Any], task: EncodeTask) -> bytes:
    """Return one JPEG XL codestream without a container: lossless if no quality is given."""
    target, options = task.target, task.options
    bits = min_precision(samples, target)

    def run(distance: float) -> bytes:
        return _run(samples, distance=distance, lossless=False, bits=bits, effort=options.effort)

    if options.quality is not None:
        return run(_distance(options.quality))
    if options.ratio is not None:
        limit = target.array_bytes / options.ratio
        return find_largest_loss(run, lambda data: len(data) <= limit, (25, 0.01))
    return _run(samples, distance=None, lossless=True, bits=bits, effort=options.effort)


def pack_jpeg(data: bytes) -> bytes:
    """Return a JPEG stream recompressed as JPEG XL, from which the same JPEG can be made again."""
    try:
        return bytes(imagecodecs.jpegxl_encode_jpeg(data, usecontainer=True))
    except (imagecodecs.JpegxlError, ValueError, RuntimeError) as error:
        raise UnsupportedData("a JPEG stream cannot be recompressed as JPEG XL") from error


def unpack_jpeg(data: bytes) -> bytes:
    """Return the JPEG stream that a JPEG XL file was made of."""
    try:
        return bytes(imagecodecs.jpegxl_decode_jpeg(data, numthreads=1))
    except (imagecodecs.JpegxlError, ValueError, RuntimeError) as error:
        raise CorruptData("a JPEG XL stream holds no recompressed JPEG") from error


def _distance(quality: int) -> float:
    """Return libjxl's distance for a quality of libjpeg's scale; its own mapping."""
    if quality >= 100:
        return 0.05
    if quality >= 30:
        return 0.1 + (100 - quality) * 0.09
    return 53 / 3000 * quality * quality - 23 / 20 * quality + 25


def _run(
    samples: NDArray[Any], *, distance: float | None, lossless: bool, bits: int, effort: int
) -> bytes:
    try:
        return bytes(
            imagecodecs.jpegxl_encode(
                np.ascontiguousarray(samples),
                distance=distance,
                lossless=lossless,
                bitspersample=bits,
                effort=effort,
                usecontainer=False,
                numthreads=1,
            )
        )
    except (imagecodecs.JpegxlError, ValueError, RuntimeError) as error:
        raise UnsupportedData("the JPEG XL encoder refuses a frame") from error
