import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgconv.core.vectors import dot, normal_of

numbers = st.floats(-100, 100)


@given(st.tuples(*[numbers] * 6))
def test_normal_is_the_cross_product_of_both_directions(values):
    assert np.allclose(normal_of(values), np.cross(values[:3], values[3:]))


@given(st.tuples(*[numbers] * 3), st.tuples(*[numbers] * 3))
def test_dot_is_the_scalar_product(a, b):
    assert dot(a, b) == pytest.approx(np.dot(a, b), abs=1e-9)


def test_dot_refuses_vectors_of_different_lengths():
    with pytest.raises(ValueError, match="shorter"):
        dot((1.0, 2.0, 3.0), (1.0, 2.0))
