import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from imgconv.core.values import Rescale, cast_exact
from imgconv.errors import UnsupportedData

TYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]


@given(st.data(), st.sampled_from(TYPES), st.sampled_from(TYPES))
def test_cast_exact_alters_no_value_or_refuses(data, source, target):
    array = data.draw(hnp.arrays(source, 5))
    try:
        cast = cast_exact(array, np.dtype(target))
    except UnsupportedData:
        return
    assert cast.dtype == np.dtype(target)
    for before, after in zip(array.tolist(), cast.tolist(), strict=True):
        assert before == after or (before != before and after != after)


@pytest.mark.parametrize(
    ("values", "source", "target"),
    [
        ([-1], "i2", "u2"),
        ([40000], "u2", "i2"),
        ([0.5], "f4", "i2"),
        ([2**53 + 1], "i8", "f8"),
        ([2**64 - 1], "u8", "f8"),
    ],
)
def test_cast_exact_that_would_alter_a_value_is_refused(values, source, target):
    with pytest.raises(UnsupportedData):
        cast_exact(np.array(values, source), np.dtype(target))


def test_rescale_identity():
    assert Rescale().is_identity
    assert not Rescale(1, -1024).is_identity
