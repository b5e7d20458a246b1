"""Interpolate an image whose rows and columns are not orthogonal onto ones that are.

Each row is moved along itself, by linear interpolation, so that columns
become orthogonal to rows; the first row stays where it is. Asked for by
``--resample`` only.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image, LazyArray
from imgconv.core.loss import Loss

__all__ = ["remove_in_plane_shear"]

# Cosine of the angle between rows and columns that rounding explains.
_ROUNDING = 1e-4


def remove_in_plane_shear(image: Image) -> Image:
    """Return `image`, or an interpolated one that reports the loss ``resampled``."""
    geometry = image.geometry
    if geometry is None:
        return image
    directions = geometry.directions
    if abs(float(directions[:, 0] @ directions[:, 1])) <= _ROUNDING:
        return image
    along, down = geometry.affine[:3, 0], geometry.affine[:3, 1]
    shear = float(down @ along / (along @ along))  # columns by which each row is shifted
    columns, rows, _ = image.size_ijk
    first = math.floor(min(0.0, shear * (rows - 1)))
    width = columns + math.ceil(abs(shear) * (rows - 1))
    where = np.arange(width)[None, :] + first - shear * np.arange(rows)[:, None]
    loss = Loss("resampled", "rows were interpolated to be orthogonal to columns", harmful=False)
    return replace(
        image,
        array=_map(image, lambda volume: _interpolate(volume, where)),
        geometry=_straightened(geometry, shear, first),
        losses=(*image.losses, loss),
    )


def _straightened(geometry: Geometry, shear: float, first: int) -> Geometry:
    affine = geometry.affine.copy()
    affine[:3, 1] -= shear * affine[:3, 0]
    affine[:3, 3] += first * affine[:3, 0]
    positions = geometry.slice_positions
    if positions is not None:
        positions = positions + first * affine[:3, 0]
    return replace(geometry, affine=affine, slice_positions=positions)


def _map(image: Image, change: Any) -> NDArray[Any] | LazyArray:
    array = image.array
    if image.axes[0] != "t":
        result: NDArray[Any] = change(np.asarray(array))
        return result
    volumes = image.volume_count
    load = array.volume if isinstance(array, LazyArray) else np.asarray(array).__getitem__
    sample = change(np.asarray(load(0)))
    return LazyArray((volumes, *sample.shape), array.dtype, lambda t: change(np.asarray(load(t))))


def _interpolate(volume: NDArray[Any], where: NDArray[np.float64]) -> NDArray[Any]:
    """Return the rows of ``(k, j, i)`` or ``(k, j, i, c)`` at columns `where` (j, i)."""
    columns = volume.shape[2]
    low = np.floor(where).astype(np.intp)
    weight = (where - low).reshape(where.shape + (1,) * (volume.ndim - 3))
    inside = (where >= 0) & (where <= columns - 1)
    left, right = np.clip(low, 0, columns - 1), np.clip(low + 1, 0, columns - 1)
    rows = np.arange(volume.shape[1])[:, None]
    values = volume[:, rows, left] * (1 - weight) + volume[:, rows, right] * weight
    if volume.dtype.kind in "iu":
        values = np.rint(values)
    values = values.astype(volume.dtype)
    values[:, ~inside] = volume.min() if volume.size else 0
    return values
