import pytest

from imgconv.dicom.icons import decode_nested, has_nested_frames
from imgconv.dicom.reencode import format_element
from imgconv.errors import CorruptData

JPEG_LS = "1.2.840.10008.1.2.4.80"


def test_decode_nested_without_frames_changes_nothing():
    data = format_element(0x00100010, "PN", b"Doe^Jane") + format_element(0x00880200, "SQ", b"")
    assert not has_nested_frames(data)
    assert decode_nested(data, JPEG_LS) == data


def test_decode_nested_damaged_icon_is_corrupt():
    pixels = b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\0\0\0\0"
    pixels += b"\xfe\xff\x00\xe0\2\0\0\0ab" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    item = b"\xfe\xff\x00\xe0" + len(pixels).to_bytes(4, "little") + pixels
    data = format_element(0x00880200, "SQ", item)
    assert has_nested_frames(data)
    with pytest.raises(CorruptData):
        decode_nested(data, JPEG_LS)
