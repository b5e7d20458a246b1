"""Read PNG and write it: 1 to 16 bits, gray, true colour, palette, alpha.

Samples of 1, 2 and 4 bits are scaled to 8 as the specification says; palettes
are expanded; 16 bits stay 16 bits. EXIF orientation is applied, an ICC profile
is kept. Where labels are wanted (``ReadOptions.extra["raster"]["labels"]``), indices
of a palette and samples of few bits stay as they are; if nothing else names them
(``unnamed``), the palette colours the segments. Not supported: the further pictures
of an animated PNG (reported); gAMA, cHRM and sBIT chunks are not applied to the
samples.

Source: PNG Specification, third edition (W3C).
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.atomic import write_bytes
from imgconv.core.image import Image, Segment
from imgconv.core.loss import Loss
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.core.segments import find_segment_table
from imgconv.errors import CorruptData, UnsupportedData
from imgconv.formats.raster.exif import exif_orientation
from imgconv.formats.raster.page import Page, read_file, require_size, to_images
from imgconv.formats.raster.pictures import (
    iter_pictures,
    parse_picture_options,
    picture_losses,
    picture_paths,
)
from imgconv.formats.raster.pillow import translated_errors

__all__ = ["check", "read", "write"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PHOTOMETRIC = {1: "MONOCHROME2", 2: "MONOCHROME2", 3: "RGB", 4: "RGBA"}
# Colour type -> its bit depths; 11.2.1.
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_MAX_PROFILE_BYTES = 1 << 24  # the largest ICC profiles of printers have about 10 MB

_PALETTE = 3  # colour type; 11.2.1
_UNNAMED = Loss(
    "unnamed-segments",
    "a palette has no names: `Segment n` is written; `--segments` names it",
    False,
)
_ANIMATION = Loss("animation", "only the default picture of an animated PNG is read", harmful=True)


@dataclass(frozen=True, slots=True)
class _Header:
    width: int
    height: int
    depth: int
    colour: int
    chunks: Mapping[bytes, bytes]
    bare: bytes  # the file without what the decoder need not know, and would write about


def read(source: Path, options: ReadOptions) -> Iterator[Image]:
    """Yield the picture.

    Raises
    ------
    CorruptData
        The file is truncated or damaged, or its size is hostile.
    """
    data = read_file(source)
    wanted = options.extra.get("raster", {})
    wants_labels = bool(wanted.get("labels"))
    try:
        header = _parse_header(data)
        page = _read_page(data, header, options)
        if wants_labels:
            page = _with_labels(page, header)
    except CorruptData as error:
        raise error.with_path(source) from error
    for image in to_images([page], source):
        is_unnamed = wanted.get("unnamed") and find_segment_table(source) is None
        yield _with_palette(image, header) if wants_labels and is_unnamed else image


def _read_page(data: bytes, header: _Header, options: ReadOptions) -> Page:
    sample_bytes = 2 if header.depth == 16 else 1
    # A tRNS chunk adds alpha, so four samples are reckoned with.
    require_size(
        header.width,
        header.height,
        bytes_per_pixel=4 * sample_bytes,
        file_bytes=len(data),
        options=options,
    )
    samples = _decode(header.bare)
    if samples.shape[:2] != (header.height, header.width):
        raise CorruptData("the decoded size is not that of the header")
    if samples.ndim == 3 and samples.shape[2] == 1:
        samples = samples[..., 0]
    return Page(
        samples,
        _PHOTOMETRIC[1 if samples.ndim == 2 else samples.shape[2]],
        bits_stored=8 * samples.dtype.itemsize,
        orientation=exif_orientation(header.chunks.get(b"eXIf", b"")),
        icc_profile=_parse_profile(header.chunks.get(b"iCCP", b"")),
        losses=(_ANIMATION,) if b"acTL" in header.chunks else (),
    )


def _with_labels(page: Page, header: _Header) -> Page:
    """Return the page with the numbers that are stored, where they were expanded or scaled."""
    from PIL import Image as PillowImage

    if header.colour == _PALETTE:
        with (
            translated_errors(),
            PillowImage.open(io.BytesIO(header.bare), formats=("PNG",)) as picture,
        ):
            return replace(page, samples=np.array(picture), photometric="MONOCHROME2")
    if header.colour == 0 and header.depth < 8:
        return replace(page, samples=page.samples // (255 // ((1 << header.depth) - 1)))
    return page


def _with_palette(image: Image, header: _Header) -> Image:
    """Return a label map whose segments have the colours of the palette."""
    if header.colour != _PALETTE:
        return image
    colours = header.chunks.get(b"PLTE", b"")
    numbers = np.flatnonzero(np.bincount(np.asarray(image.array).ravel()))
    segments = tuple(
        Segment(
            int(n), f"Segment {n}", colour=(colours[3 * n], colours[3 * n + 1], colours[3 * n + 2])
        )
        for n in numbers
        if n and 3 * n + 2 < len(colours)
    )
    return replace(image, segments=segments, losses=(*image.losses, _UNNAMED))


def _decode(data: bytes) -> NDArray[Any]:
    import imagecodecs

    try:
        samples: NDArray[Any] = imagecodecs.png_decode(data)
    except (RuntimeError, ValueError, MemoryError) as error:
        raise CorruptData("the picture cannot be decoded; it is truncated or damaged") from error
    return samples


def _parse_header(data: bytes) -> _Header:
    """Return the image header and the ancillary chunks that matter, each once."""
    if not data.startswith(_SIGNATURE) or data[12:16] != b"IHDR" or len(data) < 33:
        raise CorruptData("the PNG header is truncated or damaged")
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    if depth not in _DEPTHS.get(colour, ()):
        raise CorruptData(f"colour type `{colour}` with `{depth}` bits is not a PNG")
    chunks: dict[bytes, bytes] = {}
    bare = [_SIGNATURE]
    for kind, body in _iter_chunks(data):
        if kind in _PIXEL_CHUNKS:
            bare.append(_chunk(kind, body))
        if kind in (b"PLTE", b"eXIf", b"iCCP", b"acTL"):
            chunks.setdefault(kind, body)
    return _Header(width, height, depth, colour, chunks, b"".join(bare))


def _chunk(kind: bytes, body: bytes) -> bytes:
    """Return a chunk with its length and check sum; 5.3."""
    crc = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def _iter_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (type, body) up to the end of the picture.

    Raises
    ------
    CorruptData
        The file ends before, or a chunk that the pixels need is damaged. A
        damaged chunk of another kind is left out.
    """
    offset = 8
    while offset + 12 <= len(data):
        length = int.from_bytes(data[offset : offset + 4], "big")
        kind = data[offset + 4 : offset + 8]
        end = offset + 8 + length
        if end + 4 > len(data):
            break
        is_sound = zlib.crc32(data[offset + 4 : end]) == int.from_bytes(data[end : end + 4], "big")
        if not is_sound and kind in _PIXEL_CHUNKS:
            raise CorruptData("a chunk of the picture has a wrong check sum; the file is damaged")
        if is_sound:
            yield kind, data[offset + 8 : end]
        if kind == b"IEND":
            return
        offset = end + 4
    raise CorruptData("the PNG file is truncated")


def _parse_profile(body: bytes) -> bytes:
    """Return the ICC profile of an iCCP chunk: name, zero, method, zlib stream; 11.3.2.3."""
    _, found, rest = body.partition(b"\0")
    if not found or rest[:1] != b"\0":
        return b""
    inflate = zlib.decompressobj()
    try:
        profile = inflate.decompress(rest[1:], _MAX_PROFILE_BYTES)
    except zlib.error as error:
        raise CorruptData("the ICC profile cannot be inflated") from error
    if inflate.unconsumed_tail:
        raise CorruptData(f"the ICC profile inflates to more than {_MAX_PROFILE_BYTES} bytes")
    return profile


# --- writing --------------------------------------------------------------------------------------

_DEFAULT_LEVEL = 4  # a third of the time of zlib's 6 for files about 3 % larger


def check(image: Image, options: WriteOptions) -> tuple[Loss, ...]:
    """Return what PNG cannot hold of `image`.

    Raises
    ------
    UnsupportedData
        Stored values of another type than uint8 or uint16.
    UsageError
        An option is not known.
    """
    wanted = parse_picture_options(options)
    if wanted.stores(image) and image.dtype not in (np.uint8, np.uint16):
        raise UnsupportedData(
            f"PNG holds 8 or 16 unsigned bits; the stored values are `{image.dtype}`",
            hint="choose `--to tiff`, or `--values rendered`",
        )
    losses = picture_losses(image, wanted)
    if wanted.stores(image) and image.values.photometric == "MONOCHROME1":
        return (*losses, _POLARITY)
    return losses


_POLARITY = Loss("photometric", "nothing tells that low values are bright (MONOCHROME1)", False)


def write(image: Image, target: Path, options: WriteOptions) -> tuple[Path, ...]:
    """Write a picture per slice, or one of all; see `formats.raster.pictures`.

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
    check(image, options)
    pictures = list(iter_pictures(image, parse_picture_options(options)))
    paths = picture_paths(target, len(pictures))
    profile = image.metadata.shared.get("ICCProfile", b"")
    for path, picture in zip(paths, pictures, strict=True):
        write_bytes(path, _encode(picture, options.level or _DEFAULT_LEVEL, profile))
    return tuple(paths)


def _encode(picture: NDArray[Any], level: int, profile: object) -> bytes:
    import imagecodecs

    data = bytes(imagecodecs.png_encode(np.ascontiguousarray(picture), level=level))
    if not isinstance(profile, bytes) or not profile or picture.ndim == 2:
        return data
    chunk = _chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(profile))
    after_header = len(_SIGNATURE) + 25  # IHDR comes first and has 13 bytes; 5.6
    return data[:after_header] + chunk + data[after_header:]
