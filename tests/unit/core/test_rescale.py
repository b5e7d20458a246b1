import numpy as np
import pytest

from imgconv.core.image import Image, LazyArray
from imgconv.core.rescale import real_dtype, to_real
from imgconv.core.values import Rescale, ValueMap


def image(values, dtype, slope, intercept):
    array = np.array(values, dtype).reshape(1, 1, -1)
    return Image(array, "kji", values=ValueMap(rescale=Rescale(slope, intercept)))


@pytest.mark.parametrize(
    ("values", "dtype", "slope", "intercept", "expected"),
    [
        ([0, 4095], np.uint16, 1, -1024, np.int16),
        ([1024, 4095], np.uint16, 1, -1024, np.uint16),
        ([0, 65535], np.uint16, 1, -1024, np.int32),
        ([0, 10], np.int16, 2, 0, np.int16),
        ([0, 10], np.int16, 0.5, 0, np.float64),
        ([0, 2**63], np.uint64, 1, -1, np.float64),
        ([0.5, 1], np.float32, 2, 0, np.float64),
        ([1, 2], np.int8, 1, 0, np.int8),
    ],
)
def test_to_real_is_exact_in_the_narrowest_type(values, dtype, slope, intercept, expected):
    stored = image(values, dtype, slope, intercept)
    real = to_real(stored)
    assert real.dtype == expected == real_dtype(stored)
    assert real.values.rescale.is_identity
    wanted = [value * slope + intercept for value in values]
    np.testing.assert_array_equal(real.array.ravel(), wanted)


def test_to_real_lazy_array_stays_lazy():
    volume = np.arange(4, dtype=np.int16).reshape(1, 2, 2)
    lazy = LazyArray((2, 1, 2, 2), np.int16, lambda t: volume + np.int16(t))
    stored = Image(lazy, "tkji", values=ValueMap(rescale=Rescale(2, -1)))
    real = to_real(stored)
    assert isinstance(real.array, LazyArray)
    assert real.dtype == np.int32  # by the type's range: nothing was loaded
    np.testing.assert_array_equal(real.array.volume(1), (volume + 1) * 2 - 1)
