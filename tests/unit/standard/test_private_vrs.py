import pytest
from pydicom.datadict import private_dictionary_VR

from imgconv.dicom.reencode import LONG_VRS
from imgconv.standard.private_vrs import _VRS, find_private_vr


@pytest.mark.parametrize(
    ("tag", "creator", "vr"),
    [
        (0x00211001, "SIEMENS MR SDS 01", "IS"),
        (0x002111FE, "SIEMENS MR SDI 02", "SQ"),
        (0x00211001, "SIEMENS MR SDS 02", ""),
        (0x00191001, "SIEMENS MR SDS 01", ""),
    ],
)
def test_find_private_vr(tag, creator, vr):
    assert find_private_vr(tag, creator) == vr


def test_private_vrs_are_vrs_and_each_element_has_one():
    short = {"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FL", "FD", "IS", "LO", "LT", "PN"}
    short |= {"SH", "SL", "SS", "ST", "TM", "UI", "UL", "US"}
    for rows in _VRS.values():
        lows = [low for text in rows.values() for low in text.split()]
        assert len(lows) == len(set(lows))
        assert set(rows) <= short | LONG_VRS


def test_private_vrs_are_not_those_of_the_other_dictionary():
    for (creator, group), rows in _VRS.items():
        for vr, lows in rows.items():
            for low in lows.split():
                try:
                    other = private_dictionary_VR(group << 16 | 0x1000 | int(low, 16), creator)
                except KeyError:
                    other = ""
                assert other != vr
