from __future__ import annotations

import struct
from pathlib import Path

import pytest
from builders import element, part10, tree_of

from imgconv.dicom.repair.structure import mend_structure
from imgconv.dicom.tree_reader import read_tree
from imgconv.errors import CorruptData


def names(changes):
    return [change.name for change in changes]


def test_mend_structure_group_length_is_removed():
    tree = tree_of(element(0x00080000, "UL", b"\4\0\0\0"), element(0x00080060, "CS", b"CT"))

    changes = mend_structure(tree)

    assert names(changes) == ["group-length"]
    assert list(tree.dataset.elements) == [0x00080060]


def test_mend_structure_unknown_vr_of_known_text_is_named():
    tree = tree_of(element(0x00080060, "UN", b"CT"))

    changes = mend_structure(tree)

    assert names(changes) == ["unknown-vr"]
    assert tree.dataset.elements[0x00080060].vr == "CS"
    assert tree.dataset.text(0x00080060) == "CT"


def test_mend_structure_unknown_sequence_is_read_as_implicit_items():
    inner = struct.pack("<HHI", 8, 0x0100, 4) + b"T-A0"
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
    tree = tree_of(element(0x00082218, "UN", item))

    mend_structure(tree)

    (read,) = tree.dataset.items_of(0x00082218)
    assert read.text(0x00080100) == "T-A0"


def test_mend_structure_unknown_sequence_of_garbage_is_left():
    tree = tree_of(element(0x00082218, "UN", b"garbage!"))

    (change,) = mend_structure(tree)

    assert not change.is_done
    assert bytes(tree.dataset.elements[0x00082218].value) == b"garbage!"


@pytest.mark.parametrize(
    ("tag", "vr", "value", "expected"),
    [
        (0x00080018, "UI", b"1.2.3 ", b"1.2.3\0"),
        (0x00080060, "CS", b"CT\0\0", b"CT"),
        (0x00100020, "LO", b"abc\0", b"abc "),
    ],
)
def test_mend_structure_wrong_padding_is_replaced(tag, vr, value, expected):
    tree = tree_of(element(tag, vr, value))

    assert names(mend_structure(tree)) == ["wrong-padding"]
    assert bytes(tree.dataset.elements[tag].value) == expected


def test_mend_structure_private_element_without_creator_keeps_its_value():
    tree = tree_of(element(0x00091001, "LO", b"secret"))

    assert names(mend_structure(tree)) == ["private-without-creator"]
    assert tree.dataset.text(0x00090010) == "IMGCONV UNKNOWN CREATOR"
    assert tree.dataset.text(0x00091001) == "secret"


def test_mend_structure_empty_creator_of_nothing_is_removed():
    tree = tree_of(element(0x31090020, "LO", b""))

    assert names(mend_structure(tree)) == ["empty-private-creator"]
    assert not tree.dataset.elements


def test_mend_structure_reserved_private_element_is_kept_in_the_history():
    tree = tree_of(element(0x3109000D, "LO", b"MITRA 1"))

    (change,) = [c for c in mend_structure(tree) if c.name == "reserved-private-element"]

    assert change.original.startswith(b"MITRA 1")
    assert not tree.dataset.elements


def test_mend_structure_whole_number_of_other_width_keeps_its_value():
    tree = tree_of(element(0x00280010, "UL", struct.pack("<I", 512)))

    assert names(mend_structure(tree)) == ["wrong-vr"]
    assert tree.dataset.elements[0x00280010].vr == "US"
    assert tree.dataset.integer(0x00280010) == 512


def test_mend_structure_number_too_large_for_the_right_vr_is_left():
    tree = tree_of(element(0x00280010, "UL", struct.pack("<I", 70000)))

    (change,) = mend_structure(tree)

    assert not change.is_done
    assert tree.dataset.elements[0x00280010].vr == "UL"


def test_mend_structure_truncated_file_is_refused():
    tree = tree_of(element(0x00100020, "LO", b"abc", length=900))

    with pytest.raises(CorruptData, match="truncated"):
        mend_structure(tree)


@pytest.mark.parametrize(
    ("value", "fixed"), [(b"AXI\0\0", b"AXI "), (b"AXIAL\0\0\0", b"AXIAL "), (b"AXIAL", b"AXIAL ")]
)
def test_mend_structure_no_nul_is_left_in_text_of_any_length(value, fixed):
    tree = tree_of(element(0x00080060, "CS", value), element(0x00080070, "LO", b"A "))

    mend_structure(tree)

    assert bytes(tree.dataset.elements[0x00080060].value) == fixed


def test_mend_structure_text_written_as_bytes_gets_its_vr():
    tree = tree_of(element(0x00080020, "OB", b"20010203"), element(0x00080030, "OB", b"\1\2"))

    changes = mend_structure(tree)

    assert tree.dataset.elements[0x00080020].vr == "DA"
    assert tree.dataset.elements[0x00080030].vr == "OB"
    assert {change.tag for change in changes if change.is_done} == {"(0008,0020)"}


def test_mend_structure_zeros_behind_the_data_set_are_padding():
    data = part10(element(0x00080060, "CS", b"CT"), element(0x00080070, "LO", b"A ")) + bytes(100)
    tree = read_tree(Path("x.dcm"), data)

    assert "stray-bytes" in {change.name for change in mend_structure(tree)}
