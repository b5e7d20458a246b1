"""JPEG 2000 Part 1 by OpenJPEG and HTJ2K (Part 15) by OpenJPH.

The component transforms that belong to the codestream (RCT, ICT) are undone.
JP2 boxes around a codestream, which the standard forbids, are skipped.
Not supported: Part 2 multi-component transforms.

Source
------
ISO/IEC 15444-1, 15444-15; PS3.5 8.2.4, 8.2.14, A.4.4, A.4.12
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from imgconv.codecs.conform import min_precision, require_agreement, require_end, to_declared
from imgconv.codecs.encode import EncodeTask, find_largest_loss, rms_error
from imgconv.codecs.frame import PixelFormat
from imgconv.codecs.streams import StreamHeader, find_codestream, parse_jpeg2000_header
from imgconv.codecs.unraisable import raise_swallowed
from imgconv.errors import CorruptData, UnsupportedData

__all__ = ["decode", "decode_htj2k", "encode", "encode_htj2k"]

# OpenJPEG takes some hundred bytes for each code block, even for those without a byte.
_FEW_BLOCKS = 1 << 18
# Beyond, OpenJPEG's reversible path was measured to be wrong: random extremes of 24 bits.
_MAX_OPENJPEG_BITS = 23
# How much more OpenJPEG is asked for than it misses: 2 dB were measured, 5 for 8 bits above 50 dB.
_PSNR_MARGIN = 30
_PSNR_STEPS = 7
_COARSEST_STEP = 0.9  # of the quantizer, as a part of the range
# The finest step is that part of a sample's unit. Below, OpenJPH was measured to take a
# coarse one: its exponents end there.
_FINEST_PART = 1 / 16


def decode(data: bytes, pixel_format: PixelFormat, transfer_syntax_uid: str) -> NDArray[Any]:  # noqa: ARG001
    """Return the samples of one JPEG 2000 frame.

    Raises
    ------
    CorruptData
        The stream is damaged, or does not agree with the pixel format.
    """
    return _decode(data, pixel_format, imagecodecs.jpeg2k_decode, imagecodecs.Jpeg2kError)


def decode_htj2k(data: bytes, pixel_format: PixelFormat, transfer_syntax_uid: str) -> NDArray[Any]:  # noqa: ARG001
    """Return the samples of one HTJ2K frame.

    Raises
    ------
    CorruptData
        The stream is damaged, or does not agree with the pixel format.
    """
    return _decode(
        data, pixel_format, partial(imagecodecs.htj2k_decode, planar=False), imagecodecs.Htj2kError
    )


def _decode(
    data: bytes,
    pixel_format: PixelFormat,
    decoder: Callable[[bytes], NDArray[Any]],
    failure: type[Exception],
) -> NDArray[Any]:
    header = parse_jpeg2000_header(data)
    require_agreement(header, pixel_format)
    _require_plausible_blocks(header, len(data))
    if header.high_throughput:  # OpenJPEG notices by itself
        require_end(data)
    if header.subsampled:
        raise UnsupportedData("a JPEG 2000 codestream with subsampled components is not supported")
    start = find_codestream(data)
    try:
        with raise_swallowed():
            array = decoder(data[start:] if start else data)
    except (failure, ValueError, RuntimeError) as error:
        raise CorruptData("a JPEG 2000 codestream is damaged") from error
    return to_declared(array, pixel_format)


def _require_plausible_blocks(header: StreamHeader, size: int) -> None:
    """Raise if an image is cut into so many blocks that their bookkeeping would fill the memory."""
    pixels = header.rows * header.columns * header.samples_per_pixel
    blocks = pixels // (header.block_pixels or 1)
    if header.block_pixels and blocks > _FEW_BLOCKS and blocks > 2 * size:
        raise CorruptData(f"a codestream of `{size}` bytes cannot hold {blocks} code blocks")


def encode(samples: NDArray[Any], task: EncodeTask) -> bytes:
    """Return one JPEG 2000 frame: reversible if no quality is given.

    The precision is Bits Stored where no sample is beyond it and all are
    unsigned, or there is no other that OpenJPEG can code; else Bits Allocated.
    """
    target, options = task.target, task.options
    bits = target.bits_allocated
    if not target.signed:
        bits = min_precision(samples, target)
    elif bits > _MAX_OPENJPEG_BITS and _is_within(samples, target.bits_stored):
        bits = target.bits_stored
    if bits > _MAX_OPENJPEG_BITS:
        raise UnsupportedData(
            f"OpenJPEG is not exact for `{bits}` bits a sample", hint="choose `--to htj2k`"
        )
    mct = target.photometric_interpretation in ("YBR_RCT", "YBR_ICT")

    def run(level: float, *, reversible: bool) -> bytes:
        return _run(
            imagecodecs.jpeg2k_encode,
            samples,
            level=level,
            codecformat="J2K",
            reversible=reversible,
            mct=mct,
            bitspersample=bits,
            resolutions=_decompositions(target) + 1,
        )

    if options.psnr is not None:
        return _at_least(options.psnr, partial(run, reversible=False), samples, bits)
    if options.ratio is None:
        return run(0, reversible=True)
    limit = target.array_bytes / options.ratio
    return find_largest_loss(
        lambda level: run(level, reversible=False), lambda data: len(data) <= limit, (1, 150)
    )


def _is_within(samples: NDArray[Any], bits: int) -> bool:
    """Whether signed samples need no more than `bits`."""
    half = 1 << (bits - 1)
    return bool(samples.size) and int(samples.min()) >= -half and int(samples.max()) < half


def _at_least(
    psnr: float, run: Callable[[float], bytes], samples: NDArray[Any], bits: int
) -> bytes:
    """Return the smallest result with that PSNR: what OpenJPEG aims at, it may miss."""
    largest = _largest_error(psnr, bits)

    def accept(data: bytes) -> bool:
        return rms_error(imagecodecs.jpeg2k_decode(data), samples) <= largest

    data = run(psnr)
    if accept(data):
        return data
    return find_largest_loss(run, accept, (psnr + _PSNR_MARGIN, psnr), steps=_PSNR_STEPS)


def _largest_error(psnr: float, bits: int) -> float:
    """Return the root mean square error that a PSNR allows; the peak is the codestream's range."""
    return float((2.0**bits - 1) / 10 ** (psnr / 20))


def encode_htj2k(samples: NDArray[Any], task: EncodeTask) -> bytes:
    """Return one HTJ2K frame, in RPCL order: reversible if no quality is given.

    With the RPCL options (.202) each resolution is a tile-part of its own, and
    the main header says how long they are (TLM).
    """
    target, options = task.target, task.options
    with_table = task.transfer_syntax_uid.endswith(".202")
    transform = target.photometric_interpretation in ("YBR_RCT", "YBR_ICT")

    def run(step: float | None) -> bytes:
        return _run(
            imagecodecs.htj2k_encode,
            samples,
            level=step,
            reversible=step is None,
            rgb=transform if target.samples_per_pixel == 3 else None,
            tlm=with_table,
            tilepart=imagecodecs.HTJ2K.TILEPART.RESOLUTIONS if with_table else None,
            resolutions=_decompositions(target),
        )

    finest = _FINEST_PART / 2.0**target.bits_allocated
    if options.ratio is not None:
        limit = target.array_bytes / options.ratio
        return find_largest_loss(run, lambda data: len(data) <= limit, (_COARSEST_STEP, finest))
    if options.psnr is None:
        return run(None)
    largest = _largest_error(options.psnr, target.bits_allocated)
    return find_largest_loss(
        run,
        lambda data: rms_error(imagecodecs.htj2k_decode(data, planar=False), samples) <= largest,
        (finest, _COARSEST_STEP),
    )


def _decompositions(target: PixelFormat) -> int:
    """Return the number of decompositions: five, fewer where an image is too small."""
    return max(0, min(5, min(target.rows, target.columns).bit_length() - 1))


def _run(encoder: Callable[..., Any], samples: NDArray[Any], **options: Any) -> bytes:
    try:
        with raise_swallowed():
            return bytes(encoder(np.ascontiguousarray(samples), **options))
    except (imagecodecs.Jpeg2kError, imagecodecs.Htj2kError, ValueError, RuntimeError) as error:
        raise UnsupportedData("the JPEG 2000 encoder refuses a frame") from error
