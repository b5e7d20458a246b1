from __future__ import annotations

import math
import struct

import pytest
from builders import element, tree_of
from test_hollow import sequence

from imgconv.dicom.repair.functional_groups import mend_functional_groups

FIRST = element(0x00080018, "UI", b"1.2.3\0")
SHARED, FRAMES = 0x52009229, 0x52009230


def frames(*rows: tuple[int, ...]) -> bytes:
    items = []
    for row in rows:
        values = element(0x00209157, "UL", struct.pack(f"<{len(row)}I", *row))
        items.append(sequence(0x00209111, values))
    return sequence(FRAMES, *items)


def slab(*vector: float) -> bytes:
    return element(0x00189105, "FD", struct.pack("<3d", *vector))


def indices(tree):
    return [
        tuple(item.items_of(0x00209111)[0].elements[0x00209157].values())
        for item in tree.dataset.items_of(FRAMES)
    ]


def test_mend_functional_groups_dimension_with_a_0_counts_from_1_in_the_same_order():
    tree = tree_of(FIRST, frames((1, 3), (1, 0), (2, 3), (2, 0)))

    changes = mend_functional_groups(tree)

    assert indices(tree) == [(1, 2), (1, 1), (2, 2), (2, 1)]
    assert [change.name for change in changes] == ["dimension-index"] * 4


@pytest.mark.parametrize("rows", [((1, 4), (2, 7)), ((0, 1), (1,))])
def test_mend_functional_groups_other_indices_stay(rows):
    tree = tree_of(FIRST, frames(*rows))

    assert mend_functional_groups(tree) == []
    assert indices(tree) == list(rows)


def test_mend_functional_groups_nearly_unit_vector_gets_unit_length():
    tree = tree_of(
        FIRST, sequence(SHARED, sequence(0x00189107, slab(0.0, 0.6, 0.801))), frames((1,))
    )

    (change,) = mend_functional_groups(tree)

    assert change.original == struct.pack("<3d", 0.0, 0.6, 0.801)
    vector = tree.dataset.items_of(SHARED)[0].items_of(0x00189107)[0].numbers(0x00189105)
    assert math.hypot(*vector) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("vector", [(0.0, -3.489, 2.217), (0.0, 0.0, 0.0)])
def test_mend_functional_groups_slabs_with_angles_for_a_direction_are_set_aside(vector):
    slabs = sequence(0x00189107, slab(0.0, 0.0, 1.0), slab(*vector))
    tree = tree_of(FIRST, sequence(SHARED, slabs), frames((1,)))

    (change,) = mend_functional_groups(tree)

    assert tree.dataset.items_of(SHARED)[0].elements[0x00189107].items == []
    assert change.after == "empty"
    assert change.original == slabs[12:]


def test_mend_functional_groups_right_slabs_and_single_frames_stay():
    right = sequence(SHARED, sequence(0x00189107, slab(0.0, 0.6, 0.8)))

    assert mend_functional_groups(tree_of(FIRST, right, frames((1,)))) == []
    assert mend_functional_groups(tree_of(FIRST, sequence(0x00189107, slab(0.0, 0.0, 0.0)))) == []
