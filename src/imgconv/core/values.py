"""What stored samples mean: rescale, unit, bits, photometric meaning; exact casts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import UnsupportedData
from imgconv.records import record

__all__ = ["Rescale", "ValueMap", "cast_exact"]


@record
class Rescale:
    """A linear map ``slope * stored + intercept``."""

    slope: float = 1.0
    intercept: float = 0.0

    @property
    def is_identity(self) -> bool:
        """Whether the map changes nothing."""
        return self.slope == 1.0 and self.intercept == 0.0


@record(eq=False)
class ValueMap:
    """The meaning of stored samples.

    Parameters
    ----------
    rescale
        From stored samples to real-world values in `unit`.
    unit
        UCUM code, or a DICOM defined term where UCUM has none: ``[hnsf'U]``
        (Hounsfield), ``Bq/ml``; empty if unknown.
    bits_stored
        Significant bits of a sample; None for floating point.
    photometric
        ``MONOCHROME1``, ``MONOCHROME2``, ``RGB``, or ``RGBA`` with an alpha
        channel that is not opaque everywhere, unassociated: palettes are
        expanded and YBR is converted by the readers.
    padding
        Stored values, both ends included, that mark pixels outside the image.
    alternatives
        Further linear maps kept recoverable, by name (Philips: ``display``).
    """

    rescale: Rescale = Rescale()
    unit: str = ""
    bits_stored: int | None = None
    photometric: str = "MONOCHROME2"
    padding: tuple[float, float] | None = None
    alternatives: tuple[tuple[str, Rescale], ...] = ()


def cast_exact(array: NDArray[Any], dtype: np.dtype[Any] | type) -> NDArray[Any]:
    """Return `array` as `dtype` if every value survives unchanged.

    Raises
    ------
    UnsupportedData
        A value would be altered by the cast.
    """
    target = np.dtype(dtype)
    if array.dtype == target or array.size == 0:
        return array.astype(target, copy=False)
    # numpy calls 64-bit integers to float64 safe, which it is only below 2**53.
    rounds = array.dtype.kind in "iu" and array.dtype.itemsize == 8 and target.kind == "f"
    if not rounds and np.can_cast(array.dtype, target, casting="safe"):
        return array.astype(target)
    with np.errstate(all="ignore"):
        cast = array.astype(target)
        back = cast.astype(array.dtype)
        # A wrapped integer survives the way back: compare signs as well.
        same = np.array_equal(back, array, equal_nan=array.dtype.kind in "fc") and np.array_equal(
            np.less(cast, 0), np.less(array, 0)
        )
    if same and rounds:
        # What was rounded up to the first number behind the type's range came back saturated.
        same = bool((cast < 2.0 ** (64 if array.dtype.kind == "u" else 63)).all())
    if not same:
        raise UnsupportedData(
            f"values of type `{array.dtype}` do not fit `{target}` without being altered"
        )
    return cast
