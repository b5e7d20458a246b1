import struct

import pytest

from imgconv.dicom.bytesource import ByteSource
from imgconv.dicom.fragments import group_fragments, parse_offset_table, scan_fragments
from imgconv.errors import CorruptData

START = b"\xff\xd8\xff\xe0"


def _item(value):
    return b"\xfe\xff\x00\xe0" + struct.pack("<L", len(value)) + value


def _stream(fragments, table=b"", *, end=b"\xfe\xff\xdd\xe0\0\0\0\0"):
    return b"HEAD" + _item(table) + b"".join(_item(value) for value in fragments) + end


def _group(fragments, count, table=b"", extended=b"", family="jpeg-ls"):
    source = ByteSource(_stream(fragments, table))
    found = scan_fragments(source, 4)
    ranges = group_fragments(found, count, source=source, family=family, extended_offsets=extended)
    return [b"".join(source.read(*span) for span in found.spans[a:b]) for a, b in ranges]


def _offsets(fragments, firsts, form="<L"):
    positions = [sum(8 + len(f) for f in fragments[:n]) for n in firsts]
    return b"".join(struct.pack(form, position) for position in positions)


def test_scan_fragments_finds_values_table_and_end():
    data = _stream([b"ab", b"cdef"], b"\0\0\0\0")
    found = scan_fragments(ByteSource(data), 4)
    assert found.offset_table == b"\0\0\0\0"
    assert [data[a : a + n] for a, n in found.spans] == [b"ab", b"cdef"]
    assert found.delimited
    assert found.end == len(data)


def test_scan_fragments_without_delimiter_says_so():
    assert not scan_fragments(ByteSource(_stream([b"ab"], end=b"")), 4).delimited


@pytest.mark.parametrize(
    "data",
    [
        b"HEAD" + b"rubbish of some length",
        b"HEAD",
        b"HEAD" + b"\xfe\xff\x00\xe0\xff\xff\xff\x7f" + b"short",
    ],
)
def test_scan_fragments_damaged_is_corrupt(data):
    with pytest.raises(CorruptData):
        scan_fragments(ByteSource(data), 4)


@pytest.mark.parametrize(
    ("value", "extended"), [(b"\0\0\0", False), (b"\0" * 12, True), (b"\5\0\0\0\4\0\0\0", False)]
)
def test_parse_offset_table_impossible_is_corrupt(value, extended):
    with pytest.raises(CorruptData):
        parse_offset_table(value, extended=extended)


def test_group_fragments_one_each_ignores_a_wrong_table():
    assert _group([b"ab", b"cd"], 2, struct.pack("<2L", 0, 3)) == [b"ab", b"cd"]


def test_group_fragments_single_frame_joins_all():
    assert _group([b"ab", b"cd", b"ef"], 1) == [b"abcdef"]


@pytest.mark.parametrize("which", ["basic", "extended", "markers", "wrong basic"])
def test_group_fragments_several_each_by_table_or_by_markers(which):
    fragments = [START + b"a1", b"a2", START + b"b1", b"b2", b"b3", START + b"c1"]
    table = _offsets(fragments, [0, 2, 5])
    given = {
        "basic": {"table": table},
        "extended": {"extended": _offsets(fragments, [0, 2, 5], "<Q"), "table": b""},
        "markers": {},
        "wrong basic": {"table": struct.pack("<3L", 0, 9, 33)},
    }[which]
    assert _group(fragments, 3, **given) == [START + b"a1a2", START + b"b1b2b3", START + b"c1"]


def test_scan_fragments_odd_length_with_padding_beside_it_finds_the_next():
    data = b"HEAD" + _item(b"") + _item(b"abc") + b"\0" + _item(b"de") + b"\xfe\xff\xdd\xe0\0\0\0\0"
    found = scan_fragments(ByteSource(data), 4)
    assert [data[a : a + n] for a, n in found.spans] == [b"abc", b"de"]
    assert found.delimited


def test_group_fragments_rle_frames_in_several_fragments_begin_with_their_header():
    header = struct.pack("<16L", 2, 64, 70, *[0] * 13)
    frames = [header + b"first!", header + b"second"]
    fragments = [frames[0][:66], frames[0][66:], frames[1][:65], frames[1][65:]]
    assert _group(fragments, 2, family="rle") == frames


def test_group_fragments_that_cannot_be_told_apart_are_corrupt():
    with pytest.raises(CorruptData, match="no valid offset table"):
        _group([b"ab", b"cd", b"ef"], 2, family="rle")
    with pytest.raises(CorruptData, match="`1` fragments for 2 frames"):
        _group([b"ab"], 2)


def test_scan_fragments_takes_no_offset_table_of_gigabytes(tmp_path):
    path = tmp_path / "a"
    size = 1 << 30
    with path.open("wb") as file:
        file.write(b"HEAD\xfe\xff\x00\xe0" + struct.pack("<L", size))
        file.seek(size, 1)  # sparse
        file.write(_item(b"ab") + b"\xfe\xff\xdd\xe0\0\0\0\0")
    found = scan_fragments(ByteSource(path), 4)
    assert found.offset_table == b""
    assert found.spans == ((12 + size + 8, 2),)


def test_group_fragments_of_several_codestreams_are_not_one_frame():
    with pytest.raises(CorruptData, match="`2` codestreams, but Number of Frames is 1") as caught:
        _group([START + b"a", b"more", START + b"b"], 1)
    assert caught.value.hint == "set Number of Frames to 2 if these are frames"
    assert _group([START + b"a", b"more"], 1) == [START + b"amore"]
