import struct
import zlib

import numpy as np
import pytest
from tests.unit.dicom.pixel_files import file_bytes, make_file, ramp

from imgconv.dicom.reencode import format_element, reencode
from imgconv.dicom.scan import EXPLICIT_LITTLE, IMPLICIT_LITTLE
from imgconv.dicom.splice import format_meta, iter_spans, patched, split_file
from imgconv.errors import CorruptData, InputError, UnknownFormat, UnsupportedData

EXPLICIT, DEFLATED = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"


def _text(tag, value):
    return format_element(tag, "LO", value)


def test_split_file_parts_are_the_file(tmp_path):
    path = make_file(tmp_path / "a", ramp())
    parts = split_file(path)
    offset, length = parts.value
    rebuilt = (
        format_meta(parts.preamble, parts.meta, EXPLICIT)
        + parts.before
        + b"\xe0\x7f\x10\0OW\0\0"
        + struct.pack("<L", length)
        + bytes(parts.buffer[offset : offset + length])
        + parts.after
    )
    assert rebuilt == path.read_bytes()


def test_split_file_keeps_what_comes_after_the_pixels(tmp_path):
    padding = format_element(0xFFFCFFFC, "OB", b"\0" * 10)
    path = tmp_path / "a"
    path.write_bytes(file_bytes(ramp()) + padding)
    assert split_file(path).after == padding


def test_split_file_rubbish_after_the_pixels_is_dropped_and_told(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(file_bytes(ramp()) + b"rubbish!!")
    parts = split_file(path)
    assert parts.after == b""
    assert "9 bytes after the pixel data" in parts.warnings[0]


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2"])
def test_split_file_of_another_encoding_is_explicit_little_endian(tmp_path, syntax):
    native = split_file(make_file(tmp_path / "a", ramp()))
    other = split_file(make_file(tmp_path / "b", ramp(), syntax=syntax))
    tags = [tag for tag, _, _ in iter_spans(other.before)]
    assert tags == [tag for tag, _, _ in iter_spans(native.before)]
    assert other.syntax.uid == syntax


def _deflate(path, data, level=9):
    split = split_file(path)
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    start = len(format_meta(split.preamble, split.meta, EXPLICIT))
    body = packer.compress(data or path.read_bytes()[start:]) + packer.flush()
    path.write_bytes(format_meta(split.preamble, split.meta, DEFLATED) + body)
    return split


def test_split_file_deflated_is_inflated(tmp_path):
    path = make_file(tmp_path / "a", ramp())
    native = _deflate(path, None)
    parts = split_file(path)
    assert parts.before == native.before
    assert parts.syntax.uid == DEFLATED


def test_split_file_deflate_bomb_is_refused(tmp_path):
    path = make_file(tmp_path / "a", ramp())
    _deflate(path, b"\0" * 120_000_000, level=6)
    with pytest.raises(UnsupportedData, match="inflates too far"):
        split_file(path)


def test_split_file_without_preamble_and_meta(tmp_path):
    path = make_file(tmp_path / "a", ramp())
    parts = split_file(path)
    start = len(format_meta(parts.preamble, parts.meta, EXPLICIT))
    bare = tmp_path / "b"
    bare.write_bytes(path.read_bytes()[start:])
    again = split_file(bare)
    assert again.meta == {}
    assert again.before == parts.before


@pytest.mark.parametrize(
    ("cut", "error"),
    [(0, UnknownFormat), (131, UnknownFormat), (400, CorruptData), (-1, CorruptData)],
)
def test_split_file_truncated_is_refused(tmp_path, cut, error):
    path = tmp_path / "a"
    path.write_bytes(file_bytes(ramp())[:cut])
    with pytest.raises(error) as caught:
        split_file(path)
    assert caught.value.path == path


def test_split_file_missing_or_of_unknown_syntax_is_refused(tmp_path):
    with pytest.raises(InputError):
        split_file(tmp_path / "none")
    path = tmp_path / "a"
    path.write_bytes(file_bytes(ramp()).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.9.1\0"))
    with pytest.raises(UnsupportedData, match="transfer syntax is unknown"):
        split_file(path)


def test_patched_replaces_adds_and_leaves_out_in_order():
    data = b"".join(_text(tag, b"ab") for tag in (0x00100010, 0x00100020, 0x00200010))
    changed = patched(
        data,
        {
            0x00100020: _text(0x00100020, b"new!"),
            0x00100030: _text(0x00100030, b"more"),
            0x00200010: None,
            0x00080005: _text(0x00080005, b"first"),
            0x00300010: _text(0x00300010, b"last"),
            0x00400010: None,
        },
    )
    assert changed == b"".join(
        (
            _text(0x00080005, b"first"),
            _text(0x00100010, b"ab"),
            _text(0x00100020, b"new!"),
            _text(0x00100030, b"more"),
            _text(0x00300010, b"last"),
        )
    )


def test_patched_keeps_repeated_and_misplaced_elements():
    data = _text(0x00200010, b"x ") + _text(0x00100010, b"a ") + _text(0x00100010, b"b ")
    assert patched(data, {0x00300010: None}) == data
    assert patched(data, {0x00200010: _text(0x00200010, b"y ")}) == data.replace(b"x ", b"y ")


def test_patched_corrects_group_lengths():
    body = _text(0x00280004, b"RGB") + _text(0x00280010, b"xx")
    length = format_element(0x00280000, "UL", struct.pack("<L", len(body)))
    changed = patched(length + body, {0x00280004: _text(0x00280004, b"YBR_RCT")})
    assert changed[8:12] == struct.pack("<L", len(changed) - 12)


def _mixed_file(path, uid, *, encoding=IMPLICIT_LITTLE):
    """Write a file whose data set is not in the encoding that its meta information states."""
    native = split_file(make_file(path, ramp()))
    body = reencode(native.before, 0, len(native.before), EXPLICIT_LITTLE, encoding)
    pixels = bytes(native.buffer[native.value[0] : native.value[0] + native.value[1]])
    body += format_element(0x7FE00010, "OW", pixels, encoding)
    path.write_bytes(format_meta(native.preamble, native.meta, uid) + body)
    return native


def test_split_file_elements_without_vr_get_one(tmp_path):
    native = _mixed_file(tmp_path / "a", EXPLICIT)
    parts = split_file(tmp_path / "a")
    assert [tag for tag, _, _ in iter_spans(parts.before)] == [
        tag for tag, _, _ in iter_spans(native.before)
    ]
    assert format_element(0x00080060, "CS", b"OT") in parts.before
    assert "elements have no VR" in parts.warnings[0]
    assert np.array_equal(parts.frames.read(0), native.frames.read(0))


def test_split_file_explicit_elements_in_implicit_file_are_believed(tmp_path):
    native = _mixed_file(tmp_path / "a", "1.2.840.10008.1.2", encoding=EXPLICIT_LITTLE)
    parts = split_file(tmp_path / "a")
    assert parts.before == native.before
    assert "it was believed" in parts.warnings[0]
