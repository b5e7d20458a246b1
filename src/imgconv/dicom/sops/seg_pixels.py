"""The pixel data of a Segmentation, made frame by frame while it is written.

Source: PS3.5 8.1.1, D.1 (1-bit samples: the first pixel is the lowest bit,
frames follow each other without padding); PS3.3 C.8.20.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.dicom.sops.encode import Pixels

__all__ = ["FULL", "binary_pixels", "fractional_pixels", "label_pixels"]

FULL = 255  # Maximum Fractional Value; PS3.3 C.8.20.2

Mask = Callable[[int], NDArray[Any]]


def binary_pixels(count: int, frame: Mask, rows: int, columns: int) -> Pixels:
    """Return 1-bit pixel data.

    Parameters
    ----------
    count
        Number of frames.
    frame
        ``frame(n)`` returns the mask ``(j, i)`` of frame n.
    """
    return Pixels("OB", (count * rows * columns + 7) // 8, _iter_packed(count, frame))


def _iter_packed(count: int, frame: Mask) -> Iterator[bytes]:
    # Eight frames always end on a byte, however many pixels they have.
    for first in range(0, count, 8):
        masks = [frame(n).ravel() for n in range(first, min(first + 8, count))]
        bits = masks[0] if len(masks) == 1 else np.concatenate(masks)
        yield np.packbits(bits, bitorder="little").tobytes()


def fractional_pixels(count: int, frame: Mask, rows: int, columns: int) -> Pixels:
    """Return 8-bit fractions; ``frame(n)`` returns masks, or fractions from 0 to 1."""
    return Pixels("OB", count * rows * columns, (_to_fraction(frame(n)) for n in range(count)))


def _to_fraction(values: NDArray[Any]) -> NDArray[np.uint8]:
    if values.dtype.kind == "f":
        fractions: NDArray[np.uint8] = np.rint(values * FULL).astype(np.uint8)
        return fractions
    return values.astype(np.uint8) * np.uint8(FULL)


def label_pixels(slices: Sequence[int], volume: NDArray[Any], dtype: np.dtype[Any]) -> Pixels:
    """Return the labels of the given slices as 8 or 16 bits."""
    length = len(slices) * volume[0].size * dtype.itemsize
    vr = "OB" if dtype.itemsize == 1 else "OW"
    return Pixels(vr, length, (volume[k].astype(dtype) for k in slices))
