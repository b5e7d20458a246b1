import pytest

from imgconv.dicom.elements import Element, Item
from imgconv.rules.conditions import Scope, compile_condition

ROWS, FRAMES, TYPE = 0x00280010, 0x00280008, 0x00080008
OWN = {ROWS, FRAMES, TYPE}


def item_of(**values):
    item = Item()
    for name, (vr, data) in values.items():
        tag = {"frames": FRAMES, "type": TYPE}[name]
        item.elements[tag] = Element(item, tag, vr, data)
    return item


ITEM = item_of(frames=("IS", b"3 "), type=("CS", b"ORIGINAL\\PRIMARY"))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (["+", "00280008"], True),
        (["+", "00280010"], False),
        (["-", "00280010"], True),
        (["++", "00280008"], True),
        (["=", "00080008", ["ORIGINAL"]], True),
        (["=", "00080008#1", ["SECONDARY"]], False),
        (["!=", "00080008#1", ["SECONDARY"]], True),
        (["!=", "00280010", ["1"]], None),
        ([">", "00280008", ["1"]], True),
        (["<", "00280008", ["1"]], False),
        (["!0", "00280008"], True),
        (["and", [["+", "00280008"], ["!=", "00280010", ["1"]]]], None),
        (["and", [["+", "00280010"], ["!=", "00280010", ["1"]]]], False),
        (["or", [["+", "00280008"], ["!=", "00280010", ["1"]]]], True),
    ],
)
def test_compile_condition(expression, expected):
    assert compile_condition(expression)(Scope(ITEM, OWN, ())) is expected


def test_absence_of_what_the_object_cannot_have_decides_nothing():
    assert compile_condition(["+", "00189004"])(Scope(ITEM, OWN, ())) is None
    assert compile_condition(["=", "00189004", ["X"]])(Scope(ITEM, OWN, ())) is None


def test_a_tag_is_looked_up_outwards():
    inner = Item(ITEM, 0x00081140, 0)
    assert compile_condition(["=", "00080008", ["ORIGINAL"]])(Scope(inner, {ROWS}, OWN)) is True


def test_a_tag_of_the_item_itself_is_not_looked_up_outwards():
    inner = Item(ITEM, 0x00081140, 0)
    assert compile_condition(["+", "00080008"])(Scope(inner, {TYPE}, OWN)) is False
