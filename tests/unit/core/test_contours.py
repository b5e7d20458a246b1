import numpy as np
import pytest

from imgconv.core.contours import fill_polygons, trace_mask


def masks(count=400):
    rng = np.random.default_rng(13)
    for _ in range(count):
        shape = tuple(rng.integers(1, 10, 2))
        yield rng.random(shape) < rng.choice([0.2, 0.5, 0.8, 0.95])


def test_fill_polygons_is_the_inverse_of_trace_mask():
    for mask in masks():
        np.testing.assert_array_equal(fill_polygons(trace_mask(mask), mask.shape), mask)


def test_trace_mask_polygons_filled_one_by_one_give_the_mask_too():
    for mask in masks():
        union = np.zeros_like(mask)
        for polygon in trace_mask(mask):
            part = fill_polygons([polygon], mask.shape)
            assert not (union & part).any()
            union |= part
        np.testing.assert_array_equal(union, mask)


def test_trace_mask_has_corners_only_along_pixel_edges():
    mask = np.zeros((4, 5), bool)
    mask[1:3, 1:4] = True
    (polygon,) = trace_mask(mask)
    corners = {(0.5, 0.5), (3.5, 0.5), (3.5, 2.5), (0.5, 2.5)}
    assert len(polygon) == 4
    assert {tuple(map(float, vertex)) for vertex in polygon} == corners


def test_trace_mask_hole_is_joined_to_its_outline():
    mask = np.ones((5, 5), bool)
    mask[2, 2] = False
    (polygon,) = trace_mask(mask)
    assert len(polygon) == 4 + 4 + 2


def test_trace_mask_pixels_that_touch_at_a_corner_are_outlined_separately():
    assert len(trace_mask(np.eye(3, dtype=bool))) == 3


def test_trace_mask_of_nothing_is_empty():
    assert trace_mask(np.zeros((3, 3), bool)) == []


@pytest.mark.parametrize(
    ("polygon", "expected"),
    [
        ([(0, 0), (4, 0), (0, 4)], 10),  # centres on the lower right edges do not count twice
        ([(-9, -9), (9, -9), (9, 9), (-9, 9)], 16),
        ([(20, 20), (30, 20), (30, 30)], 0),
        ([(1, 1), (2, 1)], 0),
    ],
)
def test_fill_polygons_counts_pixel_centres(polygon, expected):
    mask = fill_polygons([np.array(polygon, float)], (4, 4))
    assert int(mask.sum()) == expected


def test_fill_polygons_two_over_each_other_leave_a_hole():
    outer = np.array([(-0.5, -0.5), (4.5, -0.5), (4.5, 4.5), (-0.5, 4.5)])
    inner = outer / 3 + 1.5
    mask = fill_polygons([outer, inner], (5, 5))
    assert not mask[2, 2]
    assert mask[0, 0]
