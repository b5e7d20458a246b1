"""Read JPEG and write it: baseline and progressive, lossless processes, 8 to 16 bits.

A JPEG that DICOM can hold as it is keeps its own codestream (`Image.codestreams`).
EXIF orientation is applied, an ICC profile is kept, other EXIF data is neither
read nor told. CMYK is converted to sRGB with a report: through its embedded
profile, or else by approximation, which is refused unless allowed.
Not supported: arithmetic coding, hierarchical processes.

Source: ISO/IEC 10918-1 (JPEG), 10918-6 (Adobe marker), JFIF 1.02, EXIF 2.32.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.codecs.streams import StreamHeader, parse_jpeg_header
from imgconv.core.image import Image
from imgconv.core.options import ReadOptions
from imgconv.errors import CorruptData, UnsupportedData
from imgconv.formats.raster.colour import cmyk_to_rgb
from imgconv.formats.raster.exif import exif_orientation
from imgconv.formats.raster.page import Page, read_file, require_size, to_images
from imgconv.formats.raster.pillow import translated_errors

__all__ = ["read"]

_SEQUENTIAL = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive; Huffman coded
_LOSSLESS = {0xC3}
_END = b"\xff\xd9"
# DICOM has no transfer syntax in force for progressive JPEG: PS3.5 10.
_IN_DICOM = {0xC0, 0xC1, 0xC3}


def read(source: Path, options: ReadOptions) -> Iterator[Image]:
    """Yield the picture.

    Raises
    ------
    CorruptData
        The file is truncated or damaged, or its size is hostile.
    UnsupportedData
        A process or colour space that is not read.
    """
    data = read_file(source)
    try:
        page = _read_page(data, options)
    except (CorruptData, UnsupportedData) as error:
        raise error.with_path(source) from error
    yield from to_images([page], source)


def _read_page(data: bytes, options: ReadOptions) -> Page:
    header = parse_jpeg_header(data)
    require_size(
        header.columns,
        header.rows,
        bytes_per_pixel=max(1, header.samples_per_pixel) * (1 if header.precision <= 8 else 2),
        file_bytes=len(data),
        options=options,
    )
    if header.process in _SEQUENTIAL and header.precision == 8:
        return _read_common(data, header)
    if header.process in _LOSSLESS:
        return _read_lossless(data, header)
    raise UnsupportedData(
        f"a JPEG with process `{header.process:#x}` and {header.precision} bits is not read",
        hint="decode it with the program that made it, and save it as PNG or TIFF",
    )


def _read_common(data: bytes, header: StreamHeader) -> Page:
    """Decode 8-bit JPEG; Pillow is chosen because it tells a truncated stream."""
    from PIL import Image as PillowImage

    with translated_errors(), PillowImage.open(io.BytesIO(data), formats=("JPEG",)) as picture:
        samples = np.array(picture)
        exif: bytes = picture.info.get("exif", b"")
        profile: bytes = picture.info.get("icc_profile", b"")
        mode: str = picture.mode
    orientation = exif_orientation(exif)
    if mode == "CMYK":
        rgb, loss = cmyk_to_rgb(samples, profile)
        return Page(rgb, "RGB", 8, orientation, losses=(loss,))
    photometric = {"L": "MONOCHROME2", "RGB": "RGB"}.get(mode)
    if photometric is None:
        raise UnsupportedData(f"a JPEG of mode `{mode}` is not read")
    return Page(
        samples,
        photometric,
        bits_stored=8,
        orientation=orientation,
        icc_profile=profile,
        codestream=_whole_stream(data) if header.process in _IN_DICOM else b"",
    )


def _read_lossless(data: bytes, header: StreamHeader) -> Page:
    import imagecodecs

    try:
        samples: NDArray[Any] = imagecodecs.ljpeg_decode(data)
    except (RuntimeError, ValueError, MemoryError) as error:
        raise CorruptData("the picture cannot be decoded; it is truncated or damaged") from error
    if samples.shape[:2] != (header.rows, header.columns) or header.samples_per_pixel not in (1, 3):
        raise CorruptData("the decoded size is not that of the header")
    return Page(
        samples,
        "MONOCHROME2" if samples.ndim == 2 else "RGB",
        bits_stored=header.precision,
        codestream=_whole_stream(data),
    )


def _whole_stream(data: bytes) -> bytes:
    """Return the bytes up to the end of the image; what some cameras append is left out."""
    end = data.rfind(_END)
    return data[: end + 2] if end > 0 else b""
