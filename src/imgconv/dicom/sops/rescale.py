"""Slope and intercept: which objects hold them, and whether a Decimal String does."""

from __future__ import annotations

import numpy as np

from imgconv.core.image import Image
from imgconv.core.loss import Loss
from imgconv.dicom.attributes import format_ds
from imgconv.errors import UnsupportedData

__all__ = ["check_rescale"]


def check_rescale(
    image: Image, title: str, slope: bool = True, intercept: bool = True
) -> tuple[Loss, ...]:
    """Return the loss that comes of writing the rescale.

    Parameters
    ----------
    slope, intercept
        Whether the object has a place for them.

    Raises
    ------
    UnsupportedData
        It has no place for one that matters.
    """
    rescale = image.values.rescale
    if (rescale.slope != 1 and not slope) or (rescale.intercept != 0 and not intercept):
        way = "enhanced-mr" if title.startswith("MR") else "parametric-map"
        what = "rescale" if not slope else "rescale intercept other than 0"
        raise UnsupportedData(f"{title} has no place for a {what}", hint=f"choose `--as {way}`")
    if _is_held(rescale.slope) and _is_held(rescale.intercept):
        return ()
    return (
        Loss(
            "rescale-precision",
            "slope or intercept are rounded to the 16 characters of a Decimal String",
            harmful=False,
        ),
    )


def _is_held(value: float) -> bool:
    """Whether a Decimal String gives `value`, or the single precision number that it is."""
    back = float(format_ds(value))
    return back == value or (
        float(np.float32(value)) == value and np.float32(back) == np.float32(value)
    )
