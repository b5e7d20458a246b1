"""Resample an image with a tilted gantry onto orthogonal axes.

The planes stay where they are; within each plane the samples are shifted by
linear interpolation so that the slices come to lie above each other. The grid
grows to hold all of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image, LazyArray
from imgconv.core.loss import Loss

__all__ = ["untilt"]

# Shifts below this part of a pixel are rounding of the positions.
_NO_SHIFT = 1e-3


def untilt(image: Image) -> Image:
    """Return the image on orthogonal axes; an image that is on them comes back as it is.

    Integers stay of their type, rounded to the nearest; what lies outside of
    the original planes gets the padding value, or the smallest sample of its
    volume. The loss ``tilt-resampled`` says that samples were interpolated.
    """
    geometry = image.geometry
    if geometry is None or geometry.is_orthogonal:
        return image
    shifts = _find_shifts(geometry, image.size_ijk)
    fill = image.values.padding[0] if image.values.padding else None
    array: NDArray[Any] | LazyArray
    if isinstance(image.array, LazyArray):
        source = image.array
        shape = (source.shape[0], *shifts.shape(source.shape[1:]))
        array = LazyArray(shape, source.dtype, lambda t: shifts.apply(source.volume(t), fill))
    elif image.axes[0] == "t":
        array = np.stack([shifts.apply(volume, fill) for volume in image.iter_volumes()])
    else:
        array = shifts.apply(np.asarray(image.array), fill)
    loss = Loss(
        "tilt-resampled", "samples were interpolated to undo the gantry tilt", harmful=False
    )
    return replace(
        image, array=array, geometry=shifts.geometry, losses=(*image.losses, loss), display=None
    )


@dataclass(frozen=True, eq=False)
class _Shifts:
    """How far each slice moves, in pixels along j and i, none of them negative."""

    rows: NDArray[np.float64]
    columns: NDArray[np.float64]
    geometry: Geometry

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape ``(k, j, i, ...)`` of a shifted volume."""
        more_rows, more_columns = (math.ceil(axis.max()) for axis in (self.rows, self.columns))
        return (shape[0], shape[1] + more_rows, shape[2] + more_columns, *shape[3:])

    def apply(self, volume: NDArray[Any], fill: float | None) -> NDArray[Any]:
        """Return a volume with its slices shifted."""
        result = np.empty(self.shape(volume.shape), volume.dtype)
        outside = float(volume.min()) if fill is None else fill
        for k, plane in enumerate(volume):
            moved = _shift(plane.astype(np.float64), self.rows[k], 0, result.shape[1], outside)
            moved = _shift(moved, self.columns[k], 1, result.shape[2], outside)
            result[k] = moved if result.dtype.kind == "f" else np.rint(moved)
        return result


def _find_shifts(geometry: Geometry, size_ijk: tuple[int, int, int]) -> _Shifts:
    affine = geometry.affine
    origins = geometry.slice_origins(size_ijk[2])
    normal = np.cross(affine[:3, 0], affine[:3, 1])
    normal /= np.linalg.norm(normal)
    heights = (origins - origins[0]) @ normal
    in_plane = origins - origins[0] - heights[:, None] * normal
    pixels = in_plane @ np.linalg.pinv(affine[:3, :2]).T
    pixels[:, np.ptp(pixels, axis=0) < _NO_SHIFT] = 0
    lowest = pixels.min(axis=0)
    straight = affine.copy()
    straight[:3, 3] = origins[0] + affine[:3, :2] @ lowest
    straight[:3, 2] = normal * (affine[:3, 2] @ normal)
    positions = None
    if geometry.slice_positions is not None:
        positions = straight[:3, 3] + heights[:, None] * normal
    return _Shifts(
        rows=pixels[:, 1] - lowest[1],
        columns=pixels[:, 0] - lowest[0],
        geometry=replace(geometry, affine=straight, slice_positions=positions),
    )


def _shift(
    plane: NDArray[np.float64], offset: float, axis: int, length: int, outside: float
) -> NDArray[np.float64]:
    """Return a plane of that length along `axis`, its samples `offset` farther behind."""
    whole = math.floor(offset)
    part = offset - whole
    shape = list(plane.shape)
    shape[axis] = length + 1
    padded = np.full(shape, outside)
    inner = [slice(None)] * plane.ndim
    inner[axis] = slice(whole, whole + plane.shape[axis])
    padded[tuple(inner)] = plane
    before = np.roll(padded, 1, axis)
    first = [slice(None)] * plane.ndim
    first[axis] = slice(0, 1)
    before[tuple(first)] = outside
    mixed = (1 - part) * padded + part * before
    kept = [slice(None)] * plane.ndim
    kept[axis] = slice(0, length)
    result: NDArray[np.float64] = mixed[tuple(kept)]
    return result
