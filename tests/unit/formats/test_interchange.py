from __future__ import annotations

import nibabel
import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image
from imgconv.core.values import Rescale, ValueMap
from imgconv.errors import UnsupportedData
from imgconv.formats.interchange import (
    from_highdicom,
    from_nibabel,
    from_simpleitk,
    to_highdicom,
    to_nibabel,
    to_simpleitk,
)


def rotation(angles):
    made = np.eye(3)
    for axis, angle in enumerate(angles):
        a, b = [n for n in range(3) if n != axis]
        turn = np.eye(3)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        made = made @ turn
    return made


def image_of(affine, *, shape=(4, 3, 2), dtype=np.int16, rescale=Rescale(), axes="kji"):  # noqa: B008
    samples = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    return Image(samples, axes, geometry=Geometry(affine), values=ValueMap(rescale=rescale))


affines = st.tuples(
    st.tuples(*[st.floats(-3, 3)] * 3),
    st.tuples(*[st.floats(0.1, 10)] * 3),
    st.tuples(*[st.floats(-500, 500)] * 3),
).map(
    lambda parts: np.block(
        [
            [rotation(parts[0]) * np.array(parts[1]), np.array(parts[2])[:, None]],
            [np.zeros((1, 3)), np.ones((1, 1))],
        ]
    )
)


@given(affines)
@settings(max_examples=30, deadline=None)
def test_simpleitk_and_back_keeps_samples_and_places(affine):
    image = image_of(affine)
    back = from_simpleitk(to_simpleitk(image))
    assert np.array_equal(back.array, image.array)
    assert np.allclose(back.geometry.affine, affine, atol=1e-6)


@given(affines)
@settings(max_examples=30, deadline=None)
def test_nibabel_and_back_keeps_samples_and_places(affine):
    image = image_of(affine, shape=(5, 4, 3, 2), axes="tkji")
    back = from_nibabel(to_nibabel(image))
    assert np.array_equal(back.array, image.array)
    assert np.allclose(back.geometry.affine, affine, atol=1e-9)


def test_to_simpleitk_voxel_lies_where_the_geometry_says():
    affine = np.diag([0.5, 0.7, 3.0, 1.0])
    affine[:3, 3] = 10, 20, 30
    made = to_simpleitk(image_of(affine))
    assert made.TransformIndexToPhysicalPoint((1, 2, 3)) == pytest.approx((10.5, 21.4, 39))
    assert made.GetPixel((1, 2, 3)) == 3 * 6 + 2 * 2 + 1


def test_to_nibabel_applies_the_rescale_on_request(tmp_path):
    image = image_of(np.eye(4), rescale=Rescale(2.0, -1024.0))
    nibabel.save(to_nibabel(image), tmp_path / "x.nii")
    read = nibabel.load(tmp_path / "x.nii")
    assert np.array_equal(np.asarray(read.dataobj.get_unscaled()).T, image.array)
    assert np.array_equal(read.get_fdata().T, image.array * 2.0 - 1024)
    assert from_nibabel(read).values.rescale == Rescale(2.0, -1024.0)


def test_to_simpleitk_rescale_is_refused_unless_applied():
    image = image_of(np.eye(4), rescale=Rescale(2.0, -1024.0))
    with pytest.raises(UnsupportedData, match="slope"):
        to_simpleitk(image)
    made = to_simpleitk(image, real_values=True)
    assert np.array_equal(SimpleITK.GetArrayFromImage(made), image.array * 2.0 - 1024)


def test_to_simpleitk_sheared_axes_are_refused():
    affine = np.eye(4)
    affine[1, 2] = 0.3
    with pytest.raises(UnsupportedData, match="sheared"):
        to_simpleitk(image_of(affine))


def test_images_without_a_place_are_refused():
    image = Image(np.zeros((2, 2, 2), np.uint8), "kji")
    with pytest.raises(UnsupportedData, match="no geometry"):
        to_nibabel(image)


@given(affines)
@settings(max_examples=30, deadline=None)
def test_highdicom_and_back_keeps_samples_and_places(affine):
    pytest.importorskip("highdicom", reason="it has no wheel for this Python")
    image = image_of(affine)
    volume = to_highdicom(image)
    place = volume.map_indices_to_reference(np.array([[3, 2, 1]]))[0]
    assert np.allclose(place, (affine @ [1, 2, 3, 1])[:3])
    back = from_highdicom(volume)
    assert np.array_equal(back.array, image.array)
    assert np.allclose(back.geometry.affine, affine, atol=1e-9)


def test_highdicom_keeps_colour_and_frame_of_reference():
    pytest.importorskip("highdicom", reason="it has no wheel for this Python")
    samples = np.arange(4 * 3 * 2 * 3, dtype=np.uint8).reshape(4, 3, 2, 3)
    image = Image(samples, "kjic", geometry=Geometry(np.eye(4), frame_of_reference_uid="1.2.3"))
    back = from_highdicom(to_highdicom(image))
    assert back.axes == "kjic"
    assert np.array_equal(back.array, samples)
    assert back.geometry.frame_of_reference_uid == "1.2.3"


def test_to_highdicom_refuses_what_it_cannot_hold():
    pytest.importorskip("highdicom", reason="it has no wheel for this Python")
    sheared = np.eye(4)
    sheared[1, 2] = 0.3
    for image, reason in (
        (image_of(np.eye(4), rescale=Rescale(2.0, 0.0)), "slope"),
        (image_of(np.eye(4), shape=(5, 4, 3, 2), axes="tkji"), "time"),
        (image_of(sheared), "highdicom"),
    ):
        with pytest.raises(UnsupportedData, match=reason):
            to_highdicom(image)


def test_from_highdicom_refuses_a_slide():
    highdicom = pytest.importorskip("highdicom", reason="it has no wheel for this Python")
    volume = highdicom.Volume(np.zeros((1, 2, 2), np.uint8), np.eye(4), "SLIDE")
    with pytest.raises(UnsupportedData, match="slide"):
        from_highdicom(volume)
