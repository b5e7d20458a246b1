"""Which stored type an object gets for the samples of an image; never one that alters a value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.image import Image
from imgconv.core.loss import Loss
from imgconv.errors import UnsupportedData
from imgconv.records import record

__all__ = ["Samples", "finite_range", "fit_samples", "frame_parts", "sample_type_losses"]

_WAYS_OUT = "keep every value by `--as parametric-map`"


@record
class Samples:
    """How samples are stored.

    Parameters
    ----------
    dtype
        The stored type, in native byte order.
    bits_stored
        Significant bits; 0 for floating point.
    """

    dtype: np.dtype[Any]
    bits_stored: int

    @property
    def bits_allocated(self) -> int:
        """Bits from one sample to the next."""
        return self.dtype.itemsize * 8

    @property
    def pixel_representation(self) -> int:
        """0 unsigned, 1 two's complement; PS3.3 C.7.6.3.1."""
        return int(self.dtype.kind == "i")

    def cast(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return `array` in the stored type; `fit_samples` has shown that it fits."""
        return array.astype(self.dtype, copy=False)


def fit_samples(
    image: Image, allowed: tuple[str, ...], title: str, *, hint: str = _WAYS_OUT
) -> Samples:
    """Return the first of `allowed` types that holds every sample of `image` unchanged.

    The samples are looked at only if their type alone does not tell.

    Parameters
    ----------
    allowed
        numpy names in the order of preference.
    title
        Names the object in the message.
    hint
        What to do if nothing fits.

    Raises
    ------
    UnsupportedData
        None holds them all; the hint says which object does.
    """
    if image.dtype.name in allowed:
        return _samples(image, image.dtype)
    for name in sorted(allowed, key=lambda name: np.dtype(name).kind != image.dtype.kind):
        if _holds_type(np.dtype(name), image.dtype):
            return _samples(image, np.dtype(name))
    if image.dtype.kind not in "iufb":
        raise UnsupportedData(
            f"samples of type `{image.dtype}` have no place in DICOM",
            hint="convert magnitude and phase, or real and imaginary part, as images of their own",
        )
    low, high, whole = _survey(image)
    for name in allowed:
        dtype = np.dtype(name)
        if dtype.kind == "f":
            if _is_exact_in_float(image, dtype, low, high):
                return _samples(image, dtype)
        elif whole and np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return _samples(image, dtype)
    what = f"from {low:g} to {high:g}" if whole else "that are not whole numbers, or not finite"
    raise UnsupportedData(
        f"{title} holds {' or '.join(allowed)}; the image has `{image.dtype}` values {what}",
        hint=_hint(image, allowed, hint),
    )


def _hint(image: Image, allowed: tuple[str, ...], hint: str) -> str:
    if image.axes[-1] == "c":  # no object holds colour of more bits
        return "store the picture with 8 or 16 bits per sample first"
    return hint if "float64" not in allowed else ""


def _holds_type(target: np.dtype[Any], source: np.dtype[Any]) -> bool:
    """Whether `target` holds every value of `source`; numpy calls int64 to float64 safe."""
    if target.kind == "f" and source.kind in "iu" and source.itemsize >= 8:
        return False
    return bool(np.can_cast(source, target, casting="safe"))


def _samples(image: Image, dtype: np.dtype[Any]) -> Samples:
    if dtype.kind == "f":
        return Samples(dtype, 0)
    width = dtype.itemsize * 8
    stated = image.values.bits_stored
    if stated is None or image.dtype.kind == "f" or not 0 < stated <= width:
        return Samples(dtype, width)
    # Bits that the source has, if the type is its own; a wider type gets all of its bits.
    same_type = dtype == image.dtype
    return Samples(dtype, stated if same_type else width)


def _survey(image: Image) -> tuple[float, float, bool]:
    """Return the least and the greatest sample, and whether all are whole and finite."""
    low, high, whole = np.inf, -np.inf, True
    for volume in image.iter_volumes():
        if volume.size == 0:
            continue
        low, high = min(low, volume.min().item()), max(high, volume.max().item())
        if volume.dtype.kind == "f":
            with np.errstate(invalid="ignore"):
                whole = whole and bool((np.isfinite(volume) & (np.trunc(volume) == volume)).all())
                # A negative zero would lose its sign.
                whole = whole and not bool((np.signbit(volume) & (volume == 0)).any())
    return low, high, whole


def _is_exact_in_float(image: Image, dtype: np.dtype[Any], low: float, high: float) -> bool:
    if image.dtype.kind == "f":
        return image.dtype.itemsize <= dtype.itemsize
    limit: int = 2 ** (np.finfo(dtype).nmant + 1)
    return bool(-limit <= low and high <= limit)


def finite_range(image: Image) -> tuple[float, float]:
    """Return the least and the greatest finite sample; (0, 0) if there is none."""
    low, high = np.inf, -np.inf
    for volume in image.iter_volumes():
        finite = volume[np.isfinite(volume)] if volume.dtype.kind == "f" else volume
        if finite.size:
            low, high = min(low, finite.min().item()), max(high, finite.max().item())
    return (low, high) if low <= high else (0.0, 0.0)


def sample_type_losses(image: Image, samples: Samples) -> tuple[Loss, ...]:
    """Return the report that samples are stored in another type, if they are."""
    if samples.dtype == image.dtype:
        return ()
    message = f"`{image.dtype}` samples are stored as `{samples.dtype}`; every value is kept"
    return (Loss("sample-type", message, harmful=False),)


def frame_parts(image: Image, samples: Samples) -> tuple[int, Iterator[NDArray[Any]]]:
    """Return the length in bytes of all frames, and the volumes one after the other."""
    count = int(np.prod(image.array.shape, dtype=np.int64))
    length = count * samples.dtype.itemsize
    return length, (samples.cast(volume) for volume in image.iter_volumes())
