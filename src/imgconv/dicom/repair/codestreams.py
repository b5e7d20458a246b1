"""Mend what is said about compressed pixel data: the transfer syntax, the offset table.

The codestreams themselves are kept; they say what they are.

Source
------
PS3.5 A.4 (encapsulation), 8.2.1 to 8.2.4 (which syntax is whose); PS3.10 7.1
"""

from __future__ import annotations

import struct
from itertools import pairwise

from imgconv.codecs.streams import StreamHeader, parse_jpeg2000_header, parse_jpeg_header
from imgconv.dicom.bytesource import ByteSource
from imgconv.dicom.elements import Element, Item, Tree
from imgconv.dicom.fragments import Fragments, group_fragments
from imgconv.dicom.repair.change import Change, ensure, replace_value, skipped
from imgconv.errors import CorruptData, UnsupportedData
from imgconv.standard.transfer_syntaxes import BY_UID

__all__ = ["mend_codestreams"]

_PIXEL_DATA, _FRAMES, _LOSSY = 0x7FE00010, 0x00280008, 0x00282110
_HEAD_BYTES = 1 << 16
_JPEG_START = b"\xff\xd8\xff"
_SIGNATURES = (_JPEG_START, b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ")
_RLE = "1.2.840.10008.1.2.5"
_SAMPLES, _ALLOCATED = 0x00280002, 0x00280100
_JPEG = "1.2.840.10008.1.2.4."
# Syntaxes that hold the streams of another one as well: reversible among irreversible, ...
_HELD = {
    f"{_JPEG}51": {f"{_JPEG}50"},
    f"{_JPEG}57": {f"{_JPEG}70"},
    f"{_JPEG}81": {f"{_JPEG}80"},
    f"{_JPEG}91": {f"{_JPEG}90"},
    f"{_JPEG}92": {f"{_JPEG}90"},
    f"{_JPEG}93": {f"{_JPEG}90", f"{_JPEG}91"},
    f"{_JPEG}202": {f"{_JPEG}201"},
    f"{_JPEG}203": {f"{_JPEG}201"},
}


def mend_codestreams(tree: Tree) -> list[Change]:
    """Name the transfer syntax that the frames have, and drop an offset table that is wrong.

    Nothing is done where frames are of different syntaxes, or of one that DICOM
    does not have.
    """
    pixels = tree.dataset.get(_PIXEL_DATA)
    if pixels is None or not pixels.fragments or len(pixels.fragments) < 2:  # table and a fragment
        return []
    changes = _mend_syntax(tree, pixels.fragments)
    return [*changes, *_say_lossy(tree), *_mend_table(tree, pixels)]


def _mend_syntax(tree: Tree, fragments: list[tuple[int, int]]) -> list[Change]:
    old = BY_UID.get(tree.transfer_syntax)
    if old is not None and old.retired:
        return []
    heads = [bytes(tree.data[at : at + min(size, _HEAD_BYTES)]) for at, size in fragments[1:]]
    names = {_name_syntax(head) for head in heads if head.startswith(_SIGNATURES)}
    if (old is None or not old.encapsulated) and _are_rle(heads, tree.dataset):
        names = {_RLE}
    elif not heads[0].startswith(_SIGNATURES):
        return []
    uid = names.pop() if len(names) == 1 else ""
    new = BY_UID.get(uid)
    if new is None or uid == tree.transfer_syntax or uid in _HELD.get(tree.transfer_syntax, ()):
        return []
    tree.transfer_syntax = uid
    before = old.name if old is not None else "unknown or missing transfer syntax"
    reason = "the compressed frames are of this syntax"
    source = "PS3.10 7.1; PS3.5 8.2"
    return [Change("codestream-syntax", "(0002,0010)", before, new.name, reason, source)]


def _are_rle(heads: list[bytes], root: Item) -> bool:
    """Whether all fragments begin with the header of as many RLE segments as samples have bytes."""
    samples, allocated = root.integer(_SAMPLES), root.integer(_ALLOCATED)
    if not samples or not allocated:
        return False
    # PS3.5 G.5: the number of segments, and the first one's offset, which is the header's size
    start = struct.pack("<II", samples * (-(-allocated // 8)), 64)
    return all(head.startswith(start) for head in heads)


def _name_syntax(head: bytes) -> str:
    """Return the UID of the syntax that a stream has, empty if DICOM has none."""
    try:
        if head.startswith(_JPEG_START):
            return _name_jpeg(parse_jpeg_header(head))
        header = parse_jpeg2000_header(head)
    except (CorruptData, UnsupportedData):
        return ""
    if header.high_throughput:
        return f"{_JPEG}{201 if header.reversible else 203}"
    return f"{_JPEG}{90 if header.reversible else 91}"


def _name_jpeg(header: StreamHeader) -> str:
    if header.process == 0xC3:
        return f"{_JPEG}{70 if header.predictor == 1 else 57}"
    if header.process == 0xF7:
        return f"{_JPEG}{81 if header.near else 80}"
    suffix = {0xC0: "50", 0xC1: "51"}.get(header.process)
    return f"{_JPEG}{suffix}" if suffix else ""


def _say_lossy(tree: Tree) -> list[Change]:
    """Say that the pixels were compressed with loss, where the syntax permits nothing else."""
    root, syntax = tree.dataset, BY_UID.get(tree.transfer_syntax)
    old = root.get(_LOSSY)
    if (
        syntax is None
        or not syntax.always_lossy
        or syntax.family == "video"
        or root.text(_LOSSY) == "01"
    ):
        return []
    reason = "the transfer syntax permits nothing but lossy compression"
    source = "PS3.3 C.7.6.1.1.5"
    if old is None or old.is_empty:
        return [ensure(root, _LOSSY, "CS", b"01", name="derived", reason=reason, source=source)]
    return [
        replace_value(
            old,
            b"01",
            name="lossy",
            before="another value than `01`",
            after="01",
            reason=reason,
            source=source,
            keep=True,
        )
    ]


def _mend_table(tree: Tree, pixels: Element) -> list[Change]:
    """Empty a Basic Offset Table that points elsewhere, where frames can be told apart without."""
    fragments = pixels.fragments or []
    (at, size), streams = fragments[0], fragments[1:]
    frames = tree.dataset.integer(_FRAMES) or 1
    starts = {start - streams[0][0] for start, _ in streams}
    table = bytes(tree.data[at : at + size])
    offsets = struct.unpack(f"<{size // 4}I", table[: size // 4 * 4])
    rising = all(a < b for a, b in pairwise(offsets))
    if not size or (len(offsets) == frames and rising and set(offsets) <= starts):
        return []
    source = "PS3.5 A.4"
    begun = sum(bytes(tree.data[start : start + 8]).startswith(_SIGNATURES) for start, _ in streams)
    if begun > frames:
        reason = "more codestreams begin than Number of Frames says"
        return [skipped("offset-table", pixels.path, "wrong offset table", reason, source)]
    syntax = BY_UID.get(tree.transfer_syntax)
    known = Fragments(b"", tuple(streams), base=streams[0][0] - 8, end=0, delimited=True)
    try:
        family = syntax.family if syntax is not None else ""
        group_fragments(known, frames, source=ByteSource(tree.data), family=family)
    except CorruptData:
        reason = "nothing else tells which fragments make up a frame"
        return [skipped("offset-table", pixels.path, "wrong offset table", reason, source)]
    pixels.fragments = [(at, 0), *streams]
    reason = "its offsets are not where frames begin; it may be empty"
    return [
        Change("offset-table", pixels.path, "wrong offset table", "empty table", reason, source)
    ]
