from __future__ import annotations

import pytest

from imgconv.standard.anatomic_regions import find_region


@pytest.mark.parametrize(
    ("body_part", "region"),
    [("CHEST", ("816094009", "Chest")), ("chest", ("816094009", "Chest")), ("TENTACLE", None)],
)
def test_find_region_knows_the_terms_of_body_part_examined(body_part, region):
    assert find_region(body_part) == region
