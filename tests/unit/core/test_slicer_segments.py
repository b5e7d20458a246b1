import pytest

from imgconv.core.image import Segment
from imgconv.core.slicer_segments import format_slicer_segments, parse_slicer_segments
from imgconv.errors import CorruptData

LUNG = {
    "Segment0_Color": "0.772549 0.0980392 0.388235",
    "Segment0_LabelValue": "6",
    "Segment0_Layer": "1",
    "Segment0_Name": "left lung",
    "Segment0_Tags": (
        "Segmentation.Status:inprogress|TerminologyEntry:General Anatomy~"
        "SCT^123037004^Anatomical Structure~SCT^39607008^Lung~SCT^7771000^Left~"
        "Anatomic codes~^^~^^|"
    ),
    "space": "ignored",
}


def test_parse_slicer_segments_reads_names_codes_and_colours():
    (segment,) = parse_slicer_segments(LUNG)
    assert segment == Segment(
        6,
        "left lung",
        category=("123037004", "SCT", "Anatomical Structure"),
        type=("39607008", "SCT", "Lung"),
        type_modifier=("7771000", "SCT", "Left"),
        colour=(197, 25, 99),
        layer=1,
    )


def test_format_slicer_segments_reads_back():
    segments = (*parse_slicer_segments(LUNG), Segment(2, "plain"))
    assert parse_slicer_segments(format_slicer_segments(segments, (4, 5, 6))) == segments


def test_format_slicer_segments_never_breaks_a_line():
    fields = format_slicer_segments([Segment(1, "a\nSegment9_Name:=b")], (1, 1, 1))
    assert "\n" not in fields["Segment0_Name"]


def test_parse_slicer_segments_order_is_by_number():
    fields = {f"Segment{n}_LabelValue": str(n + 1) for n in (10, 2, 0)}
    assert [segment.number for segment in parse_slicer_segments(fields)] == [1, 3, 11]


@pytest.mark.parametrize("field", ["LabelValue", "Layer", "Color"])
def test_parse_slicer_segments_what_is_no_number_is_refused(field):
    with pytest.raises(CorruptData):
        parse_slicer_segments({f"Segment0_{field}": "x"})
