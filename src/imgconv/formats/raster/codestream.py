"""Read JPEG 2000 (HTJ2K included), JPEG-LS and JPEG XL files.

Each keeps its own codestream for DICOM, without the boxes of JP2, which
DICOM does not allow. Not supported: JP2 palettes, opacity channels and colour
spaces other than gray, sRGB and ICC; subsampled components; animations.

Source: ISO/IEC 15444-1 and -15, 14495-1, 18181-1 and -2; PS3.5 8.2, A.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from imgconv.codecs.streams import (
    StreamHeader,
    find_codestream,
    parse_jpeg2000_header,
    parse_jpeg_header,
)
from imgconv.core.image import Image
from imgconv.core.options import ReadOptions
from imgconv.errors import CorruptData, UnsupportedData
from imgconv.formats.raster.jxl_size import parse_jpegxl_size
from imgconv.formats.raster.page import Page, read_file, require_size, to_images

__all__ = ["read_jpeg2000", "read_jpegls", "read_jpegxl"]

_JPEG_LS = 0xF7
_END = b"\xff\xd9"  # EOI of JPEG-LS, EOC of JPEG 2000
_SPIFF = b"SPIFF\0"
_SPIFF_END = b"\xff\xe8\x00\x08\x00\x00\x00\x01\xff\xd8"
_SRGB, _GRAY = 16, 17  # EnumCS; 15444-1 table I.10
_JXL_CODESTREAM = b"\xff\x0a"
_PHOTOMETRIC = {1: "MONOCHROME2", 3: "RGB", 4: "RGBA"}


def read_jpeg2000(source: Path, options: ReadOptions) -> Iterator[Image]:
    """Yield the picture of a JP2, JPH or bare codestream file.

    Raises
    ------
    CorruptData, UnsupportedData
        It is damaged, hostile, or of a kind that is not read.
    """
    yield from _read(source, options, _read_jpeg2000)


def read_jpegls(source: Path, options: ReadOptions) -> Iterator[Image]:
    """Yield the picture of a JPEG-LS file.

    Raises
    ------
    CorruptData, UnsupportedData
        It is damaged, hostile, or of a kind that is not read.
    """
    yield from _read(source, options, _read_jpegls)


def read_jpegxl(source: Path, options: ReadOptions) -> Iterator[Image]:
    """Yield the picture of a JPEG XL file or codestream.

    Raises
    ------
    CorruptData, UnsupportedData
        It is damaged, hostile, or of a kind that is not read.
    """
    yield from _read(source, options, _read_jpegxl)


def _read(source: Path, options: ReadOptions, read_page: Any) -> Iterator[Image]:
    data = read_file(source)
    try:
        page = read_page(data, options)
    except (CorruptData, UnsupportedData) as error:
        raise error.with_path(source) from error
    yield from to_images([page], source)


def _read_jpeg2000(data: bytes, options: ReadOptions) -> Page:
    header = parse_jpeg2000_header(data)
    _require_plain(header)
    start = find_codestream(data)
    profile = _parse_boxes(data[:start], header.samples_per_pixel) if start else b""
    stream = data[start:]
    end = stream.rfind(_END)  # boxes may follow
    if end < 0:
        raise CorruptData("the JPEG 2000 codestream has no end; the file is truncated")
    stream = stream[: end + 2]
    _require_size(header, len(data), options)
    return _page(_decode("jpeg2k_decode", stream), header, stream, profile)


def _read_jpegls(data: bytes, options: ReadOptions) -> Page:
    header = parse_jpeg_header(data)
    if header.process != _JPEG_LS:
        raise CorruptData(f"a JPEG with process `{header.process:#x}` is no JPEG-LS")
    _require_plain(header)
    _require_size(header, len(data), options)
    # CharLS takes half a minute to find out that a short stream has no end.
    end = data.rfind(_END)
    if end < 0:
        raise CorruptData("the JPEG-LS stream has no end; the file is truncated")
    stream = data[_start_behind_spiff(data) : end + 2]
    return _page(_decode("jpegls_decode", stream), header, stream)


def _start_behind_spiff(data: bytes) -> int:
    """Return where the stream begins without a SPIFF directory, whose last entry is an SOI marker.

    Source: ISO/IEC 10918-3 Annex F
    """
    last = data.find(_SPIFF_END) if data[6:12] == _SPIFF else -1
    return 0 if last < 0 else last + len(_SPIFF_END) - 2


def _read_jpegxl(data: bytes, options: ReadOptions) -> Page:
    columns, rows = parse_jpegxl_size(data)
    # Up to four samples of 16 bits; what they are is known after decoding only.
    require_size(columns, rows, bytes_per_pixel=8, file_bytes=len(data), options=options)
    samples = _decode("jpegxl_decode", data)
    header = StreamHeader(
        rows=samples.shape[0],
        columns=samples.shape[1],
        samples_per_pixel=1 if samples.ndim == 2 else samples.shape[-1],
        precision=8 * samples.dtype.itemsize,
    )
    return _page(samples, header, data if data.startswith(_JXL_CODESTREAM) else b"")


def _require_plain(header: StreamHeader) -> None:
    if header.samples_per_pixel not in _PHOTOMETRIC or header.subsampled:
        raise UnsupportedData(
            f"{header.samples_per_pixel} components"
            f"{', subsampled,' if header.subsampled else ''} are not read; expected 1, 3 or 4"
        )


def _require_size(header: StreamHeader, file_bytes: int, options: ReadOptions) -> None:
    require_size(
        header.columns,
        header.rows,
        bytes_per_pixel=header.samples_per_pixel * (1 if header.precision <= 8 else 2),
        file_bytes=file_bytes,
        options=options,
    )


def _page(samples: NDArray[Any], header: StreamHeader, stream: bytes, profile: bytes = b"") -> Page:
    if samples.ndim == 3 and samples.shape[2] == 1:
        samples = samples[..., 0]
    count = 1 if samples.ndim == 2 else samples.shape[-1]
    if samples.ndim not in (2, 3) or samples.shape[:2] != (header.rows, header.columns):
        raise UnsupportedData("more than one picture in the file is not read")
    if count not in _PHOTOMETRIC and count != 2:
        raise UnsupportedData(f"{count} samples per pixel are not read")
    return Page(
        samples,
        _PHOTOMETRIC.get(count, "MONOCHROME2"),
        bits_stored=header.precision if samples.dtype.kind in "ui" else None,
        icc_profile=profile,
        codestream=stream,
    )


def _decode(name: str, data: bytes) -> NDArray[Any]:
    import imagecodecs

    try:
        samples: NDArray[Any] = getattr(imagecodecs, name)(data)
    except (RuntimeError, ValueError, OverflowError, MemoryError) as error:
        raise CorruptData("the picture cannot be decoded; it is truncated or damaged") from error
    return samples


def _parse_boxes(head: bytes, components: int) -> bytes:
    """Return the ICC profile of a JP2 header; refuse what would need more than the samples."""
    for kind in (b"pclr", b"cdef"):
        if kind in head and (kind == b"pclr" or components == 4):
            raise UnsupportedData(f"a JP2 file with a `{kind.decode()}` box is not read")
    at = head.find(b"colr")
    if at < 4 or at + 11 > len(head):
        return b""
    length = int.from_bytes(head[at - 4 : at], "big")
    if head[at + 4] == 1:
        space = int.from_bytes(head[at + 7 : at + 11], "big")
        if space not in (_SRGB, _GRAY):
            raise UnsupportedData(f"the JP2 colour space `{space}` is not read")
        return b""
    return head[at + 7 : at - 4 + length]
