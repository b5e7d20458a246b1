from io import BytesIO

import pytest
from pydicom import Dataset, dcmread, dcmwrite

from imgconv.dicom.lossy import (
    RATIO_PLACEHOLDER,
    Step,
    derive_frame_types,
    format_ratio,
    lossy_changes,
    mark_lossy,
)
from imgconv.dicom.reencode import format_element


class _Raw:
    def __init__(self, **values):
        self._values = {int(tag[1:], 16): value for tag, value in values.items()}

    def raw(self, tag):
        return self._values.get(tag)


def test_format_ratio_fits_what_is_kept_for_it():
    assert len(RATIO_PLACEHOLDER) == 16
    for size in (1, 3, 10**6):
        text = format_ratio(10**12, size)
        assert len(text) == 16
        assert abs(float(text) / (10**12 / size) - 1) < 1e-3


def test_lossy_changes_of_a_first_compression():
    changes = lossy_changes(_Raw(), "jpeg", "done", sop_instance_uid="")
    assert changes[0x00282110] == format_element(0x00282110, "CS", b"01")
    assert changes[0x00282114] == format_element(0x00282114, "CS", b"ISO_10918_1")
    assert changes[0x00080008] == format_element(0x00080008, "CS", b"DERIVED\\PRIMARY")
    assert 0x00080018 not in changes
    assert 0x00082112 not in changes


def test_lossy_changes_methods_and_ratios_stay_parallel():
    had = _Raw(x00282114=b"ISO_14495_1")
    changes = lossy_changes(had, "htj2k", "done", sop_instance_uid="1.2")
    assert changes[0x00282112][8:] == b"1\\" + RATIO_PLACEHOLDER
    assert changes[0x00282114][8:].strip() == b"ISO_14495_1\\ISO_15444_15"


def test_mark_lossy_tells_what_the_codestreams_do():
    changes = mark_lossy(_Raw(), Step("jpeg-ls", "3.25"))
    assert changes == {
        0x00282110: format_element(0x00282110, "CS", b"01"),
        0x00282112: format_element(0x00282112, "DS", b"3.25"),
        0x00282114: format_element(0x00282114, "CS", b"ISO_14495_1"),
    }


def test_mark_lossy_keeps_the_history_that_there_is():
    changes = mark_lossy(_Raw(x00282114=b"ISO_10918_1"), Step("jpeg-ls", "3.25"))
    assert changes[0x00282112] == format_element(0x00282112, "DS", b"1")
    assert changes[0x00282114] == format_element(0x00282114, "CS", b"ISO_10918_1")


def test_lossy_changes_begin_with_the_compression_that_was_not_told():
    had = _Raw(x00080016=b"1.2.840.10008.5.1.4.1.1.7", x00080018=b"1.2")
    step = Step("jpeg", "10")
    changes = lossy_changes(had, "jpeg2000", "done", sop_instance_uid="1.3", before=step)
    assert changes[0x00282112][8:] == b"10\\" + RATIO_PLACEHOLDER + b" "
    assert changes[0x00282114][8:].strip() == b"ISO_10918_1\\ISO_15444_1"
    assert b"121322" in changes[0x00082112]
    first = lossy_changes(had, "jpeg2000", "done", sop_instance_uid="1.3")
    assert b"121320" in first[0x00082112]


def test_lossy_changes_method_that_only_the_codestreams_tell_joins_the_ratio():
    had = _Raw(x00282112=b"8.5")
    changes = lossy_changes(had, "htj2k", "done", sop_instance_uid="", before=Step("jpeg", "9"))
    assert changes[0x00282112][8:] == b"8.5\\" + RATIO_PLACEHOLDER
    assert changes[0x00282114][8:].strip() == b"ISO_10918_1\\ISO_15444_15"


def test_lossy_changes_source_without_a_uid_is_not_referenced():
    changes = lossy_changes(_Raw(), "jpeg", "done", sop_instance_uid="1.2")
    assert 0x00082112 not in changes


def test_lossy_changes_too_long_description_is_left_alone():
    had = _Raw(x00082111=b"x" * 1020)
    assert 0x00082111 not in lossy_changes(had, "jpeg", "done", sop_instance_uid="")


_META = bytes(128) + b"DICM" + format_element(0x00020010, "UI", b"1.2.840.10008.1.2.1")


def _group(keyword, frame_type):
    group, item = Dataset(), Dataset()
    item.FrameType = frame_type
    item.PixelPresentation = "MONOCHROME"
    setattr(group, keyword, [item])
    return group


@pytest.mark.parametrize("undefined", [False, True])
def test_derive_frame_types_in_shared_and_per_frame_groups(undefined):
    data_set = Dataset()
    data_set.FrameType = ["ORIGINAL", "PRIMARY"]  # at the top level it is not ours
    shared = _group("CTImageFrameTypeSequence", ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"])
    frames = [
        _group("MRImageFrameTypeSequence", ["ORIGINAL", "PRIMARY"]),
        _group("MRImageFrameTypeSequence", ["DERIVED", "PRIMARY"]),
        Dataset(),
    ]
    data_set.SharedFunctionalGroupsSequence = [shared]
    data_set.PerFrameFunctionalGroupsSequence = frames
    for element in data_set:
        element.is_undefined_length = undefined and element.VR == "SQ"
    stream = BytesIO()
    dcmwrite(stream, data_set, implicit_vr=False, little_endian=True)
    before = stream.getvalue()

    made = derive_frame_types(before)

    assert len(made) == len(before)
    read = dcmread(BytesIO(_META + made))
    assert list(read.FrameType) == ["ORIGINAL", "PRIMARY"]
    (group,) = read.SharedFunctionalGroupsSequence
    kind = group.CTImageFrameTypeSequence[0]
    assert [part.strip() for part in kind.FrameType] == ["DERIVED", "PRIMARY", "VOLUME", "NONE"]
    assert kind.PixelPresentation == "MONOCHROME"
    one, two, none = read.PerFrameFunctionalGroupsSequence
    assert [part.strip() for part in one.MRImageFrameTypeSequence[0].FrameType] == [
        "DERIVED",
        "PRIMARY",
    ]
    assert two == frames[1]
    assert not none


def test_derive_frame_types_without_groups_changes_nothing():
    data = format_element(0x00080008, "CS", b"ORIGINAL\\PRIMARY")
    assert derive_frame_types(data) == data
