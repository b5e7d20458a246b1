import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgconv.core.geometry import Geometry
from imgconv.errors import GeometryError

LENGTHS = (5, 4, 3)


def rotation(angles):
    x, y, z = angles
    cx, sx, cy, sy, cz, sz = np.cos(x), np.sin(x), np.cos(y), np.sin(y), np.cos(z), np.sin(z)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_x @ about_y @ about_z


ANGLES = st.tuples(*[st.floats(-3.2, 3.2)] * 3)
SPACINGS = st.tuples(*[st.floats(0.1, 10)] * 3)
ORIGINS = st.tuples(*[st.floats(-500, 500)] * 3)


@st.composite
def geometries(draw):
    affine = np.eye(4)
    affine[:3, :3] = rotation(draw(ANGLES)) * draw(SPACINGS)
    affine[:3, 3] = draw(ORIGINS)
    return Geometry(affine)


def corners(geometry, lengths):
    grid = np.array(np.meshgrid(*[(0, n - 1) for n in lengths], [1])).reshape(4, -1)
    return (geometry.affine @ grid)[:3].T


@given(geometries(), st.integers(0, 2))
def test_flipped_twice_is_the_same(geometry, axis):
    twice = geometry.flipped(axis, LENGTHS[axis]).flipped(axis, LENGTHS[axis])
    assert np.allclose(twice.affine, geometry.affine, atol=1e-9)


@given(geometries(), st.integers(0, 2))
def test_flipped_keeps_the_corners_of_the_volume(geometry, axis):
    before = corners(geometry, LENGTHS)
    after = corners(geometry.flipped(axis, LENGTHS[axis]), LENGTHS)
    distances = np.linalg.norm(before[:, None] - after[None], axis=-1)
    assert distances.min(axis=0).max() < 1e-6
    assert distances.min(axis=1).max() < 1e-6


@given(geometries(), st.permutations((0, 1, 2)))
def test_permuted_moves_the_columns(geometry, order):
    new = geometry.permuted(tuple(order))
    for n in range(3):
        assert np.array_equal(new.affine[:3, n], geometry.affine[:3, order[n]])


@given(geometries())
def test_directions_and_spacing_make_the_affine(geometry):
    assert np.allclose(geometry.directions * geometry.spacing, geometry.affine[:3, :3])
    assert geometry.is_orthogonal


@pytest.mark.parametrize(
    "affine",
    [
        np.full((4, 4), np.nan),
        np.zeros((4, 4)),
        np.diag([1.0, 1.0, 0.0, 1.0]),
        np.diag([1.0, 1.0, 1.0, 2.0]),
        np.eye(3),
    ],
)
def test_geometry_of_a_matrix_that_spans_no_space_is_refused(affine):
    with pytest.raises(GeometryError):
        Geometry(affine)


def test_geometry_owns_its_affine():
    affine = np.eye(4)
    geometry = Geometry(affine)
    affine[0, 0] = 5
    assert geometry.affine[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        geometry.affine[0, 0] = 7


def test_is_orthogonal_of_a_sheared_affine_is_false():
    affine = np.eye(4)
    affine[1, 2] = 0.2
    assert not Geometry(affine).is_orthogonal


def test_permuted_with_uneven_slices_keeps_the_slice_axis():
    positions = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 5.0]])
    geometry = Geometry(np.eye(4), slice_positions=positions)
    assert geometry.permuted((1, 0, 2)).slice_positions is not None
    with pytest.raises(GeometryError):
        geometry.permuted((2, 1, 0))


def test_flipped_reverses_uneven_slices():
    positions = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 5.0]])
    geometry = Geometry(np.eye(4), slice_positions=positions)
    assert np.array_equal(geometry.flipped(2, 3).slice_positions, positions[::-1])
    moved = geometry.flipped(0, 4).slice_positions
    assert np.array_equal(moved, np.add(positions, [3, 0, 0]))
