"""Flip and permute the index axes of an image; everything that depends on them follows.

Voxels keep their place in the patient: array, affine, per-slice values, and
the BIDS fields that name an axis or list slices change together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.image import Image, LazyArray
from imgconv.core.lazy_volume import LazyVolume
from imgconv.core.metadata import Metadata

__all__ = ["flip", "permute"]

_LETTERS = "ijk"
# BIDS fields whose value is an axis letter with an optional minus sign.
_DIRECTION_FIELDS = ("PhaseEncodingDirection", "SliceEncodingDirection")
# As above, but without a known polarity (dcm2niix's name): the letter moves, no sign is added.
_AXIS_FIELDS = ("PhaseEncodingAxis",)
# Lists with one entry per slice, in array order.
_SLICE_FIELDS = ("SliceTiming",)


def flip(image: Image, axis: str) -> Image:
    """Reverse index axis ``"i"``, ``"j"`` or ``"k"``."""
    position = image.axes.index(axis)
    length = image.array.shape[position]
    geometry = image.geometry
    if geometry is not None:
        geometry = geometry.flipped(_LETTERS.index(axis), length)
    metadata = replace(
        image.metadata, bids=_flip_bids(image.metadata.bids, axis), **_flip_slices(image, axis)
    )
    array: NDArray[Any] | LazyArray | LazyVolume
    if isinstance(image.array, LazyVolume):
        array = image.array.flipped(position)
    else:
        array = _map_volumes(image, lambda volume: np.flip(volume, _volume_axis(image, axis)))
    return replace(image, array=array, geometry=geometry, metadata=metadata)


def permute(image: Image, order: str) -> Image:
    """Reorder the index axes: the new i, j, k are the old axes that `order` names.

    Parameters
    ----------
    order
        A permutation of ``"ijk"``; ``"jki"`` makes the old j the new i.

    Raises
    ------
    GeometryError
        The slices are unevenly spaced and the slice axis would move.
    """
    if order == _LETTERS:
        return image
    new_from_old = tuple(_LETTERS.index(letter) for letter in order)
    geometry = image.geometry
    if geometry is not None:
        geometry = geometry.permuted((new_from_old[0], new_from_old[1], new_from_old[2]))
    # Array axes run k, j, i: the new array axes are the old ones, slowest first.
    volume_axes = [_volume_axis(image, letter) for letter in reversed(order)]
    array = _map_volumes(
        image, lambda volume: np.transpose(volume, [*volume_axes, *range(3, volume.ndim)])
    )
    metadata = replace(
        image.metadata,
        bids=_permute_bids(image.metadata.bids, order),
        per_slice=image.metadata.per_slice if order[2] == "k" else {},
    )
    return replace(image, array=array, geometry=geometry, metadata=metadata)


def _volume_axis(image: Image, letter: str) -> int:
    return image.axes.removeprefix("t").index(letter)


def _map_volumes(
    image: Image, change: Callable[[NDArray[Any]], NDArray[Any]]
) -> NDArray[Any] | LazyArray:
    array = image.array
    if isinstance(array, LazyVolume):
        return change(np.asarray(array))
    if isinstance(array, LazyArray):
        sample = change(np.broadcast_to(np.zeros((), array.dtype), array.shape[1:]))
        source = array
        return LazyArray(
            (array.shape[0], *sample.shape), array.dtype, lambda t: change(source.volume(t))
        )
    if image.axes[0] != "t":
        return change(array)
    # All volumes change alike, so they change at once, as one view: time last, then first again.
    return np.moveaxis(change(np.moveaxis(array, 0, -1)), -1, 0)


def _flip_slices(image: Image, axis: str) -> Mapping[str, Any]:
    metadata: Metadata = image.metadata
    if axis != "k":
        return {}
    return {
        "per_slice": {
            keyword: tuple(tuple(reversed(volume)) for volume in volumes)
            for keyword, volumes in metadata.per_slice.items()
        }
    }


def _flip_bids(bids: Mapping[str, Any], axis: str) -> Mapping[str, Any]:
    changed = dict(bids)
    for field in _DIRECTION_FIELDS:
        value = changed.get(field)
        if isinstance(value, str) and value.rstrip("-") == axis:
            changed[field] = axis if value.endswith("-") else f"{axis}-"
    if axis == "k" and "SliceEncodingDirection" not in changed:
        for field in _SLICE_FIELDS:
            if isinstance(changed.get(field), list | tuple):
                changed[field] = list(reversed(changed[field]))
    return changed


def _permute_bids(bids: Mapping[str, Any], order: str) -> Mapping[str, Any]:
    changed = dict(bids)
    for field in (*_DIRECTION_FIELDS, *_AXIS_FIELDS):
        value = changed.get(field)
        if isinstance(value, str) and value.rstrip("-") in _LETTERS and value:
            letter = _LETTERS[order.index(value.rstrip("-"))]
            changed[field] = letter + ("-" if value.endswith("-") else "")
    if order[2] != "k" and "SliceTiming" in changed and "SliceEncodingDirection" not in changed:
        changed["SliceEncodingDirection"] = _LETTERS[order.index("k")]
    return changed
