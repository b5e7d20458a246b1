"""Put label maps of one grid behind each other, so that their segments may overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from imgconv.core.image import Image
from imgconv.errors import GeometryError, UnsupportedData

__all__ = ["stack_layers"]

_TOLERANCE = 1e-3  # millimetres between the corners of grids that are meant to be the same


def stack_layers(images: Sequence[Image]) -> Image:
    """Return one image whose volumes are the given ones, in order.

    Segments keep their numbers and get the layer that their image becomes.

    Raises
    ------
    GeometryError
        The images do not share one grid.
    UnsupportedData
        An image has colour or a time axis, or there is none.
    """
    if not images:
        raise UnsupportedData("there is no label map to stack")
    first = images[0]
    if len(images) == 1:
        return first
    for image in images:
        if image.axes != "kji":
            raise UnsupportedData("a layer is one volume with one sample per voxel")
        if image.size_ijk != first.size_ijk or not _same_place(image, first):
            raise GeometryError("the layers do not lie on one grid")
    array = np.stack([np.asarray(image.array) for image in images])
    return replace(
        first,
        array=array,
        axes="tkji",
        sources=tuple(source for image in images for source in image.sources),
        segments=tuple(
            replace(segment, layer=layer)
            for layer, image in enumerate(images)
            for segment in image.segments
        ),
        losses=tuple(dict.fromkeys(loss for image in images for loss in image.losses)),
    )


def _same_place(image: Image, other: Image) -> bool:
    if image.geometry is None or other.geometry is None:
        return image.geometry is other.geometry
    corner = np.array([*image.size_ijk, 1.0])
    apart = np.abs(image.geometry.affine - other.geometry.affine) @ corner
    return bool(apart.max() < _TOLERANCE)
