from __future__ import annotations

from imgconv.standard.elements import find_tag
from imgconv.standard.layouts import find_layout

LEGACY_CT, CT = "1.2.840.10008.5.1.4.1.1.2.2", "1.2.840.10008.5.1.4.1.1.2"


def tag(keyword: str) -> int:
    return find_tag(keyword) or 0


def test_find_layout_has_the_groups_and_their_attributes():
    layout = find_layout(LEGACY_CT)

    assert layout is not None
    measures = layout.groups[tag("PixelMeasuresSequence")]
    assert measures.is_mandatory
    assert tag("PixelSpacing") in measures.attributes & measures.conditional
    assert layout.groups[tag("FrameVOILUTSequence")].required == {
        tag("WindowCenter"),
        tag("WindowWidth"),
    }
    assert not layout.groups[tag("TemporalPositionSequence")].is_mandatory
    assert layout.is_required(tag("PatientID"))
    assert not layout.is_required(tag("StudyDescription"))


def test_find_layout_optional_module_needs_all_that_it_demands():
    layout = find_layout(LEGACY_CT)
    assert layout is not None

    trigger = tag("SynchronizationTrigger")

    assert not layout.has_place(trigger, {trigger})
    assert layout.has_place(trigger, {trigger, *layout.optional["synchronization"]})


def test_find_layout_of_a_single_frame_class_is_none():
    assert find_layout(CT) is None
