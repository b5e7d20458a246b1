"""Images without any symmetry, of all kinds that a format says it can hold."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image
from imgconv.core.values import ValueMap
from imgconv.spec import FormatSpec

__all__ = ["sample_image", "sample_images"]

_SHAPES = {"kji": (3, 4, 5), "tkji": (2, 3, 4, 5), "kjic": (3, 4, 5, 3)}
_PLANE = {"kji": (1, 4, 5), "kjic": (1, 4, 5, 3)}


def sample_image(dtype: str = "int16", axes: str = "kji", *, is_plane: bool = False) -> Image:
    """Return an oblique image whose samples are all different as far as `dtype` allows.

    Parameters
    ----------
    dtype
        A numpy name.
    axes
        ``kji``, ``tkji`` or ``kjic``.
    is_plane
        Whether there is only one slice, and no place in a patient.
    """
    shape = (_PLANE if is_plane else _SHAPES)[axes]
    array = (np.arange(math.prod(shape)) % 251).astype(dtype).reshape(shape)
    is_colour = axes.endswith("c")
    return Image(
        array,
        axes,
        geometry=None if is_plane else Geometry(_oblique()),
        values=ValueMap(
            bits_stored=array.dtype.itemsize * 8 if array.dtype.kind in "iu" else None,
            photometric="RGB" if is_colour else "MONOCHROME2",
        ),
        name="sample",
    )


def sample_images(spec: FormatSpec) -> Iterator[Image]:
    """Yield an image of each kind that a format's capabilities claim."""
    held = spec.capabilities
    is_plane = held.max_dims < 3
    for dtype in held.dtypes:
        yield sample_image(dtype, is_plane=is_plane)
    if held.max_dims > 3 and held.dtypes:
        yield sample_image(held.dtypes[-1], "tkji")
    if held.colour and "uint8" in held.dtypes:
        yield sample_image("uint8", "kjic", is_plane=is_plane)


def _oblique() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return an affine (LPS, millimetres) that lies along no axis."""
    c, s = math.cos(0.3), math.sin(0.3)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]]) @ np.array(
        [[1, 0, 0], [0, c, -s], [0, s, c]]
    )
    affine = np.eye(4)
    affine[:3, :3] = turn * [1.5, 2.0, 3.0]
    affine[:3, 3] = [10.25, -20.5, 30.75]
    return affine
