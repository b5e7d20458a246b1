"""Make pictures of an image: which slices, which values, one picture each or a montage.

Options stand in ``WriteOptions.extra["raster"]``:

- ``values``: ``auto``, ``rendered`` (as a viewer shows them, 8 bits) or ``stored`` (the
  samples as they are). ``auto`` stores what is a picture or a label map already;
- ``window``: ``header`` (its first window or table, else ``auto``), ``auto`` (the middle 99
  percent of the values), ``full`` (all values that can be stored), or ``center/width``;
- ``overlays``: draw them;
- ``frames``: ``all``, ``middle``, or numbers from 1: ``1,5-9``;
- ``montage``: 0 for none, else its number of columns, ``auto`` for a square one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.display import Window
from imgconv.core.image import Image
from imgconv.core.loss import Loss
from imgconv.core.options import WriteOptions
from imgconv.core.render import auto_window, full_window, render_slice
from imgconv.errors import UsageError

__all__ = [
    "PictureOptions",
    "Values",
    "iter_pictures",
    "parse_picture_options",
    "picture_losses",
    "picture_paths",
]

_WINDOW = re.compile(r"(-?\d+(?:\.\d*)?)[/,](\d+(?:\.\d*)?)")
_MAX_MONTAGE = 1 << 28  # samples


class Values(StrEnum):
    """Which numbers are written."""

    AUTO = "auto"
    RENDERED = "rendered"
    STORED = "stored"


@dataclass(frozen=True, slots=True)
class PictureOptions:
    """The parsed options; see the module.

    Parameters
    ----------
    window
        ``header``, ``auto``, ``full``, or a window.
    frames
        As written; see `iter_pictures`.
    montage
        Columns, 0 for none, -1 for a square.
    """

    values: Values = Values.AUTO
    window: str | Window = "header"
    overlays: bool = False
    frames: str = "all"
    montage: int = 0

    def stores(self, image: Image) -> bool:
        """Whether the samples of `image` are written as they are."""
        if self.values is not Values.AUTO:
            return self.values is Values.STORED
        if "c" in image.axes:
            is_common = image.display is None or image.dtype in (np.uint8, np.uint16)
            return is_common and not self.overlays
        if image.display is not None or not image.values.rescale.is_identity:
            return False
        is_picture = image.geometry is None or bool(image.segments) or image.dtype == np.uint8
        return is_picture and image.values.photometric != "MONOCHROME1"


def parse_picture_options(options: WriteOptions) -> PictureOptions:
    """Return the options of pictures.

    Raises
    ------
    UsageError
        One is not known.
    """
    own = options.of("raster")
    try:
        values = Values(str(own.get("values", "auto")))
    except ValueError:
        raise UsageError(f"unknown values `{own['values']}`; known: {', '.join(Values)}") from None
    return PictureOptions(
        values,
        _parse_window(str(own.get("window") or "header")),
        bool(own.get("overlays")),
        str(own.get("frames") or "all"),
        _parse_montage(str(own.get("montage") or "0")),
    )


def _parse_window(text: str) -> str | Window:
    if text in ("header", "auto", "full"):
        return text
    match = _WINDOW.fullmatch(text)
    if match is None or float(match[2]) <= 0:
        raise UsageError(
            f"window `{text}`; expected header, auto, full, or center/width such as `40/400`"
        )
    return Window(float(match[1]), float(match[2]))


def _parse_montage(text: str) -> int:
    if text == "auto":
        return -1
    if not text.isdigit():
        raise UsageError(f"montage `{text}`; expected a number of columns, or auto")
    return int(text)


def picture_losses(image: Image, wanted: PictureOptions) -> tuple[Loss, ...]:
    """Return what a picture cannot hold, whatever its format."""
    stores = wanted.stores(image)
    found = [
        (
            not stores,
            Loss(
                "rendered",
                "values are shown through a window as 8 bits; `--values stored` keeps them",
                harmful=False,
            ),
        ),
        (
            stores and not image.values.rescale.is_identity,
            Loss("rescale", "slope and intercept of the stored values are not kept", False),
        ),
        (
            image.geometry is not None,
            Loss("geometry", "the position in the patient is not kept", False),
        ),
        (
            bool(image.segments),
            Loss("segments", "names, codes and colours of labels go to a table beside it", False),
        ),
        (
            "DiffusionBValue" in image.metadata.per_volume,
            Loss("gradients", "b-values and gradient directions are not kept", False),
        ),
    ]
    return tuple(loss for applies, loss in found if applies)


def picture_paths(target: Path, count: int) -> list[Path]:
    """Return a name for each picture: the target's, numbered if there are several."""
    if count == 1:
        return [target]
    digits = max(4, len(str(count)))
    return [
        target.with_name(f"{target.stem}_{n:0{digits}}{target.suffix}") for n in range(1, count + 1)
    ]


def iter_pictures(image: Image, wanted: PictureOptions) -> Iterator[NDArray[Any]]:
    """Yield pictures ``(j, i)`` or ``(j, i, c)``, volume by volume, slice by slice.

    Raises
    ------
    UsageError
        A frame is asked for that is not there, or a montage would be too large.
    """
    frames = _choose_frames(image, wanted.frames)
    pictures = _iter_slices(image, wanted, frames)
    if wanted.montage == 0:
        yield from pictures
        return
    yield _montage(list(pictures), wanted.montage)


def _choose_frames(image: Image, text: str) -> list[int]:
    """Return the chosen frames, from 0, in order."""
    slices = image.size_ijk[2]
    total = slices * image.volume_count
    if text == "all":
        return list(range(total))
    if text == "middle":
        return [t * slices + slices // 2 for t in range(image.volume_count)]
    chosen: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if not first.isdigit() or not (last or first).isdigit():
            raise UsageError(f"frames `{text}`; expected all, middle, or numbers such as `1,5-9`")
        start, stop = int(first), int(last or first)
        if not 1 <= start <= stop <= total:
            raise UsageError(f"frames `{part}`; the image has 1 to {total}")
        chosen.update(range(start - 1, stop))
    return sorted(chosen)


def _iter_slices(image: Image, wanted: PictureOptions, frames: list[int]) -> Iterator[NDArray[Any]]:
    slices = image.size_ijk[2]
    stores = wanted.stores(image)
    fallback = None if stores else _fallback_window(image, wanted)
    by_volume: dict[int, list[int]] = {}
    for frame in frames:
        by_volume.setdefault(frame // slices, []).append(frame % slices)
    for t, volume in enumerate(image.iter_volumes()):
        for k in by_volume.get(t, ()):
            yield volume[k] if stores else _render(image, wanted, volume[k], (t, k), fallback)


def _fallback_window(image: Image, wanted: PictureOptions) -> Window | None:
    """Return the window of slices whose header names none; None for colour."""
    if "c" in image.axes or isinstance(wanted.window, Window):
        return None
    is_plain = image.dtype == np.uint8 and image.values.rescale.is_identity
    if wanted.window == "full" or (wanted.window == "header" and is_plain):
        return full_window(image.values, image.dtype)
    return auto_window(image)


def _render(
    image: Image,
    wanted: PictureOptions,
    plane: NDArray[Any],
    place: tuple[int, int],
    fallback: Window | None,
) -> NDArray[np.uint8]:
    display = image.shown_as(*place)
    window = wanted.window if isinstance(wanted.window, Window) else fallback
    if wanted.window == "header" and (display.windows or display.tables):
        window = None
    return render_slice(plane, image.values, display, window, overlays=wanted.overlays)


def _montage(pictures: list[NDArray[Any]], columns: int) -> NDArray[Any]:
    """Return one picture of many, row by row; what is left over stays black."""
    count = len(pictures)
    across = math.ceil(math.sqrt(count)) if columns < 0 else min(columns, count)
    down = math.ceil(count / across)
    height, width = pictures[0].shape[:2]
    shape = (down * height, across * width, *pictures[0].shape[2:])
    if math.prod(shape) > _MAX_MONTAGE:
        raise UsageError(
            f"a montage of `{shape[1]}x{shape[0]}` pixels is too large",
            hint="choose fewer slices by `--frames`",
        )
    whole = np.zeros(shape, pictures[0].dtype)
    for n, picture in enumerate(pictures):
        top, left = n // across * height, n % across * width
        whole[top : top + height, left : left + width] = picture
    return whole
