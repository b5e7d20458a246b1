"""Family G: contours of structure sets that are not where they say (G014).

Source
------
PS3.3 C.8.8.6.1 (contour geometric type): planar contours lie in one plane
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from imgconv.core.vectors import dot
from imgconv.dicom.elements import Item
from imgconv.rules.instance import Hit, Instance

__all__ = ["check_contours"]

_REGIONS, _CONTOURS = 0x30060039, 0x30060040
_TYPE, _DATA = 0x30060042, 0x30060050
_PLANAR = frozenset({"CLOSED_PLANAR", "OPEN_PLANAR", "CLOSEDPLANAR_XOR"})
_TOLERANCE_MM = 0.5
_Point = tuple[float, float, float]


def check_contours(instance: Instance) -> Iterator[Hit]:
    """Check that planar contours are planar (G014); the first of each region that is not."""
    if instance.is_truncated:
        return
    for region in instance.dataset.items_of(_REGIONS):
        for contour in region.items_of(_CONTOURS):
            if contour.text(_TYPE) in _PLANAR and not _is_planar(contour):
                message = "a planar contour is not in one plane"
                yield Hit("G014", message, contour.path_to(_DATA))
                break


def _is_planar(contour: Item) -> bool:
    values = contour.numbers(_DATA)
    if len(values) < 12 or len(values) % 3:
        return True  # three points are always in a plane
    if any(_extent(values[axis::3]) <= _TOLERANCE_MM for axis in range(3)):
        return True
    points: list[_Point] = list(zip(values[::3], values[1::3], values[2::3], strict=True))
    normal = _find_normal(points)
    size = math.hypot(*normal)
    if size == 0:
        return True
    offsets = [dot(normal, point) / size for point in points]
    return _extent(offsets) <= _TOLERANCE_MM


def _extent(values: Sequence[float]) -> float:
    return max(values) - min(values)


def _find_normal(points: list[_Point]) -> _Point:
    """Return the area vector of a polygon (Newell): along the normal if it is planar."""
    x = y = z = 0.0
    for (ax, ay, az), (bx, by, bz) in zip(points, (*points[1:], points[0]), strict=True):
        x += (ay - by) * (az + bz)
        y += (az - bz) * (ax + bx)
        z += (ax - bx) * (ay + by)
    return x, y, z
