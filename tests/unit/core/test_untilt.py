import numpy as np
import pytest

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image, LazyArray
from imgconv.core.untilt import untilt
from imgconv.core.values import ValueMap


def tilted(degrees=20, slices=4, dtype=np.float64, positions=None):
    """An image whose samples are the y coordinate of their place."""
    tilt = np.radians(degrees)
    affine = np.eye(4)
    affine[:3, 0] = [0.5, 0, 0]
    affine[:3, 1] = [0, 0.5 * np.cos(tilt), -0.5 * np.sin(tilt)]
    affine[:3, 2] = [0, 0, 4]
    affine[:3, 3] = [-10, 3, 7]
    k, j, i = np.meshgrid(np.arange(slices), np.arange(30), np.arange(5), indexing="ij")
    places = affine[:3] @ np.stack([i, j, k, np.ones_like(i)]).reshape(4, -1)
    array = places[1].reshape(k.shape)
    geometry = Geometry(affine, slice_positions=positions)
    return Image(array.astype(dtype), "kji", geometry)


@pytest.mark.parametrize("degrees", [20, -15])
def test_untilt_puts_samples_at_their_place(degrees):
    image = tilted(degrees)
    straight = untilt(image)
    assert straight.geometry.is_orthogonal
    assert straight.geometry.spacing[2] == pytest.approx(4 * np.cos(np.radians(degrees)))
    slices, rows, columns = straight.array.shape
    assert columns == 5
    assert rows > 30
    right = 0
    for k in range(slices):
        for j in range(rows):
            place = straight.geometry.affine @ [2, j, k, 1]
            back = np.linalg.solve(image.geometry.affine, place)
            if 0 <= back[1] <= 29:
                assert straight.array[k, j, 2] == pytest.approx(place[1])
                right += 1
    assert right >= 4 * 29
    assert [loss.name for loss in straight.losses] == ["tilt-resampled"]


def test_untilt_fills_with_padding_or_the_smallest_sample():
    image = tilted()
    assert untilt(image).array.min() == image.array.min()
    padded = Image(image.array, "kji", image.geometry, ValueMap(padding=(-99, -98)))
    assert untilt(padded).array.min() == -99


def test_untilt_integers_stay_integers():
    assert untilt(tilted(dtype=np.int16)).array.dtype == np.int16


def test_untilt_series_stays_lazy():
    image = tilted()
    series = Image(
        LazyArray((2, *image.array.shape), image.array.dtype, lambda t: image.array + t),
        "tkji",
        image.geometry,
    )
    straight = untilt(series)
    np.testing.assert_allclose(straight.array.volume(1) - 1, untilt(image).array)


def test_untilt_uneven_slices_keep_their_heights():
    places = np.array([[-10, 3, 7 + z] for z in (0, 4, 5, 12)], dtype=float)
    straight = untilt(tilted(positions=places))
    heights = np.linalg.norm(np.diff(straight.geometry.slice_positions, axis=0), axis=1)
    np.testing.assert_allclose(heights, np.array([4, 1, 7]) * np.cos(np.radians(20)))


def test_untilt_orthogonal_image_is_returned_as_it_is():
    image = tilted(0)
    assert untilt(image) is image
