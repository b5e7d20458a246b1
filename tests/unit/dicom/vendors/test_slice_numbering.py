import struct

import pytest

from imgconv.dicom.vendors.facts import Acquisition
from imgconv.dicom.vendors.slice_numbering import is_numbered_against_normal

CSA = "SIEMENS CSA HEADER"


def csa(number):
    text = str(number).encode() + b"\0"
    element = struct.pack("<64si4siii", b"ProtocolSliceNumber", 1, b"IS", 0, 1, 77)
    item = struct.pack("<4i", len(text), len(text), 77, len(text)) + text + bytes(-len(text) % 4)
    return b"SV10\4\3\2\1" + struct.pack("<2i", 1, 77) + element + item


@pytest.fixture
def slice_of(facts_of):
    def make(instance, number, manufacturer="SIEMENS"):
        private = {} if number is None else {(0x29, CSA, 0x10, "OB"): csa(number)}
        return facts_of({"InstanceNumber": instance, "Manufacturer": manufacturer}, private)

    return make


@pytest.mark.parametrize(
    ("tiles", "number", "expected"),
    [
        ((0, 1, 2), 0, False),
        ((2, 1, 0), 0, True),
        ((2, 1, 0), 39, False),
        ((0, 1, 2), 39, True),
        ((2, 1, 0), None, True),
    ],
)
def test_tiles_run_from_the_first_or_from_the_last_slice(slice_of, tiles, number, expected):
    mosaic = Acquisition(((slice_of(1, number),),), (4, 4, 3), tiles=tiles)
    assert is_numbered_against_normal(mosaic) is expected


@pytest.mark.parametrize(
    ("numbers", "first", "expected"),
    [
        ((1, 2, 3), 0, False),
        ((1, 2, 3), 2, True),
        ((3, 2, 1), 2, False),
        ((1, 2, 3), None, False),
    ],
)
def test_single_slices_tell_it_if_numbered_along_the_normal(slice_of, numbers, first, expected):
    slices = tuple(slice_of(number, first) for number in numbers)
    assert is_numbered_against_normal(Acquisition((slices,), (4, 4, 3))) is expected


def test_other_vendors_do_not_number_slices(slice_of):
    slices = tuple(slice_of(number, 9, "GE MEDICAL SYSTEMS") for number in (1, 2))
    assert not is_numbered_against_normal(Acquisition((slices,), (4, 4, 2)))
