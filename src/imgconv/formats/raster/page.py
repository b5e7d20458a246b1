"""One decoded picture, whatever file it came from, and the way from pictures to images.

EXIF and TIFF orientation is applied here, an alpha channel that is opaque
everywhere is left out with a report, and one that is not stays as the fourth
sample (``RGBA``). Pictures have no geometry: a resolution in dots per inch is
about paper, not about a patient.

Source: TIFF 6.0 Section 8 (Orientation); EXIF 2.32 4.6.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.image import Encoded, Image, Source
from imgconv.core.loss import Loss
from imgconv.core.metadata import Metadata
from imgconv.core.options import ReadOptions
from imgconv.core.values import ValueMap
from imgconv.errors import CorruptData, input_error

__all__ = ["Page", "read_file", "require_size", "scale_to_bytes", "to_images"]

# Beyond this, a picture may hold no more than _MAX_RATIO times the bytes of its file:
# a deflate stream reaches 1032, a plain photograph 10 to 40, an empty scan about 100.
_ALWAYS_FINE_BYTES = 1 << 28
_MAX_RATIO = 200

_OPAQUE = Loss("opaque-alpha", "the alpha channel, opaque everywhere, is left out", harmful=False)


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """One picture as its file stores it.

    Parameters
    ----------
    samples
        ``(j, i)`` or ``(j, i, c)``, not yet oriented. Gray with alpha has two
        samples and is called ``MONOCHROME2``.
    photometric
        As `ValueMap.photometric`; alpha is unassociated.
    bits_stored
        Significant bits, None for floating point.
    orientation
        1 to 8, as EXIF and TIFF count.
    icc_profile
        Empty if there is none.
    codestream
        See `core.image.Encoded`; empty if DICOM cannot hold it as it is.
    losses
        What the decoding has left out or approximated.
    """

    samples: NDArray[Any]
    photometric: str = "MONOCHROME2"
    bits_stored: int | None = None
    orientation: int = 1
    icc_profile: bytes = b""
    codestream: bytes = b""
    losses: tuple[Loss, ...] = ()


def read_file(path: Path) -> bytes:
    """Return the bytes of a picture.

    Raises
    ------
    InputError
        It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise input_error(error, path) from error


def require_size(
    width: int, height: int, *, bytes_per_pixel: int, file_bytes: int, options: ReadOptions
) -> None:
    """Raise if a header promises a picture that its file can hardly hold.

    Parameters
    ----------
    width, height
        As the header says, in pixels.
    bytes_per_pixel
        Of the decoded picture, all samples.
    file_bytes
        The size of the compressed data.
    options
        `max_bytes` replaces the built-in limit.

    Raises
    ------
    CorruptData
        The size is zero, or larger than the limit.
    """
    if width <= 0 or height <= 0:
        raise CorruptData(f"the size is `{width}x{height}`; expected at least one pixel")
    needed = width * height * bytes_per_pixel
    limit = options.max_bytes or max(_ALWAYS_FINE_BYTES, _MAX_RATIO * file_bytes)
    if needed > limit:
        raise CorruptData(
            f"`{width}x{height}` pixels in {file_bytes} bytes is a decompression bomb or a damaged "
            f"header; the limit is {limit} bytes of samples"
        )


def scale_to_bytes(samples: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """Return samples of 1, 2 or 4 bits as 8 bits; white stays white, and nothing is lost.

    Source: PNG (third edition) 13.12, sample depth rescaling.
    """
    factor = 255 // ((1 << bits) - 1)
    return samples.astype(np.uint8) * np.uint8(factor)


def to_images(pages: Iterable[Page], path: Path) -> Iterator[Image]:
    """Yield an image per run of pages of one size and kind; its pages are the slices.

    A file with pages of several sizes gives several images, named by their
    first page.
    """
    counted = enumerate((_without_opaque_alpha(_oriented(page)) for page in pages), start=1)
    runs = [list(run) for _, run in groupby(counted, key=lambda item: _kind(item[1]))]
    for run in runs:
        name = "" if len(runs) == 1 else f"page-{run[0][0]}"
        yield _to_image([page for _, page in run], path, name)


def _kind(page: Page) -> tuple[object, ...]:
    return (
        page.samples.shape,
        page.samples.dtype,
        page.photometric,
        page.bits_stored,
        page.icc_profile,
    )


def _to_image(pages: list[Page], path: Path, name: str) -> Image:
    first = pages[0]
    array = np.stack([page.samples for page in pages])
    codestreams = tuple(page.codestream for page in pages)
    shared: Mapping[str, Any] = {"ICCProfile": first.icc_profile} if first.icc_profile else {}
    losses = dict.fromkeys(loss for page in pages for loss in page.losses)
    return Image(
        array,
        "kji" if array.ndim == 3 else "kjic",
        values=ValueMap(bits_stored=first.bits_stored, photometric=first.photometric),
        metadata=Metadata(shared=shared),
        sources=(Source(path),),
        name=name,
        losses=tuple(losses),
        encoded=Encoded(codestreams, array) if all(codestreams) else None,
    )


# Orientation -> what puts the first row at the top and the first column at the left.
_TO_UPRIGHT: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
    8: lambda a: a.swapaxes(0, 1)[::-1],
}


def _oriented(page: Page) -> Page:
    upright = _TO_UPRIGHT.get(page.orientation)
    if upright is None:  # 1, or a value that the standards reserve
        return page
    return replace(page, samples=upright(page.samples), orientation=1, codestream=b"")


def _without_opaque_alpha(page: Page) -> Page:
    """Leave out an alpha channel that says nothing; make gray with alpha RGBA."""
    colours = {"MONOCHROME2": (0,), "RGBA": (0, 1, 2)}.get(page.photometric, ())
    if page.samples.ndim == 2 or page.samples.shape[2] != len(colours) + 1:
        return page
    alpha = page.samples[..., -1]
    opaque = np.iinfo(alpha.dtype).max if alpha.dtype.kind == "u" else 1
    if (alpha != opaque).any():
        samples = page.samples if len(colours) == 3 else page.samples[..., [0, 0, 0, 1]]
        return replace(page, samples=samples, photometric="RGBA", codestream=b"")
    is_gray = len(colours) == 1
    return replace(
        page,
        samples=page.samples[..., 0] if is_gray else page.samples[..., :3],
        photometric="MONOCHROME2" if is_gray else "RGB",
        codestream=b"",
        losses=(*page.losses, _OPAQUE),
    )
