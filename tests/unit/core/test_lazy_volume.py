import numpy as np
import pytest

from imgconv.core.image import Image
from imgconv.core.lazy_volume import LazyVolume
from imgconv.core.orient import flip, permute
from imgconv.errors import InternalError

ARRAY = np.arange(5 * 2 * 3, dtype=np.int16).reshape(5, 2, 3)


def lazy(array=ARRAY):
    """Return a volume, and the list of the slabs that are read of it."""
    asked = []

    def load(first, stop):
        asked.append((first, stop))
        return array[first:stop].copy()

    return LazyVolume(array.shape, array.dtype, load), asked


def test_slab_reads_what_is_asked_for():
    volume, asked = lazy()
    assert np.array_equal(volume.slab(1, 3), ARRAY[1:3])
    assert asked == [(1, 3)]


def test_slab_ends_with_the_last_slice():
    volume, asked = lazy()
    assert np.array_equal(volume.slab(4, 7), ARRAY[4:])
    assert asked == [(4, 5)]


def test_size_is_known_without_reading():
    volume, asked = lazy()
    assert (volume.ndim, volume.nbytes) == (3, ARRAY.nbytes)
    assert asked == []


def test_asarray_reads_once_and_slabs_come_from_it():
    volume, asked = lazy()
    assert np.array_equal(np.asarray(volume), ARRAY)
    assert np.asarray(volume, dtype=np.float32).dtype == np.float32
    assert np.array_equal(volume.slab(2, 4), ARRAY[2:4])
    assert asked == [(0, 5)]


@pytest.mark.parametrize("wrong", [ARRAY[:2], ARRAY[:1].astype(np.int32)])
def test_slab_of_another_shape_or_type_is_refused(wrong):
    volume = LazyVolume(ARRAY.shape, ARRAY.dtype, lambda *_: wrong)
    with pytest.raises(InternalError):
        volume.slab(0, 1)


@pytest.mark.parametrize("axis", "kji")
def test_flip_stays_lazy_and_moves_every_slab(axis):
    volume, asked = lazy()
    flipped = flip(Image(volume, "kji"), axis).array
    assert asked == []
    assert isinstance(flipped, LazyVolume)
    expected = np.flip(ARRAY, "kji".index(axis))
    slabs = [flipped.slab(first, first + 2) for first in (0, 2, 4)]
    assert np.array_equal(np.concatenate(slabs), expected)
    assert np.array_equal(np.asarray(flipped), expected)


def test_permute_reads_the_volume():
    volume, _ = lazy()
    turned = permute(Image(volume, "kji"), "jki").array
    assert np.array_equal(turned, np.asarray(permute(Image(ARRAY, "kji"), "jki").array))


def test_iter_volumes_gives_the_whole():
    volume, _ = lazy()
    (whole,) = Image(volume, "kji").iter_volumes()
    assert np.array_equal(whole, ARRAY)
