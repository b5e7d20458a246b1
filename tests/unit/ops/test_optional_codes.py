from __future__ import annotations

from pathlib import Path

import pytest

from imgconv.dicom.elements import Tree
from imgconv.dicom.put import put, put_code, put_item
from imgconv.ops.optional_codes import set_aside_optional_items
from imgconv.rules.codes import check_codes
from imgconv.rules.instance import Hit, Instance
from imgconv.rules.modules import check_modules
from imgconv.rules.plan import find_plan
from imgconv.standard.iods import find_iod

CT = "1.2.840.10008.5.1.4.1.1.2"
PROCEDURE, REFERENCED_SERIES = 0x00081032, 0x00081115


def tree_with_codes(tag, *, second=True):
    tree = Tree(Path("x.dcm"), 0, b"")
    put(tree.dataset, 0x00080016, "UI", CT)
    broken = put_item(tree.dataset, tag)
    put(broken, 0x00080100, "SH", "12")
    if second:
        put_code(tree.dataset, tag, "69536005", "Head")
    return tree


def set_aside(tree, hits=()):
    instance = Instance(tree)
    found = [*hits, *check_modules(instance), *check_codes(instance)]
    return set_aside_optional_items(tree, find_plan(find_iod(CT)), found)


def test_set_aside_optional_items_whole_codes_stay():
    tree = tree_with_codes(PROCEDURE)

    (change,) = set_aside(tree)

    (item,) = tree.dataset.items_of(PROCEDURE)
    assert (item.index, item.text(0x00080100)) == (0, "69536005")
    assert change.name == "incomplete-item"
    assert b"12" in change.original
    assert set_aside(tree) == []


def test_set_aside_optional_items_sequence_without_items_goes():
    tree = tree_with_codes(PROCEDURE, second=False)

    set_aside(tree)

    assert PROCEDURE not in tree.dataset.elements


@pytest.mark.parametrize("tag", [0x00540410, REFERENCED_SERIES])
def test_set_aside_optional_items_of_other_sequences_stay(tag):
    tree = tree_with_codes(tag)
    hit = Hit("M001", "missing", f"({tag >> 16:04X},{tag & 0xFFFF:04X})[0].(0008,0102)")

    assert set_aside(tree, [hit]) == []
    assert len(tree.dataset.items_of(tag)) == 2
