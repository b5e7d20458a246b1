from __future__ import annotations

import struct

from builders import element, tree_of
from test_hollow import sequence

from imgconv.dicom.repair.change import empty_sequence, replace_value
from imgconv.dicom.repair.originals import keep_originals

WHEN = "20260101120000"
WORDS = {"name": "x", "before": "a", "reason": "b", "source": "c"}


def entries(tree):
    return [item.items_of(0x04000551)[0] for item in tree.dataset.items_of(0x04000561)]


def test_keep_originals_value_of_a_nested_element_is_found_by_its_path():
    inner = element(0x00080100, "SH", b"old ")
    tree = tree_of(sequence(0x00082218, b"", inner))
    code = tree.dataset.items_of(0x00082218)[1].elements[0x00080100]

    change = replace_value(code, b"new ", after="d", keep=True, **WORDS)
    keep_originals(tree, [change], WHEN)

    (entry,) = entries(tree)
    assert entry.elements[0x00720026].values() == [0x00080100]
    assert entry.elements[0x00720052].values() == [0x00082218]
    assert entry.elements[0x00741057].value == b"2"
    assert entry.elements[0x04000552].value == b"old "


def test_keep_originals_sequence_is_kept_as_its_bytes():
    items = sequence(0x00082218, element(0x00080100, "SH", b"old "))
    tree = tree_of(items)

    change = empty_sequence(tree.dataset.elements[0x00082218], **WORDS)
    keep_originals(tree, [change], WHEN)

    (entry,) = entries(tree)
    assert entry.elements[0x04000552].value == items[12:]
    assert 0x00720052 not in entry.elements


def test_keep_originals_what_is_nested_deeper_is_not_kept():
    inner = sequence(0x00082228, element(0x00080100, "SH", b"old "))
    tree = tree_of(sequence(0x00082218, inner))
    code = tree.dataset.items_of(0x00082218)[0].items_of(0x00082228)[0].elements[0x00080100]

    keep_originals(tree, [replace_value(code, b"n ", after="d", keep=True, **WORDS)], WHEN)

    assert 0x04000561 not in tree.dataset.elements


def test_keep_originals_nothing_of_private_sequences_and_nothing_long_is_kept():
    creator = element(0x00090010, "LO", b"ME")
    private = sequence(0x00091001, element(0x00080100, "SH", b"old "))
    tree = tree_of(creator, element(0x00081030, "LO", b"y" * 0xFFFE), private)
    code = tree.dataset.items_of(0x00091001)[0].elements[0x00080100]
    long = tree.dataset.elements[0x00081030]
    long.value = bytes(1 << 17)

    changes = [replace_value(e, b"new ", after="d", keep=True, **WORDS) for e in (code, long)]
    keep_originals(tree, changes, WHEN)

    assert 0x04000561 not in tree.dataset.elements


def test_keep_originals_pointers_follow_the_byte_order_of_the_data_set():
    tree = tree_of(sequence(0x00082218, element(0x00080100, "SH", b"old ")))
    tree.dataset.big_endian = True
    code = tree.dataset.items_of(0x00082218)[0].elements[0x00080100]

    keep_originals(tree, [replace_value(code, b"n ", after="d", keep=True, **WORDS)], WHEN)

    (entry,) = entries(tree)
    assert entry.elements[0x00720052].value == struct.pack(">HH", 0x0008, 0x2218)
