import numpy as np
import pytest
from tests.unit.dicom.files import make_slice, write_all

from imgconv.dicom.frame_slices import slices_of
from imgconv.dicom.header import read_header
from imgconv.dicom.positions import find_gaps, geometry_of, locate, normal_of, single_step
from imgconv.errors import GeometryError


def slices(tmp_path, places, **attributes):
    paths = write_all(tmp_path, [make_slice(z, n, **attributes) for n, z in enumerate(places)])
    return [slices_of(read_header(path))[0] for path in paths]


def origins(places):
    return np.array([[0, 0, z] for z in places], dtype=float)


@pytest.mark.parametrize(
    ("places", "missing"),
    [
        ((0, 3), 0),
        ((0, 3, 6, 9), 0),
        ((0, 3, 9, 12), 1),
        ((0, 3, 6, 15), 2),
        ((0, 3, 12.7), 0),  # no whole number of steps
        ((0, 3, 4.1, 9.6), 0),
        ((0, 1, 40, 90), 0),  # nothing is regular
        ((0, 3.0001, 8.9999, 12), 1),
    ],
)
def test_find_gaps(tmp_path, places, missing):
    assert find_gaps(origins(places), slices(tmp_path, places)) == missing


def test_find_gaps_thicker_slices_are_no_gap(tmp_path):
    items = slices(tmp_path, (0, 3, 6)) + slices(tmp_path, (12,), SliceThickness=6)
    assert find_gaps(origins((0, 3, 6, 12)), items) == 0


def test_locate_joins_what_rounding_parts(tmp_path):
    found = locate(slices(tmp_path, (3, 0, 3.0004, 0)))
    assert found.index.tolist() == [1, 0, 1, 0]
    assert found.count == 2


def test_locate_not_finite_is_refused(tmp_path):
    items = slices(tmp_path, (0,))
    object.__setattr__(items[0], "position", (0.0, 0.0, float("nan")))
    with pytest.raises(GeometryError, match="not finite"):
        locate(items)


def test_normal_of_is_right_handed():
    np.testing.assert_allclose(normal_of((0, 1, 0, 0, 0, -1)), [-1, 0, 0])


@pytest.mark.parametrize("orientation", [(1, 0, 0, 1, 0, 0), (2, 0, 0, 0, 1, 0), (0,) * 6])
def test_normal_of_impossible_orientation_is_refused(orientation):
    with pytest.raises(GeometryError):
        normal_of(orientation)


def test_geometry_of_rounded_positions_is_exact_at_both_ends(tmp_path):
    places = [round(k / 3, 2) for k in range(40)]
    items = slices(tmp_path, places)
    geometry = geometry_of(items, np.array([item.position for item in items]))
    assert geometry.slice_positions is None
    last = geometry.affine @ [0, 0, 39, 1]
    assert last[2] == pytest.approx(places[-1])


@pytest.mark.parametrize(
    ("attributes", "step"),
    [
        ({"SpacingBetweenSlices": -4, "SliceThickness": 3}, 4),
        ({"SliceThickness": 3}, 3),
        ({"SliceThickness": None}, 1),
    ],
)
def test_single_step(tmp_path, attributes, step):
    assert single_step(slices(tmp_path, (0,), **attributes)[0]) == step
