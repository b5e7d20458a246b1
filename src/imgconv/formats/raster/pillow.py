"""Read BMP and WebP through Pillow.

Several pictures of an animated WebP become slices. Not supported: modes other
than 1 bit, 8 bit gray, palette, RGB and RGBA.

Source: Pillow's list of formats; RFC 9649 (WebP).
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.image import Image
from imgconv.core.options import ReadOptions
from imgconv.errors import CorruptData, UnsupportedData
from imgconv.formats.raster.exif import exif_orientation
from imgconv.formats.raster.page import Page, read_file, require_size, to_images

__all__ = ["read_bmp", "read_webp", "translated_errors"]

# Pillow's mode -> what to convert it to, and what that is called here.
_MODES = {
    "1": ("L", "MONOCHROME2"),
    "L": ("L", "MONOCHROME2"),
    "P": ("RGB", "RGB"),
    "RGB": ("RGB", "RGB"),
    "RGBX": ("RGB", "RGB"),
    "RGBA": ("RGBA", "RGBA"),
}


def read_bmp(source: Path, options: ReadOptions) -> Iterator[Image]:
    """Yield the picture of a Windows bitmap.

    Raises
    ------
    CorruptData, UnsupportedData
        It is damaged, hostile, or of a kind that is not read.
    """
    yield from _read(source, "BMP", options)


def read_webp(source: Path, options: ReadOptions) -> Iterator[Image]:
    """Yield the picture or the pictures of a WebP file.

    Raises
    ------
    CorruptData, UnsupportedData
        It is damaged, hostile, or of a kind that is not read.
    """
    yield from _read(source, "WEBP", options)


def _read(source: Path, kind: str, options: ReadOptions) -> Iterator[Image]:
    data = read_file(source)
    try:
        pages = _read_pages(data, kind, options)
    except (CorruptData, UnsupportedData) as error:
        raise error.with_path(source) from error
    yield from to_images(pages, source)


def _read_pages(data: bytes, kind: str, options: ReadOptions) -> list[Page]:
    from PIL import Image as PillowImage

    with translated_errors(), PillowImage.open(io.BytesIO(data), formats=(kind,)) as picture:
        frames = getattr(picture, "n_frames", 1)
        require_size(
            picture.width,
            picture.height * frames,
            bytes_per_pixel=4,
            file_bytes=len(data),
            options=options,
        )
        return [_read_page(picture, n) for n in range(frames)]


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn what Pillow raises about a file into our errors.

    Raises
    ------
    CorruptData, UnsupportedData
        Pillow cannot decode it, or refuses its size.
    """
    from PIL import Image as PillowImage
    from PIL import UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # The size was judged against the file's by `require_size`; damaged EXIF is ignored.
            warnings.simplefilter("ignore")
            yield
    except PillowImage.DecompressionBombError as error:
        raise UnsupportedData("more pixels than are read at once") from error
    except (
        UnidentifiedImageError,
        OSError,
        EOFError,
        SyntaxError,
        ValueError,
        TypeError,
        IndexError,
        KeyError,
        struct.error,
        MemoryError,
    ) as error:
        raise CorruptData("the picture cannot be decoded; it is truncated or damaged") from error


def _read_page(picture: Any, number: int) -> Page:
    picture.seek(number)
    if picture.mode not in _MODES:
        raise UnsupportedData(f"a picture of mode `{picture.mode}` is not read")
    target, photometric = _MODES[picture.mode]
    if picture.mode == "P" and "transparency" in picture.info:
        target, photometric = "RGBA", "RGBA"
    samples: NDArray[Any] = np.array(picture.convert(target))
    return Page(
        samples,
        photometric,
        bits_stored=8,
        orientation=exif_orientation(picture.info.get("exif", b"")),
        icc_profile=picture.info.get("icc_profile", b""),
    )
