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
from imgconv.core.atomic import write_bytes
from imgconv.core.display import Window
from imgconv.core.image import Image
from imgconv.core.loss import Loss
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.core.render import composite, to_bytes
from imgconv.errors import CorruptData, UnsupportedData
from imgconv.formats.raster.codestream import read_jpegls
from imgconv.formats.raster.colour import cmyk_to_rgb
from imgconv.formats.raster.exif import exif_orientation
from imgconv.formats.raster.page import Page, read_file, require_size, to_images
from imgconv.formats.raster.pictures import (
    PictureOptions,
    iter_pictures,
    parse_picture_options,
    picture_losses,
    picture_paths,
)
from imgconv.formats.raster.pillow import translated_errors

__all__ = ["check", "read", "write"]

_SEQUENTIAL = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive; Huffman coded
_LOSSLESS = {0xC3}
_JPEG_LS = 0xF7
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
        if parse_jpeg_header(data).process == _JPEG_LS:  # behind a SPIFF header it is not told
            yield from read_jpegls(source, options)
            return
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


# --- writing --------------------------------------------------------------------------------------

_DEFAULT_QUALITY = 92
_WHOLE_RANGE = Window(128, 256)  # 0 to 255 as they are; PS3.3 C.11.2.1.2
_MAX_SIZE = 65500  # of libjpeg; the standard allows 65535


def check(image: Image, options: WriteOptions) -> tuple[Loss, ...]:
    """Return what JPEG cannot hold of `image`.

    Raises
    ------
    UnsupportedData
        Stored values of another type than uint8, or a picture too large.
    UsageError
        An option is not known.
    """
    wanted = parse_picture_options(options)
    is_other_colour = "c" in image.axes and image.dtype.kind != "u"
    if is_other_colour or (
        wanted.stores(image) and image.dtype != np.uint8 and "c" not in image.axes
    ):
        raise UnsupportedData(
            f"JPEG holds 8 bits; the stored values are `{image.dtype}`",
            hint="choose `--to png` or `--to tiff`, or `--values rendered`",
        )
    if max(image.size_ijk[:2]) > _MAX_SIZE:
        raise UnsupportedData(f"JPEG holds {_MAX_SIZE} rows or columns")
    losses = [*picture_losses(image, wanted)]
    if _is_unchanged(image, options, wanted):
        return tuple(loss for loss in losses if loss.name != "rendered")
    losses.append(
        Loss("lossy", "JPEG alters the samples; `--to png` does not", bool(image.segments))
    )
    if image.values.photometric == "RGBA":
        losses.append(Loss("alpha", "the alpha channel is put over white", True))
    if "c" in image.axes and image.dtype != np.uint8:
        losses.append(Loss("depth", "samples are reduced to 8 bits", True))
    return tuple(losses)


def write(image: Image, target: Path, options: WriteOptions) -> tuple[Path, ...]:
    """Write a picture per slice, or one of all; a JPEG's own stream is written as it is.

    Returns
    -------
    tuple
        The target, or numbered names beside it if there are several pictures.

    Raises
    ------
    OutputError
        A file cannot be written.
    UsageError, UnsupportedData
        As `check`.
    """
    wanted = parse_picture_options(options)
    check(image, options)
    if _is_unchanged(image, options, wanted):
        paths = picture_paths(target, len(image.codestreams))
        for path, stream in zip(paths, image.codestreams, strict=True):
            write_bytes(path, stream)
        return tuple(paths)
    pictures = list(iter_pictures(image, wanted))
    paths = picture_paths(target, len(pictures))
    profile = image.metadata.shared.get("ICCProfile", b"")
    for path, picture in zip(paths, pictures, strict=True):
        shown = _to_eight_bits(picture, image.values.bits_stored)
        write_bytes(path, _encode(shown, options.quality or _DEFAULT_QUALITY, profile))
    return tuple(paths)


def _is_unchanged(image: Image, options: WriteOptions, wanted: PictureOptions) -> bool:
    """Whether the image's own JPEG streams are what is asked for."""
    return (
        bool(image.codestreams)
        and image.codestreams[0].startswith(b"\xff\xd8")
        and parse_jpeg_header(image.codestreams[0]).process in _SEQUENTIAL
        and options.quality is None
        and wanted == PictureOptions(wanted.values)
        and (wanted.stores(image) or _shows_as_stored(image))
    )


def _shows_as_stored(image: Image) -> bool:
    """Whether a viewer shows the samples as they are: no table, no window that changes a value."""
    if "c" in image.axes:
        return True
    if not image.values.rescale.is_identity or image.values.photometric != "MONOCHROME2":
        return False
    shown = [image.shown_as(0, k) for k in range(image.size_ijk[2])]
    return all(
        not (one.tables or one.inverse) and one.windows[:1] in {(), (_WHOLE_RANGE,)}
        for one in shown
    )


def _to_eight_bits(picture: NDArray[Any], bits_stored: int | None) -> NDArray[np.uint8]:
    if picture.ndim == 3 and picture.shape[2] == 4:
        picture = composite(picture, np.iinfo(picture.dtype).max)
    return picture if picture.dtype == np.uint8 else to_bytes(picture, bits_stored)


def _encode(picture: NDArray[np.uint8], quality: int, profile: object) -> bytes:
    from PIL import Image as PillowImage

    buffer = io.BytesIO()
    PillowImage.fromarray(np.ascontiguousarray(picture)).save(
        buffer,
        "JPEG",
        quality=quality,
        subsampling=0,
        icc_profile=profile if isinstance(profile, bytes) and picture.ndim == 3 else b"",
    )
    return buffer.getvalue()
