import struct

import pytest

from imgconv.dicom.element_reader import ElementReader, StopReading, parse_items
from imgconv.dicom.elements import UNDEFINED, Element, Item, Tree
from imgconv.errors import CorruptData


def short(tag: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def long(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr, 0, size) + value


def item(value: bytes, length: int | None = None) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(value) if length is None else length) + value


def read(data: bytes, tmp_path) -> tuple[Tree, Item]:
    tree = Tree(tmp_path, len(data), data)
    root = Item()
    try:
        ElementReader(tree, data).read_item(root, 0, len(data), 0, explicit=True)
    except StopReading:
        assert tree.problems  # it is told why
    return tree, root


def kinds(tree: Tree) -> list[tuple[str, str]]:
    return [(problem.kind, problem.tag) for problem in tree.problems]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (short(0x00100010, b"PN", b"a ") * 2, [("duplicate", "(0010,0010)")]),
        (
            short(0x00100020, b"LO", b"a ") + short(0x00100010, b"PN", b"b "),
            [("order", "(0010,0010)")],
        ),
        (short(0x00100020, b"LO", b"a"), [("odd-length", "(0010,0020)")]),
        (short(0x00100020, b"??", b"a "), [("unknown-vr", "(0010,0020)")]),
        (long(0x00100020, b"ZZ", b"a "), [("unknown-vr", "(0010,0020)")]),
        (short(0x00100020, b"LO", b"ab")[:-1], [("truncated", "(0010,0020)")]),
        (
            long(0x00081140, b"SQ", item(short(0x00100020, b"LO", b"a "), 90)),
            [("truncated", "(0008,1140)")],
        ),
        (long(0x00081140, b"SQ", b"\0" * 8), [("delimiter", "(0008,1140)")]),
        (long(0x7FE00010, b"OB", item(b"abcd", 90), UNDEFINED), [("truncated", "(7FE0,0010)")]),
    ],
)
def test_what_cannot_be_right_is_told(tmp_path, data, expected):
    tree, root = read(short(0x00080060, b"CS", b"MR") + data, tmp_path)
    assert kinds(tree) == expected
    assert root.text(0x00080060) == "MR"  # what came before is kept


def test_fragments_are_told_by_their_places(tmp_path):
    value = item(b"") + item(b"abcd") + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    data = long(0x7FE00010, b"OB", value, UNDEFINED)
    tree, root = read(data, tmp_path)
    fragments = root.elements[0x7FE00010].fragments
    assert [data[at : at + size] for at, size in fragments] == [b"", b"abcd"]
    assert not tree.problems


def test_too_many_nested_sequences_are_given_up(tmp_path):
    data = b""
    for _ in range(200):
        data = long(0x00081140, b"SQ", item(data))
    tree, _ = read(data, tmp_path)
    assert [kind for kind, _ in kinds(tree)] == ["depth"]


@pytest.mark.parametrize("explicit", [False, True])
def test_items_within_un_are_read_in_both_encodings(explicit):
    inner = (
        short(0x00100020, b"LO", b"a ") if explicit else struct.pack("<HHI", 0x10, 0x20, 2) + b"a "
    )
    element = Element(Item(), 0x00081140, "UN", item(inner), "UN")
    parse_items(element)
    assert [one.text(0x00100020) for one in element.items] == ["a"]


def test_un_that_is_no_sequence_stays_what_it_is():
    element = Element(Item(), 0x00081140, "UN", b"rubbish.", "UN")
    with pytest.raises(CorruptData, match=r"\(0008,1140\)"):
        parse_items(element)
    assert (element.items, element.value) == (None, b"rubbish.")
