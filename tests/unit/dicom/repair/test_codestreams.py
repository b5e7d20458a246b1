from __future__ import annotations

import struct
from pathlib import Path

import pytest
from builders import element, part10, tree_of

from imgconv.dicom.put import put
from imgconv.dicom.repair.codestreams import mend_codestreams
from imgconv.dicom.tree_reader import read_tree
from imgconv.standard.transfer_syntaxes import EXPLICIT_LITTLE

BASE = "1.2.840.10008.1.2.4."


def jpeg(marker: int, *, near: int = 0, predictor: int = 1) -> bytes:
    """A stream of one component up to its scan: SOI, SOF, SOS."""
    frame = struct.pack(">BHHB", 8, 4, 4, 1) + b"\1\x11\0"
    scan = b"\1\1\0" + bytes([near if marker == 0xF7 else predictor, 0, 0])
    segments = ((marker, frame), (0xDA, scan))
    body = b"".join(
        bytes([0xFF, code]) + struct.pack(">H", len(data) + 2) + data for code, data in segments
    )
    return b"\xff\xd8" + body + bytes(len(body) % 2)


def compressed(*items: bytes, syntax: str, table: bytes = b"", frames: int = 1):
    parts = [b"\xfe\xff\0\xe0" + struct.pack("<I", len(item)) + item for item in (table, *items)]
    pixels = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF) + b"".join(parts)
    text = syntax.encode() + b"\0" * (len(syntax) % 2)
    count = element(0x00280008, "IS", f"{frames} "[:2].encode())
    data = part10(count, pixels + b"\xfe\xff\xdd\xe0" + bytes(4), syntax=text)
    return read_tree(Path("x.dcm"), data)


@pytest.mark.parametrize(
    ("stream", "declared", "found"),
    [
        (jpeg(0xC0), "70", "50"),
        (jpeg(0xC1), "50", "51"),
        (jpeg(0xC3), "50", "70"),
        (jpeg(0xC3, predictor=4), "70", "57"),
        (jpeg(0xF7), "90", "80"),
        (jpeg(0xF7, near=2), "80", "81"),
    ],
)
def test_mend_codestreams_syntax_is_that_of_the_frames(stream, declared, found):
    tree = compressed(stream, syntax=f"{BASE}{declared}")

    changes = mend_codestreams(tree)

    assert tree.transfer_syntax == f"{BASE}{found}"
    assert changes[0].name == "codestream-syntax"


def test_mend_codestreams_encapsulated_frames_in_a_native_syntax_get_their_own():
    tree = compressed(jpeg(0xF7), syntax=EXPLICIT_LITTLE)

    mend_codestreams(tree)

    assert tree.transfer_syntax == f"{BASE}80"


@pytest.mark.parametrize(
    ("stream", "declared"),
    [
        (jpeg(0xC0), "51"),
        (jpeg(0xC3), "57"),
        (jpeg(0xF7), "81"),
        (jpeg(0xC2), "50"),  # progressive: no syntax of DICOM
        (b"\xff\xd8\xff\xc0", "90"),  # damaged
    ],
)
def test_mend_codestreams_what_the_syntax_holds_or_none_has_stays(stream, declared):
    tree = compressed(stream, syntax=f"{BASE}{declared}")

    changes = mend_codestreams(tree)

    assert tree.transfer_syntax == f"{BASE}{declared}"
    assert all(change.name != "codestream-syntax" for change in changes)


def test_mend_codestreams_rle_frames_without_a_syntax_are_known_by_their_header():
    stream = struct.pack("<16I", 2, 64, 68, *[0] * 13) + bytes(8)
    tree = compressed(stream, syntax=EXPLICIT_LITTLE)
    for tag, value in ((0x00280002, 1), (0x00280100, 16)):
        put(tree.dataset, tag, "US", value)

    mend_codestreams(tree)
    assert tree.transfer_syntax == "1.2.840.10008.1.2.5"

    tree.transfer_syntax = EXPLICIT_LITTLE
    put(tree.dataset, 0x00280100, "US", 8)
    assert mend_codestreams(tree) == []


def test_mend_codestreams_frames_of_two_kinds_keep_the_syntax():
    tree = compressed(jpeg(0xC0), jpeg(0xF7), syntax=f"{BASE}90", frames=2)

    assert mend_codestreams(tree) == []


def test_mend_codestreams_lossy_syntax_says_lossy():
    tree = compressed(jpeg(0xC0), syntax=f"{BASE}50")
    (change,) = mend_codestreams(tree)
    assert (change.name, tree.dataset.text(0x00282110)) == ("derived", "01")

    tree.dataset.elements[0x00282110].value = b"00"
    tree.dataset.elements[0x00282110].clear()
    (change,) = mend_codestreams(tree)
    assert (change.name, tree.dataset.text(0x00282110)) == ("lossy", "01")
    assert mend_codestreams(tree) == []


@pytest.mark.parametrize("table", [struct.pack("<2I", 0, 3), struct.pack("<I", 0), b"\0\0"])
def test_mend_codestreams_wrong_offset_table_is_emptied(table):
    stream = jpeg(0xF7)
    tree = compressed(stream, stream, syntax=f"{BASE}80", table=table, frames=2)

    (change,) = mend_codestreams(tree)

    assert (change.name, change.after) == ("offset-table", "empty table")
    assert tree.dataset.elements[0x7FE00010].fragments[0][1] == 0


def test_mend_codestreams_wrong_table_stays_where_nothing_else_tells_frames_apart():
    stream = jpeg(0xF7)
    parts = (stream, bytes(8), bytes(8))
    table = struct.pack("<2I", 0, 3)
    tree = compressed(*parts, syntax=f"{BASE}80", table=table, frames=2)

    (change,) = mend_codestreams(tree)

    assert not change.is_done
    assert tree.dataset.elements[0x7FE00010].fragments[0][1] == len(table)


def test_mend_codestreams_table_of_more_frames_than_the_data_set_counts_stays():
    stream = jpeg(0xF7)
    table = struct.pack("<2I", 0, len(stream) + 8)
    tree = compressed(stream, stream, syntax=f"{BASE}80", table=table, frames=1)

    (change,) = mend_codestreams(tree)

    assert not change.is_done
    assert tree.dataset.elements[0x7FE00010].fragments[0][1] == len(table)


def test_mend_codestreams_right_table_and_native_pixels_stay():
    stream = jpeg(0xF7)
    table = struct.pack("<2I", 0, len(stream) + 8)
    tree = compressed(stream, stream, syntax=f"{BASE}80", table=table, frames=2)

    assert mend_codestreams(tree) == []
    assert mend_codestreams(tree_of(element(0x7FE00010, "OW", bytes(4)))) == []
