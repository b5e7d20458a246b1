"""Turn stored samples into the values they mean, for formats without slope and intercept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.image import Image, LazyArray
from imgconv.core.values import Rescale, ValueMap

__all__ = ["real_dtype", "to_real"]

_INTEGERS = (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.int64)


def to_real(image: Image) -> Image:
    """Return the image with its slope and intercept applied.

    Integers stay integers if slope and intercept are integers: their type is
    the stored one if it holds the results, else the narrowest that does. All
    else becomes float64.
    """
    rescale = image.values.rescale
    if rescale.is_identity:
        return image
    dtype = real_dtype(image)
    apply = _applier(rescale, dtype)
    array: NDArray[Any] | LazyArray
    if isinstance(image.array, LazyArray):
        source = image.array
        array = LazyArray(source.shape, dtype, lambda t: apply(source.volume(t)))
    else:
        array = apply(np.asarray(image.array))
    values = ValueMap(unit=image.values.unit, photometric=image.values.photometric)
    return replace(image, array=array, values=values)


def real_dtype(image: Image) -> np.dtype[Any]:
    """Return the type that `to_real` gives, without computing the values."""
    rescale, stored = image.values.rescale, image.dtype
    if rescale.is_identity:
        return stored
    whole = float(rescale.slope).is_integer() and float(rescale.intercept).is_integer()
    if stored.kind not in "ui" or not whole:
        return np.dtype(np.float64)
    ends = [int(rescale.slope) * end + int(rescale.intercept) for end in _stored_range(image)]
    low, high = min(ends), max(ends)
    for kind in (stored.type, *_INTEGERS) if stored != np.uint64 else ():
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return np.dtype(kind)
    return np.dtype(np.float64)


def _stored_range(image: Image) -> tuple[int, int]:
    """Return the smallest and largest sample; of a lazy array, those that its type allows."""
    if isinstance(image.array, LazyArray) or image.array.nbytes == 0:
        limits = np.iinfo(image.dtype)
        return int(limits.min), int(limits.max)
    samples = np.asarray(image.array)
    return int(samples.min()), int(samples.max())


def _applier(rescale: Rescale, dtype: np.dtype[Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    if dtype.kind == "f":
        return lambda stored: stored.astype(np.float64) * rescale.slope + rescale.intercept
    slope, intercept = int(rescale.slope), int(rescale.intercept)

    def apply(stored: NDArray[Any]) -> NDArray[Any]:
        real: NDArray[Any] = (stored.astype(np.int64) * slope + intercept).astype(dtype)
        return real

    return apply
