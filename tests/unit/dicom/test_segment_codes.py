import pytest

from imgconv.core.image import Segment
from imgconv.dicom.segment_codes import with_codes

ORGAN = ("91723000", "SCT", "Anatomical Structure")


@pytest.mark.parametrize("label", ["liver", "Liver", " LIVER "])
def test_with_codes_finds_the_words_of_a_meaning(label):
    segment = with_codes(Segment(1, label))
    assert (segment.category, segment.type) == (ORGAN, ("10200004", "SCT", "Liver"))
    assert segment.type_modifier is None


@pytest.mark.parametrize("label", ["kidney_left", "left kidney", "Left-Kidney"])
def test_with_codes_finds_a_side(label):
    segment = with_codes(Segment(1, label))
    assert segment.type == ("64033007", "SCT", "Kidney")
    assert segment.type_modifier == ("7771000", "SCT", "Left")


@pytest.mark.parametrize("label", ["", "left", "liverish", "ROI 1", "liver tumour margin"])
def test_with_codes_does_not_guess(label):
    assert with_codes(Segment(1, label)) == Segment(1, label)


def test_with_codes_keeps_a_given_code():
    segment = Segment(1, "liver", type=("1", "99X", "mine"))
    assert with_codes(segment) == segment
