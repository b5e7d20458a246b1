"""In-plane shear, interpolated away on request."""

from __future__ import annotations

import numpy as np
import pytest

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image
from imgconv.dicom.sops.unshear import remove_in_plane_shear


def _ramp(shear: float, dtype="float64", axes="kji") -> Image:
    """Return an image whose samples are 10 x + y of their place, so that interpolation is exact."""
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    affine[0, 1] = shear
    k, j, i = np.meshgrid(np.arange(2), np.arange(6), np.arange(7), indexing="ij")
    places = affine[:3, :3] @ np.stack([i.ravel(), j.ravel(), k.ravel()])
    array = (10 * places[0] + places[1]).reshape(k.shape).astype(dtype)
    if axes == "tkji":
        array = np.stack([array, array + 1])
    return Image(array, axes, geometry=Geometry(affine))


@pytest.mark.parametrize("shear", [0.5, -1.7])
@pytest.mark.parametrize("axes", ["kji", "tkji"])
def test_remove_in_plane_shear_keeps_values_at_their_places(shear, axes):
    image = _ramp(shear, axes=axes)
    straight = remove_in_plane_shear(image)
    assert straight.geometry.is_orthogonal
    assert [loss.name for loss in straight.losses] == ["resampled"]
    volume = next(iter(straight.iter_volumes()))
    affine = straight.geometry.affine
    lowest = np.asarray(image.array).min()
    compared = 0
    for j in range(volume.shape[1]):
        for i in range(volume.shape[2]):
            x, y = (affine @ [i, j, 0, 1])[:2]
            if volume[0, j, i] != lowest:
                assert volume[0, j, i] == pytest.approx(10 * x + y)
                compared += 1
    assert compared >= 6 * 6


def test_remove_in_plane_shear_rounds_integers():
    straight = remove_in_plane_shear(_ramp(0.5, "int16"))
    assert straight.dtype == np.int16


def test_remove_in_plane_shear_of_orthogonal_axes_changes_nothing():
    image = _ramp(0.0)
    assert remove_in_plane_shear(image) is image
