"""Positions and orientation of an image's slices as DICOM has them.

Columns run along axis i, rows along axis j; each slice is placed by the
affine, so that a gantry shear along k is kept. Nothing is flipped or
resampled, unless the image is to match a reference's planes.

Source: PS3.3 C.7.6.2, C.7.6.16.2.1.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from imgconv.core.geometry import LPS_TO_RAS, Geometry
from imgconv.core.image import Image
from imgconv.core.loss import Loss
from imgconv.core.orient import flip
from imgconv.dicom.attributes import format_ds
from imgconv.dicom.context import Context
from imgconv.dicom.reference import Grid, nearest_plane
from imgconv.errors import GeometryError, InternalError, UnsupportedData

__all__ = ["Planes", "check_geometry", "place_image", "planes_of"]

# Cosine of the angle between rows and columns that rounding explains.
_IN_PLANE_SHEAR = 1e-4
# A distance of slices that went through single precision differs by less, in millimetres.
_SAME_GAP = 1e-3


class Planes:
    """The attributes of the Image Plane module of an image with geometry.

    Raises
    ------
    GeometryError
        Rows and columns are not orthogonal.
    """

    def __init__(self, geometry: Geometry, slices: int) -> None:
        _require_no_in_plane_shear(geometry)
        directions = geometry.directions
        self.orientation = [format_ds(v) for v in (*directions[:, 0], *directions[:, 1])]
        spacing_i, spacing_j, _ = geometry.spacing
        self.spacing = [format_ds(spacing_j), format_ds(spacing_i)]
        self.normal: NDArray[np.float64] = np.cross(directions[:, 0], directions[:, 1])
        self.origins = geometry.slice_origins(slices)
        self.gap = self._gap(geometry)
        thickness = geometry.slice_thickness
        self.thickness = format_ds(thickness or self.gap)
        # One slice has no neighbour (the third axis of its affine is its thickness), uneven slices
        # have no one distance.
        even = slices > 1 and geometry.slice_positions is None
        self.spacing_between = format_ds(self.gap) if even else ""

    def snap(self, grid: Grid) -> None:
        """Take the numbers of a reference's planes, which these coincide with.

        Rounding apart they are the same; equal texts let viewers see that.
        """
        nearest = [nearest_plane(grid, origin) for origin in self.origins]
        planes = [plane for plane in nearest if plane is not None]
        if len(planes) == len(nearest):
            self.orientation = [format_ds(float(value)) for value in grid.orientation]
            self.spacing = [format_ds(value) for value in grid.spacing]
            self.origins = np.array([plane.position for plane in planes])

    def _gap(self, geometry: Geometry) -> float:
        """Return the distance of neighbouring slices along the normal."""
        return abs(float(np.dot(geometry.affine[:3, 2], self.normal)))

    def position(self, k: int) -> list[str]:
        """Return Image Position (Patient) of slice `k`."""
        return [format_ds(float(value)) for value in self.origins[k]]

    def location(self, k: int) -> str:
        """Return Slice Location: the distance from the origin along the normal."""
        return format_ds(round(float(np.dot(self.origins[k], self.normal)), 6))


def _require_no_in_plane_shear(geometry: Geometry) -> None:
    directions = geometry.directions
    if abs(float(directions[:, 0] @ directions[:, 1])) > _IN_PLANE_SHEAR:
        raise GeometryError(
            "rows and columns are not orthogonal (in-plane shear), which no DICOM image can say",
            hint="resample it first: `--resample`",
        )


def check_geometry(image: Image) -> tuple[Loss, ...]:
    """Return what placing the slices would lose, or assume.

    Raises
    ------
    GeometryError
        Rows and columns are not orthogonal.
    """
    if image.geometry is not None:
        _require_no_in_plane_shear(image.geometry)
        return ()
    return (
        Loss(
            "assumed-geometry",
            "the position in the patient is unknown: axes to the left, back and head, "
            "centred, would be assumed; `--as secondary-capture` needs none",
            harmful=True,
        ),
    )


def planes_of(image: Image, context: Context | None = None) -> Planes:
    """Return the planes of an image that `place_image` has placed on its reference's grid."""
    if image.geometry is None:
        raise InternalError("the image has no geometry")
    planes = Planes(image.geometry, image.size_ijk[2])
    reference = None if context is None else context.reference
    if reference is not None and reference.grid is not None:
        planes.snap(reference.grid)
        stated = reference.shared.get("SpacingBetweenSlices")
        if stated and abs(float(stated) - planes.gap) < _SAME_GAP:
            planes.spacing_between = format_ds(float(stated))
    return planes


def place_image(image: Image, context: Context) -> Image:
    """Return the image with a geometry, and flipped as its reference is stored.

    Without geometry the axes are those that NIfTI readers assume: x runs to
    the left with i, and the middle of the volume lies in the origin. It was
    allowed by name, see `check_geometry`.
    """
    if image.geometry is None:
        image = replace(image, geometry=_assumed_geometry(image))
    for axis, reverse in zip("ij", context.flips, strict=True):
        if reverse:
            image = flip(image, axis)
    return image


def _assumed_geometry(image: Image) -> Geometry:
    shared = image.metadata.shared
    try:
        row, column = (float(v) for v in shared.get("PixelSpacing", (1.0, 1.0)))
        between = float(shared.get("SpacingBetweenSlices", 1.0))
    except (TypeError, ValueError) as error:
        raise UnsupportedData("the pixel spacing is not two numbers") from error
    spacing = np.array([column or 1.0, row or 1.0, between or 1.0])
    affine = np.eye(4)
    # RAS of the base affine: x reversed, y and z as stored.
    affine[:3, :3] = np.diag(spacing * [-1.0, 1.0, 1.0])
    centre = (np.array(image.size_ijk) - 1) / 2
    affine[:3, 3] = -affine[:3, :3] @ centre
    return Geometry(LPS_TO_RAS @ affine)
