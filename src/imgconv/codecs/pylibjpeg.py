"""Second decoders, by the libraries of pylibjpeg: libjpeg (Thomas Richter), OpenJPEG, a Rust RLE.

They share no code with the first choice, so `--verify full` means something;
`--codec FAMILY=pylibjpeg` makes them the decoder. They hold the interpreter's
lock. Not supported: what `codecs.jpeg` and its neighbours do not support.

Source
------
As the modules of the families
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.codecs.conform import require_agreement, require_end, to_declared
from imgconv.codecs.frame import PixelFormat
from imgconv.codecs.streams import (
    StreamHeader,
    find_codestream,
    parse_jpeg2000_header,
    parse_jpeg_header,
)
from imgconv.errors import CorruptData, MissingExtra

__all__ = ["decode_jpeg", "decode_jpeg2000", "decode_rle"]


def decode_jpeg(data: bytes, pixel_format: PixelFormat, transfer_syntax_uid: str) -> NDArray[Any]:  # noqa: ARG001
    """Return the components of one JPEG or JPEG-LS frame, colour not converted.

    Raises
    ------
    CorruptData
        The stream is damaged, or does not agree with the pixel format.
    """
    try:
        from libjpeg import decode
    except ImportError as error:
        raise _missing("pylibjpeg-libjpeg") from error
    return _decode(partial(decode, colour_transform=0), data, parse_jpeg_header(data), pixel_format)


def decode_jpeg2000(
    data: bytes,
    pixel_format: PixelFormat,
    transfer_syntax_uid: str,  # noqa: ARG001
) -> NDArray[Any]:
    """Return the samples of one JPEG 2000 or HTJ2K frame.

    Raises
    ------
    CorruptData
        The stream is damaged, or does not agree with the pixel format.
    """
    try:
        from openjpeg import decode
    except ImportError as error:
        raise _missing("pylibjpeg-openjpeg") from error
    start = find_codestream(data)
    return _decode(
        partial(decode, j2k_format=0), data[start:], parse_jpeg2000_header(data), pixel_format
    )


def decode_rle(data: bytes, pixel_format: PixelFormat, transfer_syntax_uid: str) -> NDArray[Any]:  # noqa: ARG001
    """Return the samples of one RLE frame.

    Raises
    ------
    CorruptData
        The frame is damaged.
    """
    try:
        from rle.rle import decode_frame
    except ImportError as error:
        raise _missing("pylibjpeg-rle") from error
    pixels = pixel_format.rows * pixel_format.columns
    try:
        planes = decode_frame(data, pixels, pixel_format.bits_allocated, "<")
    except (ValueError, RuntimeError, IndexError) as error:
        raise CorruptData("an RLE frame is damaged") from error
    little = np.frombuffer(bytes(planes), pixel_format.dtype.newbyteorder("<"))
    samples = little.reshape(
        pixel_format.samples_per_pixel, pixel_format.rows, pixel_format.columns
    )
    array = np.ascontiguousarray(samples.transpose(1, 2, 0)).reshape(pixel_format.shape)
    return array.astype(pixel_format.dtype, copy=False)


def _decode(
    decoder: Callable[[bytes], NDArray[Any]],
    data: bytes,
    header: StreamHeader,
    pixel_format: PixelFormat,
) -> NDArray[Any]:
    require_agreement(header, pixel_format)
    if header.process or header.high_throughput:  # OpenJPEG notices by itself, as in `jpeg2000`
        require_end(data)
    try:
        array = decoder(data)
    except (ValueError, RuntimeError, TypeError) as error:
        raise CorruptData("a codestream is damaged") from error
    return to_declared(array, pixel_format)


def _missing(package: str) -> MissingExtra:
    return MissingExtra(f"`{package}` is not installed", hint=f"pip install {package}")
