"""Read TIFF and write it: many pages, integers of 1 to 32 bits, floats, RGB, palette.

Pages of one size and kind become the slices of one image. Thumbnails and masks
among the pages are left out with a report. Bilevel and 2- or 4-bit gray is
scaled to 8 bits; a palette is expanded; white-is-zero is kept as MONOCHROME1.
Not supported: CIE L*a*b*, complex samples, associated (premultiplied) alpha,
more than four samples, tags of vendors (OME, ImageJ stacks of one directory).

Source: TIFF 6.0 (Adobe 1992), with Technical Notes 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.atomic import write_bytes
from imgconv.core.image import Image
from imgconv.core.loss import Loss
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.errors import CorruptData, UnsupportedData
from imgconv.formats.raster.colour import cmyk_to_rgb
from imgconv.formats.raster.page import Page, read_file, require_size, scale_to_bytes, to_images
from imgconv.formats.raster.pictures import (
    iter_pictures,
    parse_picture_options,
    picture_losses,
)
from imgconv.formats.raster.tiff_tags import Directory, parse_directories

__all__ = ["check", "read", "write"]

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_COLOURS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _YCBCR: 3}
_UNASSOCIATED = 2  # ExtraSamples; 6.0 p. 31
_REDUCED, _MASK = 1, 4  # bits of NewSubfileType; 6.0 p. 36
_SEPARATE_PLANES = 2
_COMPLEX = (5, 6)  # SampleFormat; 6.0 p. 80

_OTHER_PAGES = Loss(
    "auxiliary-pages", "thumbnails and transparency masks among the pages are left out", False
)


def read(source: Path, options: ReadOptions) -> Iterator[Image]:
    """Yield the pages: one image per run of pages of the same size and kind.

    Raises
    ------
    CorruptData
        The file is truncated or damaged, or its size is hostile.
    UnsupportedData
        A kind of sample or colour space that is not read.
    """
    data = read_file(source)
    try:
        pages = _read_pages(data, options)
    except (CorruptData, UnsupportedData) as error:
        raise error.with_path(source) from error
    yield from to_images(pages, source)


def _read_pages(data: bytes, options: ReadOptions) -> list[Page]:
    directories = parse_directories(data)
    _refuse_hidden_stack(directories)
    wanted = [
        number
        for number, directory in enumerate(directories)
        if not directory.get("subfile_type", 0) & (_REDUCED | _MASK)
    ] or [0]
    losses = (_OTHER_PAGES,) if len(wanted) < len(directories) else ()
    _require_sizes([directories[number] for number in wanted], len(data), options)
    return [_read_page(data, number, directories[number], losses) for number in wanted]


def _require_sizes(directories: list[Directory], file_bytes: int, options: ReadOptions) -> None:
    rows = sum(directory.get("height", 0) for directory in directories)
    if not rows:
        raise CorruptData("the TIFF directories have no height")
    for directory in directories:
        samples = directory.get("samples", 1)
        bits = max(directory.values.get("bits", (1,)))
        _require_supported(directory, samples)
        require_size(
            directory.get("width", 0),
            rows,
            bytes_per_pixel=samples * (bits + 7) // 8,
            file_bytes=file_bytes,
            options=options,
        )


def _require_supported(directory: Directory, samples: int) -> None:
    photometric = directory.get("photometric", _BLACK_IS_ZERO)
    colours = _COLOURS.get(photometric)
    if colours is None:
        raise UnsupportedData(f"TIFF PhotometricInterpretation `{photometric}` is not read")
    extra = directory.values.get("extra_samples", ())
    if samples not in (colours, colours + 1) or (samples > colours and extra != (_UNASSOCIATED,)):
        raise UnsupportedData(
            f"a TIFF with {samples} samples for {colours} colours and ExtraSamples "
            f"`{','.join(map(str, extra))}` is not read; expected none or unassociated alpha"
        )
    if directory.get("sample_format", 1) in _COMPLEX:
        raise UnsupportedData("complex samples are not read")


def _refuse_hidden_stack(directories: tuple[Directory, ...]) -> None:
    """ImageJ stores large stacks behind one directory; only its description says so."""
    description = directories[0].bytes_of("description")
    if len(directories) > 1 or not description.startswith(b"ImageJ="):
        return
    for line in description.splitlines():
        if line.startswith(b"images=") and line[7:] not in (b"1", b"01"):
            raise UnsupportedData(
                "an ImageJ stack with one TIFF directory is not read",
                hint="save it from ImageJ as an image sequence or as NRRD",
            )


def _read_page(data: bytes, number: int, directory: Directory, losses: tuple[Loss, ...]) -> Page:
    samples = _decode(data, number)
    count = directory.get("samples", 1)
    if count > 1 and directory.get("planar", 1) == _SEPARATE_PLANES and samples.shape[0] == count:
        samples = np.moveaxis(samples, 0, -1)
    if samples.ndim == 3 and samples.shape[2] == 1:
        samples = samples[..., 0]
    expected = (directory.get("height", 0), directory.get("width", 0))
    if samples.ndim not in (2, 3) or samples.shape[:2] != expected:
        raise CorruptData("the decoded size is not that of the TIFF directory")
    bits = max(directory.values.get("bits", (1,)))
    page = _name_samples(samples, directory, bits)
    return Page(
        page.samples,
        page.photometric,
        page.bits_stored,
        orientation=directory.get("orientation", 1),
        icc_profile=page.icc_profile,
        losses=(*losses, *page.losses),
    )


def _name_samples(samples: NDArray[Any], directory: Directory, bits: int) -> Page:
    """Return samples and what they mean, neither oriented nor complete."""
    photometric = directory.get("photometric", _BLACK_IS_ZERO)
    profile = directory.bytes_of("icc_profile")
    if photometric == _PALETTE:
        return _expand_palette(samples, directory, bits, profile)
    if photometric == _CMYK and samples.ndim == 3 and samples.shape[2] == 4:
        rgb, loss = cmyk_to_rgb(samples, profile)
        return Page(rgb, "RGB", 8, losses=(loss,))
    if samples.dtype == np.bool_ or (samples.dtype == np.uint8 and bits in (2, 4)):
        samples, bits = scale_to_bytes(samples, bits), 8
    kept = bits if samples.dtype.kind in "ui" else None
    if samples.ndim == 2:
        name = "MONOCHROME1" if photometric == _WHITE_IS_ZERO else "MONOCHROME2"
        return Page(samples, name, kept, icc_profile=profile)
    name = {2: "MONOCHROME2", 3: "RGB", 4: "RGBA"}[samples.shape[2]]
    return Page(samples, name, kept, icc_profile=profile)


def _expand_palette(samples: NDArray[Any], directory: Directory, bits: int, profile: bytes) -> Page:
    """Expand a palette; its entries have 16 bits, of which many writers use the upper 8."""
    colours = np.array(directory.values.get("colour_map", ()), dtype=np.uint16)
    if samples.ndim != 2 or len(colours) != 3 * (1 << bits) or bits > 8:
        raise CorruptData("the TIFF palette does not fit the bits of the samples")
    table = colours.reshape(3, -1).T
    if ((table & 0xFF) == 0).all() or ((table & 0xFF) == (table >> 8)).all():
        table = (table >> 8).astype(np.uint8)
    return Page(
        table[samples.astype(np.uint8)], "RGB", 8 * table.dtype.itemsize, icc_profile=profile
    )


def _decode(data: bytes, number: int) -> NDArray[Any]:
    import imagecodecs

    try:
        samples: NDArray[Any] = imagecodecs.tiff_decode(data, index=number)
    except (RuntimeError, ValueError, IndexError, OverflowError, MemoryError) as error:
        raise CorruptData(
            f"page {number + 1} cannot be decoded; it is truncated or damaged"
        ) from error
    return samples


# --- writing --------------------------------------------------------------------------------------

_DEFAULT_LEVEL = 4
_BIG_BYTES = 4_000_000_000  # beyond, offsets need the 64 bits of BigTIFF


def check(image: Image, options: WriteOptions) -> tuple[Loss, ...]:
    """Return what TIFF cannot hold of `image`.

    Raises
    ------
    UnsupportedData
        Samples of 16-bit floats.
    UsageError
        An option is not known.
    """
    wanted = parse_picture_options(options)
    if wanted.stores(image) and (image.dtype.kind not in "uif" or image.dtype.itemsize < 1):
        raise UnsupportedData(f"TIFF has no type for `{image.dtype}`")
    losses = picture_losses(image, wanted)
    if image.volume_count > 1:
        return (*losses, Loss("time-axis", "the slices of all volumes become pages", False))
    return losses


def write(image: Image, target: Path, options: WriteOptions) -> tuple[Path, ...]:
    """Write one file, a page per slice; see `formats.raster.pictures`.

    Parameters
    ----------
    options
        `compress` deflates the pages; the default is to do so.

    Raises
    ------
    OutputError
        It cannot be written.
    UsageError, UnsupportedData
        As `check`.
    """
    check(image, options)
    wanted = parse_picture_options(options)
    # The encoder may change what it is given, so it gets a copy.
    pages = np.stack(list(iter_pictures(image, wanted)))
    polarity = wanted.stores(image) and image.values.photometric == "MONOCHROME1"
    write_bytes(target, _encode(pages, options, _profile(image), white_is_zero=polarity))
    return (target,)


def _profile(image: Image) -> bytes | None:
    profile = image.metadata.shared.get("ICCProfile")
    return profile if isinstance(profile, bytes) and profile else None


def _encode(
    pages: NDArray[Any], options: WriteOptions, profile: bytes | None, *, white_is_zero: bool
) -> bytes:
    import imagecodecs

    arguments: dict[str, Any] = {"bigtiff": pages.nbytes > _BIG_BYTES}
    if pages.ndim == 4:
        arguments["photometric"] = "rgb"
        if pages.shape[-1] == 4:
            arguments["extrasample"] = _UNASSOCIATED
        if profile is not None:
            arguments["iccprofile"] = profile
    elif white_is_zero:
        arguments["photometric"] = "miniswhite"
    if options.compress is not False:
        arguments |= {"compression": "deflate", "level": options.level or _DEFAULT_LEVEL}
    try:
        return bytes(imagecodecs.tiff_encode(pages, **arguments))
    except (RuntimeError, ValueError, MemoryError) as error:
        raise UnsupportedData(f"TIFF cannot hold `{pages.dtype}` samples of this size") from error
