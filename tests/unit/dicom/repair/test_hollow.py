from __future__ import annotations

import struct

from builders import element, tree_of

from imgconv.dicom.repair.hollow import mend_hollow

REFERENCES, SOURCE, PRIVATE = 0x00081140, 0x00082112, 0x00091001
CLASS = element(0x00081150, "UI", b"1.2.840.10008.5.1.4.1.1.2\0")
INSTANCE = element(0x00081155, "UI", b"1.2.3\0")
NO_INSTANCE = element(0x00081155, "UI", b"")
PURPOSE = element(0x0040A170, "SQ", b"")


def sequence(tag: int, *items: bytes) -> bytes:
    return element(
        tag, "SQ", b"".join(b"\xfe\xff\0\xe0" + struct.pack("<I", len(i)) + i for i in items)
    )


def test_mend_hollow_items_that_say_nothing_go():
    tree = tree_of(sequence(REFERENCES, NO_INSTANCE, CLASS + INSTANCE, PURPOSE))

    (change,) = mend_hollow(tree)

    assert change.before == "2 items that say nothing"
    (kept,) = tree.dataset.items_of(REFERENCES)
    assert kept.index == 0
    assert kept.text(0x00081155) == "1.2.3"


def test_mend_hollow_reference_that_names_no_instance_goes_whatever_else_it_says():
    described = element(0x00081199, "LO", b"why ")
    tree = tree_of(sequence(SOURCE, described))

    assert [change.tag for change in mend_hollow(tree)] == ["(0008,2112)"]
    assert tree.dataset.elements[SOURCE].items == []


def test_mend_hollow_half_a_reference_stays():
    tree = tree_of(sequence(SOURCE, CLASS))

    assert mend_hollow(tree) == []


def test_mend_hollow_nested_skeletons_go_from_the_inside():
    inner = sequence(0x00400008, element(0x00080100, "SH", b""))
    tree = tree_of(sequence(0x00400275, inner))

    assert [change.tag for change in mend_hollow(tree)] == [
        "(0040,0275)[0].(0040,0008)",
        "(0040,0275)",
    ]
    assert tree.dataset.elements[0x00400275].items == []


def test_mend_hollow_private_items_stay_items_without_elements_go():
    creator = element(0x00090010, "LO", b"ME")
    tree = tree_of(creator, sequence(PRIVATE, NO_INSTANCE), sequence(0x00400275, b""))

    assert [change.tag for change in mend_hollow(tree)] == ["(0040,0275)"]


def test_mend_hollow_overlay_plane_without_any_value_goes():
    empty = [element(0x60000010, "US", b""), element(0x60000040, "CS", b"")]
    full = [element(0x60020010, "US", b"\1\0"), element(0x60020040, "CS", b"")]
    tree = tree_of(INSTANCE, *empty, *full)

    assert len(mend_hollow(tree)) == 2
    assert sorted(tree.dataset.elements) == [0x00081155, 0x60020010, 0x60020040]


def test_mend_hollow_icon_without_pixels_goes_one_with_pixels_stays():
    rows = element(0x00280010, "US", b"\2\0")
    pixels = element(0x7FE00010, "OW", bytes(4))
    tree = tree_of(INSTANCE, sequence(0x00880200, rows), sequence(0x00081140, CLASS + INSTANCE))
    assert [change.tag for change in mend_hollow(tree)] == ["(0088,0200)"]

    tree = tree_of(INSTANCE, sequence(0x00880200, rows + pixels))
    assert mend_hollow(tree) == []


def test_mend_hollow_frames_without_groups_of_their_own_stay():
    tree = tree_of(INSTANCE, sequence(0x52009230, b"", b""))
    assert mend_hollow(tree) == []

    tree = tree_of(INSTANCE, sequence(0x52009229, b"", b""))
    assert len(mend_hollow(tree)) == 1
    assert len(tree.dataset.items_of(0x52009229)) == 1


def test_mend_hollow_functional_groups_that_hold_nothing_stay():
    unassigned = sequence(0x00209171, b"")
    tree = tree_of(INSTANCE, sequence(0x52009230, unassigned))

    assert mend_hollow(tree) == []
    assert len(tree.dataset.items_of(0x52009230)[0].items_of(0x00209171)) == 1
