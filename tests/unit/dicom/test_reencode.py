import struct

import pytest
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence

from imgconv.dicom.reencode import format_element, reencode, swap_bytes
from imgconv.dicom.scan import EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE
from imgconv.errors import CorruptData

ENCODINGS = [IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG]


def _bytes(data_set, encoding):
    """Encode by pydicom: another implementation."""
    stream = DicomBytesIO()
    stream.is_little_endian = not encoding.big_endian
    stream.is_implicit_VR = not encoding.explicit
    write_dataset(stream, data_set)
    return stream.getvalue()


def _data_set(*, undefined=False):
    inner = Dataset()
    inner.ReferencedSOPInstanceUID = "1.2.3"
    inner.Rows = 77
    outer = Dataset()
    outer.add_new(0x00081140, "SQ", Sequence([inner, Dataset()]))
    outer.is_undefined_length_sequence_item = undefined
    data_set = Dataset()
    data_set.PatientID = "X"
    data_set.Rows, data_set.PixelRepresentation = 258, 1
    data_set.SmallestImagePixelValue = -3
    data_set["SmallestImagePixelValue"].VR = "SS"
    data_set.add_new(0x00189087, "FD", 1.5)
    data_set.add_new(0x00091001, "UN", b"\1\2")
    data_set.add_new(0x00090010, "LO", "NOBODY KNOWS")
    data_set.add_new(0x00082112, "SQ", Sequence([outer]))
    data_set[0x00082112].is_undefined_length = undefined
    data_set.add_new(0x60000010, "US", 513)
    data_set.add_new(0x60003000, "OW", b"\1\2\3\4")
    return data_set


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("source", ENCODINGS)
@pytest.mark.parametrize("target", ENCODINGS)
def test_reencode_gives_what_another_writer_gives(source, target, undefined):
    data_set = _data_set(undefined=undefined)
    data = _bytes(data_set, source)
    expected = _data_set(undefined=undefined)
    if source.big_endian != target.big_endian:
        expected[0x60003000].value = b"\2\1\4\3"  # pydicom takes OW as bytes in place
    assert reencode(data, 0, len(data), source, target) == _bytes(expected, target)


def test_reencode_unknown_of_undefined_length_keeps_its_content():
    content = b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + struct.pack("<HHL", 0x0008, 0x0060, 2) + b"CT"
    content += b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    head = struct.pack("<HH", 0x0009, 0x1001)
    explicit = head + b"UN\0\0\xff\xff\xff\xff" + content
    assert reencode(explicit, 0, len(explicit), EXPLICIT_LITTLE, IMPLICIT_LITTLE) == (
        head + b"\xff\xff\xff\xff" + content
    )


def test_reencode_value_too_long_for_its_vr_becomes_unknown():
    data = struct.pack("<HHL", 0x0010, 0x4000, 70_000) + b"x" * 70_000
    made = reencode(data, 0, len(data), IMPLICIT_LITTLE, EXPLICIT_LITTLE)
    assert made[4:12] == b"UN\0\0" + struct.pack("<L", 70_000)


def test_reencode_known_private_elements_get_their_vr():
    creator = struct.pack("<HHL", 0x0009, 0x0010, 12) + b"GEMS_IDEN_01"
    data = creator + struct.pack("<HHL", 0x0009, 0x1002, 4) + b"CT01"
    made = reencode(data, 0, len(data), IMPLICIT_LITTLE, EXPLICIT_LITTLE)
    assert made.endswith(b"SH\x04\0CT01")


@pytest.mark.parametrize(
    "data",
    [
        b"\x08\0\x60\0\xff\0\0\0CT",  # longer than the data
        b"\x08\0\x60\0",
        b"\x40\0\x75\xa7\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff",  # no end
        (b"\x40\0\x75\xa7\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff") * 5000,
    ],
)
def test_reencode_damaged_is_corrupt(data):
    with pytest.raises(CorruptData):
        reencode(data, 0, len(data), IMPLICIT_LITTLE, EXPLICIT_LITTLE)


def test_swap_bytes_keeps_text_and_an_incomplete_word():
    assert swap_bytes(b"\1\2\3\4\5", "US") == b"\2\1\4\3\5"
    assert swap_bytes(b"abcd", "LO") == b"abcd"


def test_format_element_pads_uids_with_null_and_text_with_space():
    assert format_element(0x00080018, "UI", b"1.2").endswith(b"\4\0001.2\0")
    assert format_element(0x00080060, "CS", b"PET").endswith(b"PET ")


def _explicit(*elements):
    data = b"".join(format_element(tag, vr, value, IMPLICIT_LITTLE) for tag, vr, value in elements)
    return reencode(data, 0, len(data), IMPLICIT_LITTLE, EXPLICIT_LITTLE)


@pytest.mark.parametrize(("bits", "vr"), [(8, "OB"), (16, "OW")])
def test_reencode_waveform_data_has_the_vr_of_its_samples(bits, vr):
    allocated = (0x54001004, "US", bits.to_bytes(2, "little"))
    made = _explicit(allocated, (0x54001010, vr, b"\1\2\3\4"))
    assert made.endswith(format_element(0x54001010, vr, b"\1\2\3\4"))


def test_reencode_private_value_keeps_the_vr_of_the_dictionary_however_many_there_are():
    creator = (0x00430010, "LO", b"GEMS_PARM_01")
    made = _explicit(creator, (0x0043101B, "SS", bytes(10)))
    assert made.endswith(format_element(0x0043101B, "SS", bytes(10)))


def test_reencode_private_sequence_of_the_dictionary_is_one_if_it_can_be():
    creator = (0x00210010, "LO", b"SIEMENS MR SDI 02")
    inner = format_element(0x00080060, "CS", b"MR", IMPLICIT_LITTLE)
    item = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(inner)) + inner
    made = _explicit(creator, (0x002110FE, "SQ", item))
    inner = format_element(0x00080060, "CS", b"MR")
    item = b"\xfe\xff\x00\xe0" + struct.pack("<L", len(inner)) + inner
    assert made.endswith(format_element(0x002110FE, "SQ", item))
    made = _explicit(creator, (0x002110FE, "SQ", b"no items"))
    assert made.endswith(format_element(0x002110FE, "UN", b"no items"))
