"""Turn an image so that its planes are those of its reference.

A mask of a sagittal series is often stored with its axes permuted, as NIfTI
programs like it. Voxels keep their place in the patient.
"""

from __future__ import annotations

from itertools import permutations

from imgconv.core.image import Image
from imgconv.core.options import WriteOptions
from imgconv.core.orient import permute
from imgconv.dicom.reference import find_flips, read_references

__all__ = ["turn_to_reference"]


def turn_to_reference(image: Image, options: WriteOptions) -> Image:
    """Return the image, its axes permuted if only that puts it on a grid of the reference.

    Raises
    ------
    CorruptData, UsageError
        As `read_references`.
    """
    geometry = image.geometry
    if not options.reference or geometry is None or geometry.slice_positions is not None:
        return image
    grids = [one.grid for one in read_references(options.reference) if one.grid is not None]
    size = image.size_ijk
    for order in permutations(range(3)):
        turned = geometry.permuted((order[0], order[1], order[2]))
        turned_size = (size[order[0]], size[order[1]], size[order[2]])
        if any(find_flips(turned, turned_size, grid) is not None for grid in grids):
            return permute(image, "".join("ijk"[axis] for axis in order))
    return image
