"""Find the fragments of encapsulated pixel data, and which of them make up a frame.

Offset tables are not trusted: with one fragment a frame they are not needed;
else a table is used only if each of its offsets is where a fragment begins;
else frames are told apart by how codestreams begin.

Source
------
PS3.5 A.4 (fragments, Basic Offset Table), G.5 (RLE header);
PS3.3 C.7.6.3.1.8 (Extended Offset Table)
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from imgconv.dicom.bytesource import ByteSource
from imgconv.errors import CorruptData
from imgconv.records import record

__all__ = ["Fragments", "group_fragments", "parse_offset_table", "scan_fragments"]

_ITEM = b"\xfe\xff\x00\xe0"
_DELIMITER = b"\xfe\xff\xdd\xe0"
_LENGTH = struct.Struct("<L")
_BLOCK = 1 << 16
_MAX_TABLE = 1 << 26  # bytes; a larger one is not that of any number of frames that we read
_SMALL_BLOCK = 1 << 12  # the beginnings of many fragments, if they are small

# How a frame's codestream begins, by family; a later fragment of it does not begin so.
_STARTS = {
    "jpeg": (b"\xff\xd8\xff",),
    "jpeg-lossless": (b"\xff\xd8\xff",),
    "jpeg-ls": (b"\xff\xd8\xff",),
    "jpeg2000": (b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  "),
    "htj2k": (b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  "),
    "jpeg-xl": (b"\xff\x0a", b"\x00\x00\x00\x0cJXL "),
    # The standard wants a frame in one fragment, but not all writers know. The number of
    # segments, and where the first one begins: behind the header of 64 bytes; G.5
    "rle": tuple(struct.pack("<LL", count, 64) for count in range(1, 16)),
}


@record
class Fragments:
    """Where the fragments are.

    Parameters
    ----------
    offset_table
        The Basic Offset Table's bytes, empty if none was written, or one that is far too long.
    spans
        ``(offset, length)`` of each fragment's value, in the source.
    base
        The offset of the first item after the table, which tables count from.
    end
        The offset behind the sequence delimiter.
    delimited
        Whether there was a delimiter; without one the last fragments may be missing.
    """

    offset_table: bytes
    spans: tuple[tuple[int, int], ...]
    base: int
    end: int
    delimited: bool


def scan_fragments(source: ByteSource, start: int) -> Fragments:
    """Walk the items of encapsulated pixel data.

    Parameters
    ----------
    start
        The offset of the first item's tag.

    Raises
    ------
    CorruptData
        Something else than an item stands there, or an item reaches beyond the data.
    """
    position, delimited = start, False
    found: list[tuple[int, int]] = []
    window, window_at = b"", 0
    while position + 8 <= source.size:
        at = position - window_at
        if at < 0 or at + 8 > len(window):
            window, window_at, at = source.read(position, _BLOCK), position, 0
        tag = window[at : at + 4]
        (length,) = _LENGTH.unpack_from(window, at + 4)
        position += 8
        if tag == _DELIMITER:
            delimited = True
            break
        if tag != _ITEM:
            if found and found[-1][1] % 2 and _is_item(source.read(position - 7, 4)):
                position -= 7  # an odd length that does not count the padding
                continue
            if found:  # some writers leave the delimiter out
                position -= 8
                break
            raise CorruptData(f"pixel data begins with `{tag.hex()}`; expected an item")
        if position + length > source.size:
            raise CorruptData(
                f"a fragment of `{length}` bytes reaches {position + length - source.size} "
                "bytes beyond the end of the file"
            )
        found.append((position, length))
        position += length
    if not found:
        raise CorruptData("encapsulated pixel data has no items; expected an offset table")
    table_at, table_length = found[0]
    return Fragments(
        offset_table=source.read(table_at, table_length) if table_length <= _MAX_TABLE else b"",
        spans=tuple(found[1:]),
        base=table_at + table_length,
        end=position,
        delimited=delimited,
    )


def _is_item(tag: bytes) -> bool:
    return tag in (_ITEM, _DELIMITER)


def parse_offset_table(value: bytes, *, extended: bool) -> tuple[int, ...]:
    """Return the byte offset of each frame's first fragment.

    Parameters
    ----------
    value
        The table without any header, little endian. Empty means that no
        table was written, which is legal.
    extended
        Entries have 64 bits, as in (7FE0,0001), not 32.

    Returns
    -------
    tuple
        One offset per frame, in bytes, counted from the first item after the
        one that holds the basic table. Empty if `value` is empty.

    Raises
    ------
    CorruptData
        The length is no multiple of the entry size, or the offsets don't rise.

    Source
    ------
    PS3.5 A.4; PS3.3 C.7.6.3 for the extended table
    """
    size = 8 if extended else 4
    if len(value) % size:
        raise CorruptData(
            f"an offset table has `{len(value)}` bytes; expected a multiple of {size}"
        )
    offsets = struct.unpack(f"<{len(value) // size}{'Q' if extended else 'L'}", value)
    if any(a >= b for a, b in pairwise(offsets)):
        raise CorruptData("the offsets of an offset table do not rise")
    return offsets


def group_fragments(
    fragments: Fragments,
    frame_count: int,
    *,
    source: ByteSource,
    family: str,
    extended_offsets: bytes = b"",
) -> tuple[tuple[int, int], ...]:
    """Return ``(first, stop)`` indices into ``fragments.spans`` of each frame.

    Parameters
    ----------
    frame_count
        Number of Frames.
    family
        The codec family, which tells how a frame begins.
    extended_offsets
        The value of (7FE0,0001), empty if absent.

    Raises
    ------
    CorruptData
        The fragments cannot be told apart into that many frames.
    """
    count = len(fragments.spans)
    if frame_count == count:
        return tuple((n, n + 1) for n in range(count))
    if frame_count == 1 and count > 1:
        begun = len(_firsts_of_markers(fragments, source, family))
        if begun > 1:
            raise CorruptData(
                f"pixel data holds `{begun}` codestreams, but Number of Frames is 1",
                hint=f"set Number of Frames to {begun} if these are frames",
            )
        return ((0, count),)
    if count < frame_count:
        raise CorruptData(f"pixel data has `{count}` fragments for {frame_count} frames")
    for table, extended in ((extended_offsets, True), (fragments.offset_table, False)):
        firsts = _firsts_of_table(table, fragments, frame_count, extended=extended)
        if firsts is not None:
            return _ranges(firsts, count)
    firsts = _firsts_of_markers(fragments, source, family)
    if len(firsts) != frame_count or firsts[0] != 0:
        raise CorruptData(
            f"pixel data has `{count}` fragments for {frame_count} frames, "
            "and no valid offset table tells which belong together"
        )
    return _ranges(firsts, count)


def _firsts_of_table(
    table: bytes, fragments: Fragments, frame_count: int, *, extended: bool
) -> list[int] | None:
    """Return the indices of the fragments where frames begin, None if the table cannot be right."""
    try:
        offsets = parse_offset_table(table, extended=extended)
    except CorruptData:
        return None
    if len(offsets) != frame_count or offsets[0] != 0:
        return None
    starts = [position - 8 - fragments.base for position, _ in fragments.spans]
    firsts = [bisect_left(starts, offset) for offset in offsets]
    exact = all(n < len(starts) and starts[n] == o for n, o in zip(firsts, offsets, strict=True))
    return firsts if exact else None


def _firsts_of_markers(fragments: Fragments, source: ByteSource, family: str) -> list[int]:
    signatures = _STARTS.get(family, ())
    longest = max(map(len, signatures), default=0)
    firsts = []
    window, window_at = b"", 0
    for number, (position, length) in enumerate(fragments.spans):
        if length < 2:
            continue
        at = position - window_at
        if at < 0 or at + longest > len(window):
            window, window_at, at = source.read(position, _SMALL_BLOCK), position, 0
        if window[at : at + min(length, longest)].startswith(signatures):
            firsts.append(number)
    return firsts


def _ranges(firsts: Sequence[int], count: int) -> tuple[tuple[int, int], ...]:
    return tuple(zip(firsts, [*firsts[1:], count], strict=True))
