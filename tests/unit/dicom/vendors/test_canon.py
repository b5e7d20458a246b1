import pytest

from imgconv.dicom.vendors.canon import canon_b_value, canon_direction


@pytest.mark.parametrize(
    ("comment", "b_value", "direction"),
    [
        ("b=1500(0.445,0.000,-0.895)", 1500, (0.445, 0.0, -0.895)),
        ("b=700 ( 1, -.5 , 1e-3 )", 700, (1.0, -0.5, 0.001)),
        ("b=1500", None, ()),
        ("", None, ()),
    ],
)
def test_image_comments(facts_of, comment, b_value, direction):
    facts = facts_of({"ImageComments": comment})
    assert canon_b_value(facts) == b_value
    assert canon_direction(facts) == direction
