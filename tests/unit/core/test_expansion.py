import pytest

from imgconv.core import expansion
from imgconv.core.expansion import Expansion


def test_limit_is_free_up_to_some_size_and_a_ratio_beyond():
    limit = Expansion(1000, 10)
    assert limit.allows(1000, 0)
    assert not limit.allows(1001, 100)
    assert limit.allows(2000, 200)
    assert not limit.allows(2001, 200)
    assert limit.limit(500) == 5000


@pytest.mark.parametrize("name", sorted(set(expansion.__all__) - {"Expansion"}))
def test_no_megabyte_may_become_more_than_two_gigabytes(name):
    assert getattr(expansion, name).limit(1 << 20) <= 2 << 30
