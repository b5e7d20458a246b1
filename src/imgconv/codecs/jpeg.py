"""JPEG with DCT (baseline, extended 8 and 12 bits, progressive) and lossless JPEG.

Components are returned as they are coded: YCbCr is not converted to RGB.
Not supported: arithmetic coding with 12 bits, hierarchical processes, CMYK.

Source
------
ISO/IEC 10918-1; PS3.5 8.2.1, A.4.1, A.4.2
"""

from __future__ import annotations

from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from imgconv.codecs.conform import min_precision, require_agreement, require_end, to_declared
from imgconv.codecs.encode import EncodeTask
from imgconv.codecs.frame import PixelFormat
from imgconv.codecs.streams import parse_jpeg_header
from imgconv.errors import CorruptData, UnsupportedData

__all__ = ["decode", "encode", "encode_lossless"]

_MAX_12_BITS = 4095
_PROCESSES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA}
# The least that a coded block or sample can take bounds what a stream of some length can hold:
# a DCT block of 64 samples has two Huffman codes of at least one bit, a lossless sample has one.
_SAMPLES_A_BYTE = {0xC3: 8}
_SCAN = b"\xff\xda"
# Each scan may go over the whole image, and take only some bytes. Progressive encoders write 10.
_MOST_SCANS = 200
_SAMPLES_A_BYTE_DCT = 64 * 4 * 64  # progressive blocks and end-of-band runs take far less


def decode(data: bytes, pixel_format: PixelFormat, transfer_syntax_uid: str) -> NDArray[Any]:  # noqa: ARG001
    """Return the components of one JPEG frame, chroma upsampled, colour not converted.

    Raises
    ------
    CorruptData
        The stream is damaged, or does not agree with the pixel format.
    UnsupportedData
        The JPEG process is not supported.
    """
    header = parse_jpeg_header(data)
    if header.process not in _PROCESSES:
        raise UnsupportedData(f"JPEG process SOF{header.process & 15} is not supported")
    require_agreement(header, pixel_format)
    require_end(data)
    samples = pixel_format.rows * pixel_format.columns * pixel_format.samples_per_pixel
    if samples > len(data) * _SAMPLES_A_BYTE.get(header.process, _SAMPLES_A_BYTE_DCT):
        raise CorruptData(f"a JPEG stream of `{len(data)}` bytes cannot hold {samples} samples")
    if (scans := data.count(_SCAN)) > _MOST_SCANS:
        raise CorruptData(f"a JPEG stream has `{scans}` scans; it is taken for hostile")
    # Naming the same colour space on both sides keeps the components as they are.
    space = "YCBCR" if header.samples_per_pixel == 3 else None
    try:
        array = imagecodecs.jpeg8_decode(data, colorspace=space, outcolorspace=space)
    except (imagecodecs.Jpeg8Error, ValueError, RuntimeError) as error:
        raise CorruptData("a JPEG stream is damaged") from error
    return to_declared(array, pixel_format)


def encode(samples: NDArray[Any], task: EncodeTask) -> bytes:
    """Return one baseline (8 bits) or extended (12 bits) JPEG frame.

    RGB and YBR_FULL samples are coded as YCbCr with chroma halved in columns.

    Raises
    ------
    UnsupportedData
        A sample is beyond 12 bits.
    """
    target, quality = task.target, task.options.quality
    if task.transfer_syntax_uid.endswith(".51"):
        if samples.size and int(samples.max()) > _MAX_12_BITS:  # libjpeg does not check
            raise UnsupportedData("a sample is beyond the 12 bits of JPEG Extended")
        return _run(samples, level=quality, bitspersample=12)
    if target.samples_per_pixel == 1:
        return _run(samples, level=quality)
    space = "YCBCR" if task.source.photometric_interpretation == "YBR_FULL" else "RGB"
    return _run(
        samples,
        level=quality,
        colorspace=space,
        outcolorspace="YCBCR",
        subsampling="422",
    )


def encode_lossless(samples: NDArray[Any], task: EncodeTask) -> bytes:
    """Return one lossless JPEG frame with predictor 1, which suits Process 14 and its SV1.

    The precision is Bits Stored where no sample is beyond it, else Bits Allocated.
    """
    target = task.target
    unsigned = np.ascontiguousarray(samples).view(np.dtype(f"u{target.dtype.itemsize}"))
    bits = min_precision(unsigned, target)
    if target.samples_per_pixel == 1:
        return _run(unsigned, lossless=True, predictor=1, bitspersample=bits)
    return _run(
        unsigned,
        lossless=True,
        predictor=1,
        bitspersample=bits,
        colorspace="RGB",
        outcolorspace="RGB",
    )


def _run(samples: NDArray[Any], **options: Any) -> bytes:
    try:
        return bytes(imagecodecs.jpeg8_encode(np.ascontiguousarray(samples), **options))
    except (imagecodecs.Jpeg8Error, ValueError) as error:
        raise UnsupportedData("the JPEG encoder refuses a frame") from error
