"""Order slices along their normal, and say which geometry they form.

Source
------
PS3.3 C.7.6.2.1.1 (position and orientation)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imgconv.core.geometry import Geometry
from imgconv.dicom.slices import Slice
from imgconv.errors import GeometryError
from imgconv.records import record

__all__ = ["Locations", "find_gaps", "geometry_of", "locate"]

# Two slices are at one place if they are closer than this part of the slice spacing.
_SAME_PLACE = 0.05
# Without any statement on spacing, this many millimetres.
_SAME_PLACE_MM = 0.01
# Positions that are on a grid within this are on it: writers round to two or more digits.
_ON_GRID_MM = 0.02
_ON_GRID = 0.01
# A gap of a whole number of steps means missing slices if it is that close to it.
_WHOLE_STEPS = 0.05
_UNIT_TOLERANCE = 0.01


@record
class Locations:
    """Where slices of one orientation are.

    Parameters
    ----------
    index
        For each slice the number of its location, counted along the normal.
    origins
        (k, 3) LPS position of each location, ordered along the normal.
    """

    index: NDArray[np.intp]
    origins: NDArray[np.float64]

    @property
    def count(self) -> int:
        """How many different locations there are."""
        return len(self.origins)


def normal_of(orientation: Sequence[float]) -> NDArray[np.float64]:
    """Return the unit normal, row direction x column direction.

    Raises
    ------
    GeometryError
        The directions are no orthogonal unit vectors.
    """
    directions = np.asarray(orientation, dtype=np.float64).reshape(2, 3)
    lengths = np.linalg.norm(directions, axis=1)
    if (
        not np.isfinite(directions).all()
        or np.abs(lengths - 1).max() > _UNIT_TOLERANCE
        or abs(directions[0] @ directions[1]) > _UNIT_TOLERANCE
    ):
        raise GeometryError("Image Orientation (Patient) is no pair of orthogonal unit vectors")
    normal: NDArray[np.float64] = np.cross(directions[0], directions[1])
    return normal / np.linalg.norm(normal)


def locate(slices: Sequence[Slice]) -> Locations:
    """Cluster slices of one orientation by their distance along the normal.

    Raises
    ------
    GeometryError
        A position is not finite, or the orientation is impossible.
    """
    normal = normal_of(slices[0].orientation)
    origins = np.array([item.position for item in slices], dtype=np.float64)
    if not np.isfinite(origins).all():
        raise GeometryError("Image Position (Patient) is not finite")
    distances = origins @ normal
    order = np.argsort(distances, kind="stable")
    starts_new = np.diff(distances[order], prepend=-np.inf) > _tolerance(slices)
    index = np.empty(len(slices), dtype=np.intp)
    index[order] = np.cumsum(starts_new) - 1
    return Locations(index=index, origins=origins[order[starts_new]])


def _tolerance(slices: Sequence[Slice]) -> float:
    stated = [abs(item.step or item.thickness or 0.0) for item in slices]
    known = [value for value in stated if value > 0]
    return min(0.2, max(0.001, _SAME_PLACE * min(known))) if known else _SAME_PLACE_MM


def find_gaps(origins: NDArray[np.float64], slices: Sequence[Slice]) -> int:
    """Return how many slices are missing between the first and the last one.

    Slices are missing where some distances are whole multiples of the
    regular one, which is the commonest and the smallest, and the slice
    thickness gives no other reason.
    """
    if len(origins) < 3:
        return 0
    gaps = np.linalg.norm(np.diff(origins, axis=0), axis=1)
    multiples = gaps / gaps.min()
    whole = np.rint(multiples)
    regular = np.count_nonzero(whole == 1)
    if 2 * regular < len(gaps) or np.abs(multiples - whole).max() > _WHOLE_STEPS:
        return 0
    if len({round(item.thickness, 3) for item in slices if item.thickness}) > 1:
        return 0
    return int(whole.sum() - len(gaps))


def geometry_of(slices: Sequence[Slice], origins: NDArray[np.float64]) -> Geometry:
    """Return the geometry of slices in order of location.

    Raises
    ------
    GeometryError
        Orientation, spacing or positions cannot be right.
    """
    first = slices[0]
    normal = normal_of(first.orientation)
    if len(first.spacing) != 2 or min(first.spacing) <= 0:
        raise GeometryError("Pixel Spacing is missing or not positive")
    affine = np.eye(4)
    affine[:3, 0] = np.array(first.orientation[:3]) * first.spacing[1]
    affine[:3, 1] = np.array(first.orientation[3:]) * first.spacing[0]
    affine[:3, 3] = origins[0]
    positions = None
    if len(origins) == 1:
        affine[:3, 2] = normal * single_step(first)
    else:
        step = (origins[-1] - origins[0]) / (len(origins) - 1)
        if _is_even(origins, step):
            affine[:3, 2] = step
        else:
            positions = origins
            affine[:3, 2] = _nominal_step(origins, normal)
    return Geometry(
        affine=affine,
        frame_of_reference_uid=str(first.kind[-1] or ""),
        slice_positions=positions,
        slice_thickness=first.thickness if first.thickness and first.thickness > 0 else None,
    )


def single_step(item: Slice) -> float:
    """Return the extent of a single slice along its normal, in mm; 1 if nobody knows."""
    for value in (item.step, item.thickness):
        if value:
            return abs(value)
    return 1.0


def _is_even(origins: NDArray[np.float64], step: NDArray[np.float64]) -> bool:
    ideal = origins[0] + np.arange(len(origins))[:, None] * step
    worst = float(np.linalg.norm(origins - ideal, axis=1).max())
    return worst <= max(_ON_GRID_MM, _ON_GRID * float(np.linalg.norm(step)))


def _nominal_step(origins: NDArray[np.float64], normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the step that users of other converters expect where no step is right.

    It points from the first slice to the last, and is as long as the first
    gap along the normal.
    """
    whole = origins[-1] - origins[0]
    first_gap = float((origins[1] - origins[0]) @ normal)
    step: NDArray[np.float64] = whole / np.linalg.norm(whole) * first_gap
    return step
