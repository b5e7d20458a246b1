import pytest

from imgconv.dicom.elements import Item
from imgconv.dicom.put import put, put_code, put_item


@pytest.mark.parametrize(
    ("vr", "value", "raw"),
    [
        ("LO", "abc", b"abc"),
        ("US", 258, b"\x02\x01"),
        ("US", (1, 2), b"\x01\x00\x02\x00"),
        ("UL", 258, b"\x02\x01\x00\x00"),
        ("AT", 0x00200032, b"\x20\x00\x32\x00"),
    ],
)
def test_put_writes_little_endian(vr, value, raw):
    item = Item()
    put(item, 0x00280009, vr, value)
    assert item.elements[0x00280009].value == raw
    assert item.elements[0x00280009].vr == vr


def test_put_item_appends():
    root = Item()
    first, second = put_item(root, 0x00082218), put_item(root, 0x00082218)
    assert root.items_of(0x00082218) == [first, second]
    assert second.path_to(0x00080100) == "(0008,2218)[1].(0008,0100)"


def test_put_code_names_value_scheme_and_meaning():
    root = Item()
    put_code(root, 0x00082218, "69536005", "Head")
    (code,) = root.items_of(0x00082218)
    found = [code.text(tag) for tag in (0x00080100, 0x00080102, 0x00080104)]
    assert found == ["69536005", "SCT", "Head"]
