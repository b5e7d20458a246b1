import numpy as np
import pytest

from imgconv.codecs import PixelFormat, encode_frame
from imgconv.dicom.icons import decode_nested, has_nested_frames
from imgconv.dicom.reencode import format_element
from imgconv.errors import CorruptData, UnsupportedData

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


def _icon(side, stream):
    numbers = ((0x00280002, 1), (0x00280010, side), (0x00280011, side), (0x00280100, 8))
    content = b"".join(format_element(tag, "US", bytes((n % 256, n // 256))) for tag, n in numbers)
    content += format_element(0x00280101, "US", b"\x08\0") + format_element(
        0x00280102, "US", b"\7\0"
    )
    stream += b"\0" * (len(stream) % 2)
    content += b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\0\0\0\0"
    content += b"\xfe\xff\x00\xe0" + len(stream).to_bytes(4, "little") + stream
    content += b"\xfe\xff\xdd\xe0\0\0\0\0"
    return b"\xfe\xff\x00\xe0" + len(content).to_bytes(4, "little") + content


@pytest.mark.parametrize(("side", "count"), [(2000, 20), (4, 1000)])
def test_decode_nested_takes_a_thousand_icons_but_no_bomb(side, count):
    samples = np.zeros((side, side), np.uint8)
    stream = encode_frame(
        samples, JPEG_LS, PixelFormat(rows=side, columns=side, bits_allocated=8, bits_stored=8)
    ).data
    data = format_element(0x00880200, "SQ", _icon(side, stream) * count)
    if count == 1000:
        assert not has_nested_frames(decode_nested(data, JPEG_LS))
    else:
        with pytest.raises(UnsupportedData, match="icons decompress too far"):
            decode_nested(data, JPEG_LS)
