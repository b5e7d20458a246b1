import pytest

from imgconv.dicom.elements import Element, Item, format_tag, implicit_vr


def item_of(*elements: tuple[int, str, bytes], big_endian: bool = False) -> Item:
    item = Item(big_endian=big_endian)
    for tag, vr, value in elements:
        item.elements[tag] = Element(item, tag, vr, value, vr)
    return item


@pytest.mark.parametrize(
    ("vr", "value", "expected"),
    [
        ("US", b"\1\0\2\0", [1, 2]),
        ("US", b"\1\0\2", [1]),  # what is left of a value does not count
        ("SS", b"\xff\xff", [-1]),
        ("FD", b"\0\0\0\0\0\0\xf0\x3f", [1.0]),
        ("AT", b"\x28\0\x09\0", [0x00280009]),
        ("DS", b"1.5\\ 2 ", ["1.5", "2"]),
        ("LT", b"a\\b ", ["a\\b"]),
        ("LO", b"\0\0", []),
        ("OB", b"\1\2", []),
    ],
)
def test_values_are_decoded_by_their_vr(vr, value, expected):
    assert item_of((0x00280010, vr, value)).elements[0x00280010].values() == expected


def test_values_of_big_endian_files_are_decoded():
    item = item_of(
        (0x00280010, "US", b"\1\0"), (0x00280009, "AT", b"\0\x28\0\x10"), big_endian=True
    )
    assert item.integer(0x00280010) == 256
    assert item.elements[0x00280009].values() == [0x00280010]


@pytest.mark.parametrize(
    ("value", "numbers", "integer"),
    [
        (b"3\\4.5", (3.0, 4.5), 3),
        (b"3.5", (3.5,), None),
        (b"3\\x", (), None),  # one that is no number spoils all
        (b"nan", (), None),
        (b"1e400", (), None),
        (b"", (), None),
    ],
)
def test_numbers_are_finite_or_none(value, numbers, integer):
    item = item_of((0x00280030, "DS", value))
    assert item.numbers(0x00280030) == numbers
    assert item.number(0x00280030) == (numbers[0] if numbers else None)
    assert item.integer(0x00280030) == integer


def test_what_was_decoded_is_forgotten_with_the_value():
    item = item_of((0x00280030, "DS", b"1"))
    element = item.elements[0x00280030]
    assert item.numbers(0x00280030) == (1.0,)
    element.value = b"2"
    element.clear()
    assert (element.values(), element.numbers()) == (["2"], (2.0,))


@pytest.mark.parametrize(
    ("vr", "value", "empty"),
    [("LO", b"  ", True), ("LO", b"a", False), ("US", b"\0\0", False), ("OB", b"\0\0", False)],
)
def test_an_element_is_empty_if_it_holds_padding_only(vr, value, empty):
    assert item_of((0x00100020, vr, value)).elements[0x00100020].is_empty is empty


def test_places_are_told_from_the_root():
    root = Item()
    inner = Item(Item(root, 0x0040A730, 2), 0x0040A043, 0)
    assert inner.path_to(0x00080100) == "(0040,A730)[2].(0040,A043)[0].(0008,0100)"
    assert inner.depth == 2
    assert format_tag(0x7FE00010) == "(7FE0,0010)"


@pytest.mark.parametrize(
    ("tag", "representation", "vr"),
    [
        (0x00280106, b"\0\0", "US"),
        (0x00280106, b"\1\0", "SS"),
        (0x7FE00010, b"\0\0", "OW"),
        (0x60000010, b"\0\0", "US"),
        (0x00290010, b"\0\0", "LO"),
        (0x00291001, b"\0\0", "UN"),
        (0x00080000, b"\0\0", "UL"),
    ],
)
def test_a_vr_that_is_not_written_follows_from_the_dictionary_and_the_data(tag, representation, vr):
    root = item_of((0x00280103, "US", representation))
    assert implicit_vr(Item(root, 0x00283000), tag, 4) == vr
