"""Which way round samples are stored in NIfTI: a habit, not a rule of the format.

Users of dcm2niix expect DICOM slices with their rows flipped (an axial series
is stored left, anterior, superior; its determinant is negative), slices that
the scanner numbers against the normal in that order, and 3D acquisitions other
than echo planar ones turned to the nearest right, anterior, superior axes.
Frames of a film that has no place in the patient (ultrasound, angiography) lie
along the third axis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from itertools import permutations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.geometry import LPS_TO_RAS
from imgconv.core.image import Image
from imgconv.core.orient import flip, permute

__all__ = ["Storage", "is_from_dicom", "to_storage"]


class Storage(StrEnum):
    """How the index axes of an output are chosen."""

    AUTO = "auto"  # `dcm2niix` for what came from DICOM, else `keep`
    DCM2NIIX = "dcm2niix"
    RAS = "ras"
    KEEP = "keep"


def is_from_dicom(image: Image) -> bool:
    """Whether an image was made from DICOM objects."""
    return any(source.sop_instance_uid for source in image.sources)


def to_storage(image: Image, storage: Storage) -> Image:
    """Return `image` with its index axes flipped and permuted as `storage` says."""
    if storage is Storage.AUTO:
        storage = Storage.DCM2NIIX if is_from_dicom(image) else Storage.KEEP
    if storage is Storage.KEEP:
        return image
    if storage is Storage.RAS or _is_3d_acquisition(image):
        # Without geometry there is nothing to turn: rows stay as they are.
        if image.geometry is None:
            return image
        return _to_ras(image) if storage is Storage.RAS else _from_corner(image)
    image = flip(image, "j")
    if image.geometry is None:
        return _frames_as_slices(image) if _is_film(image) else image
    runs_along_normal = bool(np.linalg.det(_ras(image)) < 0)
    return flip(image, "k") if runs_along_normal == image.reversed_slices else image


def _is_film(image: Image) -> bool:
    return image.axes.startswith("t") and image.size_ijk[2] == 1


def _frames_as_slices(image: Image) -> Image:
    """Return a film as a stack; all of its frames are in memory then."""
    metadata = image.metadata
    per_slice = {name: (values,) for name, values in metadata.per_volume.items()}
    return replace(
        image,
        array=np.asarray(image.array)[:, 0],
        axes=image.axes[1:],
        metadata=replace(metadata, per_volume={}, per_slice=per_slice),
        display=None,
    )


def _is_3d_acquisition(image: Image) -> bool:
    geometry = image.geometry
    shared = image.metadata.shared
    return (
        shared.get("MRAcquisitionType") == "3D"
        and not _is_echo_planar(shared)
        and image.volume_count == 1
        and image.size_ijk[2] > 1
        and (geometry is None or geometry.slice_positions is None)
    )


def _is_echo_planar(shared: Mapping[str, Any]) -> bool:
    sequence = shared.get("ScanningSequence", ())
    names = (sequence,) if isinstance(sequence, str) else sequence
    return "EP" in names or shared.get("EchoPlanarPulseSequence") == "YES"


def _ras(image: Image) -> NDArray[np.float64]:
    """Return the 3x3 part of the affine in RAS."""
    if image.geometry is None:
        raise ValueError("no geometry")
    matrix: NDArray[np.float64] = (LPS_TO_RAS @ image.geometry.affine)[:3, :3]
    return matrix


def _from_corner(image: Image) -> Image:
    """Turn the axes as dcm2niix does, which differs from `_to_ras` for oblique volumes only.

    The first voxel is that corner which lies nearest to the most left,
    posterior and inferior place of the box around the volume. The order of
    the axes is the one with the largest sum of steps, in mm, along R, A, S.
    """
    steps = _ras(image)
    sides = steps * (np.array(image.size_ijk) - 1)
    corners = np.array(list(product((0, 1), repeat=3)))
    places = corners @ sides.T
    far = corners[np.argmin(((places - places.min(axis=0)) ** 2).sum(axis=1))]
    steps = steps * np.where(far, -1, 1)
    for axis in np.flatnonzero(far):
        image = flip(image, "ijk"[axis])
    order = max(permutations(range(3)), key=lambda axes: sum(steps[n, axes[n]] for n in range(3)))
    return permute(image, "".join("ijk"[axis] for axis in order))


def _to_ras(image: Image) -> Image:
    """Turn the axes to the nearest right, anterior, superior ones."""
    unit = _ras(image)
    unit = unit / np.linalg.norm(unit, axis=0)
    orders = list(permutations(range(3)))
    if image.geometry is not None and image.geometry.slice_positions is not None:
        orders = [order for order in orders if order[2] == 2]
    # The new axis n is the old axis order[n]: the choice that lies closest to R, A, S.
    order = max(orders, key=lambda axes: sum(abs(unit[n, axes[n]]) for n in range(3)))
    image = permute(image, "".join("ijk"[axis] for axis in order))
    for n, axis in enumerate("ijk"):
        if _ras(image)[n, n] < 0:
            image = flip(image, axis)
    return image
