from __future__ import annotations

import math

import pytest
from builders import element, tree_of
from test_hollow import sequence

from imgconv.dicom.repair.directions import mend_directions

ORIENTATION = 0x00200037


@pytest.mark.parametrize("text", [b"0.99\\0\\0\\0\\1\\0 ", b"0.7\\0.7\\0.1\\-0.7\\0.72\\-0.14"])
def test_mend_directions_nearly_unit_vectors_keep_their_direction(text):
    tree = tree_of(element(ORIENTATION, "DS", text))
    before = tree.dataset.numbers(ORIENTATION)

    (change,) = mend_directions(tree)

    after = tree.dataset.numbers(ORIENTATION)
    assert change.original == text
    for part in (slice(0, 3), slice(3, 6)):
        assert math.hypot(*after[part]) == pytest.approx(1, abs=1e-9)
        scale = math.hypot(*before[part])
        assert after[part] == pytest.approx([value / scale for value in before[part]], abs=1e-9)
    assert all(len(value) <= 16 for value in tree.dataset.texts(ORIENTATION))


@pytest.mark.parametrize(
    "text",
    [
        b"1\\0\\0\\0\\1\\0",
        b"0.99999\\0\\0\\0\\1\\0",
        b"2\\0\\0\\0\\1\\0",
        b"0\\0\\0\\0\\1\\0",
        b"1\\0",
        b"1\\0\\0\\1\\0\\0",
        b"0.8\\0.6\\0\\0\\1\\0",
    ],
)
def test_mend_directions_right_ones_and_none_stay(text):
    tree = tree_of(element(ORIENTATION, "DS", text))

    assert mend_directions(tree) == []


def test_mend_directions_of_functional_groups_are_mended_too():
    plane = sequence(0x00209116, element(ORIENTATION, "DS", b"0.99\\0\\0\\0\\1\\0 "))
    tree = tree_of(element(0x00080018, "UI", b"1.2\0"), sequence(0x52009229, plane))

    assert len(mend_directions(tree)) == 1


def test_mend_directions_rounded_vectors_get_right_angles():
    # a rotation about three axes, cut to three decimals
    text = b"0.472\\0.779\\0.413\\-0.686\\0.029\\0.727"
    tree = tree_of(element(ORIENTATION, "DS", text))
    before = tree.dataset.numbers(ORIENTATION)

    assert len(mend_directions(tree)) == 1

    after = tree.dataset.numbers(ORIENTATION)
    assert sum(a * b for a, b in zip(after[:3], after[3:], strict=True)) == pytest.approx(
        0, abs=1e-9
    )
    assert math.hypot(*after[:3]) == pytest.approx(1, abs=1e-9)
    assert after == pytest.approx(before, abs=1e-3)


@pytest.mark.parametrize("text", [b"1\\0\\0\\0.02\\1\\0", b"1.00000\\0\\0\\0.001\\1\\0"])
def test_mend_directions_angles_that_rounding_does_not_explain_stay(text):
    tree = tree_of(element(ORIENTATION, "DS", text))

    assert mend_directions(tree) == []
    assert bytes(tree.dataset.elements[ORIENTATION].value).startswith(text)
