import struct
import zlib

import pytest
from tests.unit.rules import objects

from imgconv.dicom.tree_reader import read_tree
from imgconv.errors import CorruptData, InputError, UnsupportedData


def read(data, tmp_path):
    path = tmp_path / "a.dcm"
    path.write_bytes(data)
    return read_tree(path)


def test_read_tree_gives_elements_and_places(tmp_path):
    tree = read(objects.encode_file(objects.report()), tmp_path)
    assert tree.problems == []
    assert tree.dataset.text(0x00080060) == "SR"
    paths = {element.path for element in tree.dataset.walk()}
    assert "(0040,A730)[0].(0008,1199)[0].(0008,1155)" in paths


def test_read_tree_implicit(tmp_path):
    data = objects.encode_file({}, {"TransferSyntaxUID": "1.2.840.10008.1.2"})
    data += objects.encode_dataset(objects.ct(), implicit=True)
    tree = read(data, tmp_path)
    assert tree.dataset.integer(0x00280010) == 4
    assert tree.dataset.get(0x00280010).written_vr == ""


@pytest.mark.parametrize("data", [b"", b"hello", b"\0" * 200, bytes(128) + b"DICM"])
def test_what_is_no_dicom_is_refused(data, tmp_path):
    with pytest.raises(CorruptData):
        read(data, tmp_path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_tree(tmp_path / "none.dcm")


def test_every_truncation_is_survived(tmp_path):
    data = objects.encode_file(objects.report())
    for length in range(0, len(data), 7):
        try:
            tree = read(data[:length], tmp_path)
        except CorruptData:
            continue
        list(tree.dataset.walk())


def test_a_declared_length_beyond_the_file_is_a_problem(tmp_path):
    data = bytearray(objects.encode_file(objects.ct()))
    at = data.index(b"\xe0\x7f\x10\x00OW") + 8
    data[at : at + 4] = struct.pack("<I", 0x7FFFFFFF)
    tree = read(bytes(data), tmp_path)
    assert [problem.kind for problem in tree.problems] == ["truncated"]


def test_undefined_lengths_are_read(tmp_path):
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    item += objects.encode_dataset({"CodeValue": "1"}) + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
    sequence = struct.pack("<HH2sHI", 0x0008, 0x2112, b"SQ", 0, 0xFFFFFFFF) + item
    sequence += struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    data = objects.encode_file({"SOPClassUID": objects.CT}) + sequence
    tree = read(data, tmp_path)
    assert tree.problems == []
    (inner,) = tree.dataset.items_of(0x00082112)
    assert inner.text(0x00080100) == "1"


def test_read_tree_of_a_deflate_bomb_says_what_it_is(tmp_path):
    path = tmp_path / "bomb.dcm"
    syntax = b"1.2.840.10008.1.2.1.99"
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(120)) + packer.flush()
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", len(syntax)) + syntax
    path.write_bytes(bytes(128) + b"DICM" + meta + packed)
    with pytest.raises(UnsupportedData, match="inflates too far") as caught:
        read_tree(path)
    assert caught.value.path == path


def test_read_tree_sequence_in_an_un_element_of_a_big_endian_file_is_little_endian(tmp_path):
    data = objects.encode_file({}, {"TransferSyntaxUID": "1.2.840.10008.1.2.2"})
    uid = b"1.2.3\0"
    inner = struct.pack("<HHI", 0x0008, 0x1155, len(uid)) + uid
    data += struct.pack(">HH2sH", 0x0008, 0x0060, b"CS", 2) + b"CT"
    data += struct.pack(">HH2sHI", 0x0008, 0x2112, b"UN", 0, 0xFFFFFFFF)
    data += struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
    data += struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    data += struct.pack(">HH2sH", 0x0028, 0x0010, b"US", 2) + b"\0\4"

    tree = read(data, tmp_path)

    assert tree.problems == []
    assert tree.dataset.items_of(0x00082112)[0].text(0x00081155) == "1.2.3"
    assert tree.dataset.integer(0x00280010) == 4


def test_a_group_length_that_is_text_is_wrong_and_stops_nothing(tmp_path):
    data = objects.encode_file(objects.ct())
    assert data[132:140] == b"\x02\0\0\0UL\4\0"
    tree = read(data[:136] + b"LO\4\0abcd" + data[144:], tmp_path)
    assert [problem.kind for problem in tree.problems] == ["group-length"]
    assert tree.dataset.text(0x00080060) == "CT"
