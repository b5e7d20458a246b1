import pytest

from imgconv.rules.plan import find_plan


@pytest.mark.parametrize(
    ("iod", "tag", "kinds"),
    [
        ("secondary-capture-image", 0x00080060, ["3"]),
        ("multi-frame-true-color-secondary-capture-image", 0x00280009, ["1C"]),
        ("ultrasound-multi-frame-image", 0x00280009, ["1", "1C"]),
    ],
)
def test_a_special_module_replaces_the_row_of_a_general_one(iod, tag, kinds):
    assert [row.kind for row in find_plan(iod).root.attributes[tag].rows] == kinds
