"""Convert between 8-bit sRGB and the CIELab colours of DICOM.

Source: IEC 61966-2-1 (sRGB); ICC.1:2010 Annex D (D50, Bradford adaptation);
PS3.3 C.10.7.1.1 (L* 0 to 100 and a*, b* -128 to 127 as 0 to 65535).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["lab_to_rgb", "rgb_to_lab"]

# Linear sRGB to XYZ relative to D50.
_TO_XYZ = np.array(
    [
        [0.4360747, 0.3850649, 0.1430804],
        [0.2225045, 0.7168786, 0.0606169],
        [0.0139322, 0.0971045, 0.7141733],
    ]
)
_D50 = np.array([0.9642, 1.0, 0.8251])
_EPSILON, _KAPPA = 216 / 24389, 24389 / 27  # CIE 15
_SCALE = np.array([65535 / 100, 65535 / 255, 65535 / 255])
_OFFSET = np.array([0.0, 128.0, 128.0])


def rgb_to_lab(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return three unsigned 16-bit numbers, as Recommended Display CIELab Value has them."""
    encoded = np.array(colour) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    ratio = _TO_XYZ @ linear / _D50
    f = np.where(ratio > _EPSILON, np.cbrt(ratio), (_KAPPA * ratio + 16) / 116)
    lab = np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])
    return _rounded((lab + _OFFSET) * _SCALE, 65535)


def lab_to_rgb(value: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the nearest 8-bit sRGB colour of a Recommended Display CIELab Value."""
    lightness, a, b = np.array(value) / _SCALE - _OFFSET
    middle = (lightness + 16) / 116
    f = np.array([middle + a / 500, middle, middle - b / 200])
    ratio = np.where(f**3 > _EPSILON, f**3, (116 * f - 16) / _KAPPA)
    linear = np.clip(np.linalg.solve(_TO_XYZ, ratio * _D50), 0, 1)
    encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return _rounded(encoded * 255, 255)


def _rounded(values: NDArray[np.float64], largest: int) -> tuple[int, int, int]:
    first, second, third = (int(part) for part in np.clip(np.rint(values), 0, largest))
    return first, second, third
