"""Positions, orientations, and images without either."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.dicom.sops.writing import AFFINE

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image
from imgconv.core.metadata import Metadata
from imgconv.dicom.context import Context
from imgconv.dicom.sops.planes import Planes, check_geometry, place_image
from imgconv.errors import GeometryError


def test_planes_of_a_sheared_stack_keep_each_position():
    planes = Planes(Geometry(AFFINE), 40)
    for k in (0, 39):
        position = [float(text) for text in planes.position(k)]
        assert np.allclose(position, (AFFINE @ [0, 0, k, 1])[:3], atol=1e-9)
        assert all(len(text) <= 16 for text in planes.position(k))


def test_planes_of_uneven_slices_keep_each_position():
    origins = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 5.0]])
    planes = Planes(Geometry(np.eye(4), slice_positions=origins), 3)
    assert planes.position(2) == ["0", "0", "5"]


def test_planes_thickness_is_the_geometry_s_or_the_gap():
    affine = np.diag([1.0, 1.0, 3.0, 1.0])
    assert Planes(Geometry(affine), 2).thickness == "3"
    assert Planes(Geometry(affine, slice_thickness=5.0), 2).thickness == "5"
    assert Planes(Geometry(affine, slice_thickness=5.0), 2).spacing_between == "3"


@pytest.mark.parametrize(("shear", "refused"), [(1e-5, False), (1e-2, True)])
def test_planes_in_plane_shear(shear, refused):
    affine = np.eye(4)
    affine[0, 1] = shear
    if refused:
        with pytest.raises(GeometryError):
            Planes(Geometry(affine), 1)
    else:
        Planes(Geometry(affine), 1)


def test_image_without_geometry_is_a_harmful_loss_and_centred_if_allowed():
    image = Image(
        np.zeros((3, 4, 5)),
        "kji",
        metadata=Metadata(shared={"PixelSpacing": (2.0, 1.0), "SpacingBetweenSlices": 3.0}),
    )
    assert [loss.harmful for loss in check_geometry(image)] == [True]
    geometry = place_image(image, Context(None)).geometry
    assert geometry.spacing == (1.0, 2.0, 3.0)
    middle = geometry.affine @ [2, 1.5, 1, 1]
    assert np.allclose(middle[:3], 0)
    # i runs to the left: RAS x is reversed, as in NIfTI readers.
    assert geometry.affine[0, 0] == 1
