import pytest

from imgconv.core.image import Segment
from imgconv.dicom.sops.seg_items import background_item, segment_item
from imgconv.dicom.sops.seg_labels import Label

LIVER = ("10200004", "SCT", "Liver")
SIDE = ("7771000", "SCT", "Left")


def test_segment_item_has_all_that_is_known():
    segment = Segment(
        3,
        "liver",
        type=LIVER,
        type_modifier=SIDE,
        region=LIVER,
        region_modifier=SIDE,
        description="d",
    )
    made = segment_item(Label(segment, 3))
    (kind,) = made.SegmentedPropertyTypeCodeSequence
    assert kind.CodeMeaning == "Liver"
    assert kind.SegmentedPropertyTypeModifierCodeSequence[0].CodeMeaning == "Left"
    assert made.AnatomicRegionSequence[0].AnatomicRegionModifierSequence[0].CodeMeaning == "Left"
    assert (made.SegmentNumber, made.SegmentDescription) == (3, "d")
    assert not [element for element in made if element.tag.is_private]


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [("", "", "unknown"), ("AUTOMATIC", "net", "net"), ("MANUAL", "ignored", None)],
)
def test_segment_item_algorithm_name_goes_with_its_type(kind, name, expected):
    segment = Segment(1, "a", algorithm_type=kind, algorithm_name=name)
    assert segment_item(Label(segment, 1)).get("SegmentAlgorithmName") == expected


def test_segment_item_text_fits_its_vr():
    made = segment_item(Label(Segment(1, "a\\b\n" + "x" * 100), 1))
    assert len(made.SegmentLabel) == 64
    assert not set("\\\n") & set(made.SegmentLabel)


def test_segment_item_label_of_another_number_is_kept_privately():
    made = segment_item(Label(Segment(7, "a", layer=2), 1))
    block = made.private_block(0x0063, "IMGCONV SEGMENT")
    assert (block[0x01].value, block[0x02].value) == (7, 2)


def test_background_item_is_number_zero():
    like = segment_item(Label(Segment(1, "a"), 1))
    made = background_item(like)
    assert made.SegmentNumber == 0
    assert made.SegmentAlgorithmName == like.SegmentAlgorithmName
