from __future__ import annotations

import pytest
from builders import element, tree_of

from imgconv.dicom.repair.values import mend_values


@pytest.mark.parametrize(
    ("tag", "vr", "before", "after"),
    [
        (0x00080020, "DA", b"2020.01.31", b"20200131"),
        (0x00080020, "DA", b"2020-1-3", b"20200103"),
        (0x00080030, "TM", b"12:30:05.25", b"123005.25"),
        (0x00080030, "TM", b"12:30", b"1230"),
        (0x0008002A, "DT", b"2020-01-31 12:30:05", b"20200131123005"),
        (0x00101010, "AS", b"45Y ", b"045Y"),
        (0x00180050, "DS", b"1,5 ", b"1.5"),
        (0x00180050, "DS", b"0.33333333333333331 ", b"0.33333333333333"),
        (0x00180050, "DS", b"-1.2345678901234567e-10 ", b"-1.234567890e-10"),
        (0x00200013, "IS", b"12.0", b"12"),
        (0x00080060, "CS", b"ct", b"CT"),
        (0x00080018, "UI", b"1.02.3", b"1.2.3"),
    ],
)
def test_mend_values_certain_meaning_is_written_as_its_vr_wants(tag, vr, before, after):
    tree = tree_of(element(tag, vr, before))

    (change,) = mend_values(tree)

    assert change.is_done
    written = bytes(tree.dataset.elements[tag].value)
    if vr == "DS":
        assert len(written) <= 16
        assert float(written) == pytest.approx(float(after), rel=1e-9)
    else:
        assert written == after


@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [
        (0x00080020, "DA", b"20201345"),
        (0x00080030, "TM", b"996161"),
        (0x00101010, "AS", b"45"),
        (0x00180050, "DS", b"thin"),
        (0x00200013, "IS", b"12.5"),
    ],
)
def test_mend_values_uncertain_meaning_is_set_aside_with_its_bytes(tag, vr, value):
    padded = value + b" " * (len(value) % 2)
    tree = tree_of(element(tag, vr, padded))

    (change,) = mend_values(tree)

    assert change.original == padded
    assert tree.dataset.elements[tag].is_empty


def test_mend_values_uncertain_meaning_of_a_needed_attribute_is_left():
    tree = tree_of(element(0x00080020, "DA", b"20201345"))

    (change,) = mend_values(tree, frozenset({0x00080020}))

    assert not change.is_done
    assert tree.dataset.text(0x00080020) == "20201345"


@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [
        (0x00080020, "DA", b"20200229"),
        (0x00080030, "TM", b"235960"),
        (0x00080030, "TM", b"12"),
        (0x00180050, "DS", b"1.5 "),
        (0x00280030, "DS", b"0.5\\0.5 "),
        (0x00200013, "IS", b"+12 "),
        (0x00080008, "CS", b"ORIGINAL\\PRIMARY "),
        (0x00080018, "UI", b"1.2.3\0"),
        (0x00100010, "PN", b"Doe^Jane"),
    ],
)
def test_mend_values_valid_value_is_left_alone(tag, vr, value):
    tree = tree_of(element(tag, vr, value))

    assert mend_values(tree) == []
    assert bytes(tree.dataset.elements[tag].value) == value


def test_mend_values_report_holds_no_value():
    tree = tree_of(element(0x00100010, "PN", b"Canary\x01Name"))

    (change,) = mend_values(tree)

    assert "Canary" not in repr(change)
    assert "Canary" not in str(change.to_json())


@pytest.mark.parametrize(
    ("text", "is_right"),
    [
        (b"2001", True),
        (b"200113", False),
        (b"20011340", False),
        (b"200102", True),
        (b"20010203+1500", False),
        (b"20010203+0100", True),
    ],
)
def test_mend_values_date_times_are_judged_as_far_as_they_go(text, is_right):
    tree = tree_of(element(0x0008002A, "DT", text + b" " * (len(text) % 2)))

    assert (mend_values(tree) == []) is is_right


def test_mend_values_empty_number_behind_the_last_goes():
    tree = tree_of(element(0x00281051, "DS", b"1.5\\"), element(0x00281050, "DS", b"1\\\\2 "))

    (change,) = mend_values(tree)

    assert change.tag == "(0028,1051)"
    assert tree.dataset.texts(0x00281051) == ("1.5",)
