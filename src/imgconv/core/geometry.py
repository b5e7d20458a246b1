"""Index -> patient geometry, in LPS millimetres.

The affine maps an index ``(i, j, k, 1)`` (column, row, slice, counted from 0
at voxel centres) to patient coordinates (x to the left, y to the back, z to
the head): PS3.3 C.7.6.2.1.1. Arrays are indexed ``[k, j, i]``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import GeometryError
from imgconv.records import record

__all__ = ["LPS_TO_RAS", "Geometry"]

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
LPS_TO_RAS.setflags(write=False)

# Axes of unit length whose triple product is below this do not span space.
_MIN_VOLUME = 1e-6


@record(eq=False)
class Geometry:
    """Where each voxel lies in the patient.

    Parameters
    ----------
    affine
        4x4 float64, index ``(i, j, k, 1)`` to LPS millimetres. It may be
        sheared (gantry tilt).
    frame_of_reference_uid
        Empty if unknown.
    slice_positions
        3-vectors (k, 3), LPS millimetres, of each slice's first voxel, only
        if no affine fits them (unequal spacing); `affine` then has the first
        position and a nominal step. None if the affine is exact.
    slice_thickness
        Millimetres, None if unknown; it may differ from the spacing.

    Raises
    ------
    GeometryError
        The affine is not finite, or its axes do not span space.
    """

    affine: NDArray[np.float64]
    frame_of_reference_uid: str = ""
    slice_positions: NDArray[np.float64] | None = None
    slice_thickness: float | None = None

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise GeometryError("the affine is not a finite 4x4 matrix")
        if not np.array_equal(affine[3], [0, 0, 0, 1]):
            raise GeometryError("the affine's last row is not 0 0 0 1")
        norms = np.linalg.norm(affine[:3, :3], axis=0)
        if (norms == 0).any() or abs(np.linalg.det(affine[:3, :3] / norms)) < _MIN_VOLUME:
            raise GeometryError("the affine's axes do not span space")
        affine.setflags(write=False)
        object.__setattr__(self, "affine", affine)

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Millimetres between voxel centres along i, j, k."""
        i, j, k = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(i), float(j), float(k)

    @property
    def origin(self) -> NDArray[np.float64]:
        """LPS position of voxel (0, 0, 0), millimetres."""
        return self.affine[:3, 3]

    @property
    def directions(self) -> NDArray[np.float64]:
        """3x3, column n is the unit vector of axis i, j, k in LPS."""
        axes: NDArray[np.float64] = self.affine[:3, :3]
        units: NDArray[np.float64] = axes / np.linalg.norm(axes, axis=0)
        return units

    def slice_origins(self, count: int) -> NDArray[np.float64]:
        """Return the LPS position (count, 3) of each slice's first voxel, millimetres."""
        if self.slice_positions is not None:
            return self.slice_positions
        steps = np.arange(count, dtype=np.float64)[:, None] * self.affine[:3, 2]
        positions: NDArray[np.float64] = self.origin + steps
        return positions

    @property
    def is_orthogonal(self) -> bool:
        """Whether the axes are orthogonal within 1e-4 (no gantry tilt)."""
        directions = self.directions
        return bool(np.allclose(directions.T @ directions, np.eye(3), atol=1e-4))

    def flipped(self, axis: int, length: int) -> Geometry:
        """Return the geometry after reversing index axis 0 (i), 1 (j) or 2 (k) of that length."""
        affine = self.affine.copy()
        affine[:3, 3] += affine[:3, axis] * (length - 1)
        affine[:3, axis] *= -1
        positions = self.slice_positions
        if positions is not None:
            if axis == 2:
                positions = positions[::-1]
            else:
                positions = positions + self.affine[:3, axis] * (length - 1)
        return replace(self, affine=affine, slice_positions=positions)

    def permuted(self, order: tuple[int, int, int]) -> Geometry:
        """Return the geometry whose axis n is this one's axis ``order[n]``.

        Raises
        ------
        GeometryError
            The slices are unevenly spaced and the order moves the slice axis.
        """
        if self.slice_positions is not None and order[2] != 2:
            raise GeometryError("unevenly spaced slices cannot become another axis")
        affine = self.affine.copy()
        affine[:, :3] = self.affine[:, list(order)]
        return replace(self, affine=affine)
