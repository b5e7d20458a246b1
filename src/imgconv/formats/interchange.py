"""Hand images to nibabel, SimpleITK and highdicom, and take theirs, without a file in between.

The hub keeps stored samples; so do these: nothing is rescaled. The slope and
intercept go into nibabel's header, which applies them on request; the others
have no place for them, so an image that has them is refused unless the caller
asks for real values.

Not supported: colour to nibabel, time-like axes to highdicom, complex samples,
images without a geometry.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.geometry import LPS_TO_RAS, Geometry
from imgconv.core.image import Image
from imgconv.core.rescale import to_real
from imgconv.core.values import Rescale, ValueMap
from imgconv.errors import UnsupportedData

__all__ = [
    "from_highdicom",
    "from_nibabel",
    "from_simpleitk",
    "to_highdicom",
    "to_nibabel",
    "to_simpleitk",
]

# Direction cosines that SimpleITK takes for orthonormal.
_ORTHOGONAL = 1e-6


def to_nibabel(image: Image) -> Any:  # a nibabel.Nifti1Image; nibabel has no types
    """Return a `nibabel.Nifti1Image` with the stored samples, axes ``i j k [t]``.

    Parameters
    ----------
    image
        Its slope and intercept go into the header; `get_fdata` applies them.

    Raises
    ------
    UnsupportedData
        The image has no geometry, slices that no affine holds, or colour.
    """
    import nibabel

    geometry = _require_grid(image)
    if "c" in image.axes:
        raise UnsupportedData("colour cannot be handed to nibabel as scalars")
    array = np.asarray(image.array).T
    made = nibabel.Nifti1Image(array, LPS_TO_RAS @ geometry.affine, dtype=array.dtype)
    made.header.set_xyzt_units("mm", "sec")
    rescale = image.values.rescale
    if not rescale.is_identity:
        made.header.set_slope_inter(rescale.slope, rescale.intercept)
    return made


def from_nibabel(source: Any) -> Image:  # a nibabel spatial image
    """Return the image of a nibabel image with 3 or 4 axes.

    Raises
    ------
    UnsupportedData
        It has another number of axes, or samples that are no real numbers.
    """
    array = np.asarray(getattr(source.dataobj, "get_unscaled", lambda: source.dataobj)())
    if array.ndim not in (3, 4) or array.dtype.kind not in "iuf":
        raise UnsupportedData(f"an array of {array.ndim} axes of `{array.dtype}` is no image")
    slope = getattr(source.dataobj, "slope", 1.0)
    intercept = getattr(source.dataobj, "inter", 0.0)
    return Image(
        _native(array.T),
        "kji" if array.ndim == 3 else "tkji",
        geometry=Geometry(LPS_TO_RAS @ np.asarray(source.affine, np.float64)),
        values=ValueMap(rescale=Rescale(float(slope), float(intercept))),
    )


def to_simpleitk(image: Image, *, real_values: bool = False) -> Any:  # a SimpleITK.Image
    """Return a `SimpleITK.Image`; a time-like axis becomes the fourth dimension.

    Parameters
    ----------
    real_values
        Apply slope and intercept, where there are any.

    Raises
    ------
    UnsupportedData
        The image has no geometry, sheared axes, slices that no affine holds,
        or a rescale that `real_values` does not apply.
    """
    import SimpleITK

    geometry = _require_grid(image)
    directions = geometry.directions
    if not np.allclose(directions.T @ directions, np.eye(3), atol=_ORTHOGONAL):
        raise UnsupportedData("SimpleITK holds orthogonal axes only; these are sheared")
    image = _without_rescale(image, "SimpleITK", real_values=real_values)
    array = np.ascontiguousarray(np.asarray(image.array))
    is_series = image.axes[0] == "t"
    made = SimpleITK.GetImageFromArray(array, isVector="c" in image.axes)
    spacing, origin = list(geometry.spacing), geometry.origin.tolist()
    if is_series:
        grown = np.eye(4)
        grown[:3, :3] = directions
        directions, spacing, origin = grown, [*spacing, 1.0], [*origin, 0.0]
    made.SetSpacing(spacing)
    made.SetOrigin(origin)
    made.SetDirection(directions.ravel().tolist())
    return made


def from_simpleitk(source: Any) -> Image:  # a SimpleITK.Image
    """Return the image of a SimpleITK image of 3 or 4 dimensions.

    Raises
    ------
    UnsupportedData
        It has another number of dimensions, or samples that are no real numbers.
    """
    import SimpleITK

    dimensions = source.GetDimension()
    array = SimpleITK.GetArrayFromImage(source)
    if dimensions not in (3, 4) or array.dtype.kind not in "iuf":
        raise UnsupportedData(f"{dimensions} dimensions of `{array.dtype}` are no image")
    axes = "tkji"[4 - dimensions :] + ("c" if source.GetNumberOfComponentsPerPixel() > 1 else "")
    directions = np.reshape(source.GetDirection(), (dimensions, dimensions))[:3, :3]
    affine = np.eye(4)
    affine[:3, :3] = directions * np.asarray(source.GetSpacing()[:3])
    affine[:3, 3] = source.GetOrigin()[:3]
    return Image(array, axes, geometry=Geometry(affine))


def to_highdicom(image: Image, *, real_values: bool = False) -> Any:  # a highdicom.Volume
    """Return a `highdicom.Volume` with array axes ``k j i``, colour as its RGB channel.

    Its affine (mm, LPS) maps the array's indices, so its columns are in the order
    ``k j i`` too; highdicom's builders of derived objects take it as it is.

    Parameters
    ----------
    real_values
        Apply slope and intercept, where there are any.

    Raises
    ------
    UnsupportedData
        The image has no geometry, sheared axes, slices that no affine holds,
        a time-like axis, or a rescale that `real_values` does not apply.
    """
    import highdicom
    from highdicom.volume import RGB_COLOR_CHANNEL_DESCRIPTOR

    geometry = _require_grid(image)
    if image.axes not in ("kji", "kjic"):
        raise UnsupportedData("a highdicom volume has three spatial axes and no time")
    image = _without_rescale(image, "highdicom", real_values=real_values)
    try:
        return highdicom.Volume(
            np.asarray(image.array),
            geometry.affine[:, [2, 1, 0, 3]],
            "PATIENT",
            frame_of_reference_uid=geometry.frame_of_reference_uid or None,
            channels={RGB_COLOR_CHANNEL_DESCRIPTOR: [*"RGB"]} if "c" in image.axes else None,
        )
    except ValueError as error:
        raise UnsupportedData(f"highdicom holds no such volume: {error}") from error


def from_highdicom(source: Any) -> Image:  # a highdicom.Volume
    """Return the image of a `highdicom.Volume` in the patient's coordinate system.

    Raises
    ------
    UnsupportedData
        It lies in a slide's coordinate system, has channels that are no
        colours, or samples that are no real numbers.
    """
    from highdicom import CoordinateSystemNames
    from highdicom.volume import RGB_COLOR_CHANNEL_DESCRIPTOR

    channels = tuple(source.channel_descriptors)
    if source.coordinate_system != CoordinateSystemNames.PATIENT:
        raise UnsupportedData("a volume of a slide has no place in the patient")
    if channels not in ((), (RGB_COLOR_CHANNEL_DESCRIPTOR,)) or source.dtype.kind not in "iuf":
        raise UnsupportedData(f"channels of `{source.dtype}` that are no colours are no image")
    return Image(
        _native(source.array),
        "kjic" if channels else "kji",
        geometry=Geometry(
            np.asarray(source.affine, np.float64)[:, [2, 1, 0, 3]],
            frame_of_reference_uid=str(source.frame_of_reference_uid or ""),
        ),
    )


def _without_rescale(image: Image, library: str, *, real_values: bool) -> Image:
    if image.values.rescale.is_identity:
        return image
    if not real_values:
        raise UnsupportedData(
            f"{library} holds no slope and intercept; ask for real values to apply them"
        )
    return to_real(image)


def _require_grid(image: Image) -> Geometry:
    if image.geometry is None:
        raise UnsupportedData("the image has no geometry")
    if image.geometry.slice_positions is not None:
        raise UnsupportedData("the slices are unevenly spaced; no affine holds them")
    return image.geometry


def _native(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="), copy=False))
