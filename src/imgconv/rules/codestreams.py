"""Encapsulated pixel data: fragments, offset tables, and what codestream headers say.

Source
------
PS3.5 A.4 (encapsulation), annex G (RLE); ISO 10918-1 B.2.2, ISO 14495-1 C.2.2,
ISO 15444-1 A.5.1 (headers)
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from imgconv.dicom.elements import Element
from imgconv.errors import CorruptData
from imgconv.rules.instance import Hit, Instance
from imgconv.standard.transfer_syntaxes import BY_UID

__all__ = ["CodestreamHeader", "check_codestreams", "parse_header"]

_PATH = "(7FE0,0010)"
_OFFSETS, _LENGTHS = 0x7FE00001, 0x7FE00002
_HEAD_BYTES = 1 << 16
_MOST_MEASURED = 1 << 26  # bytes of an RLE frame that are unpacked to be measured
# Start of frame marker -> family, where it is not the discrete cosine transform.
_FRAME_FAMILIES = dict.fromkeys((195, 199, 203, 207), "jpeg-lossless") | {0xF7: "jpeg-ls"}
_CHECKED_FAMILIES = frozenset({"jpeg", "jpeg-lossless", "jpeg-ls", "jpeg2000"})


class CodestreamHeader(NamedTuple):
    """What a compressed frame says of itself."""

    rows: int
    columns: int
    samples: int
    bits: int
    family: str  # of transfer syntaxes: jpeg, jpeg-lossless, jpeg-ls, jpeg2000


def check_codestreams(
    instance: Instance,
    element: Element,
    *,
    frames: int,
    rows: int | None,
    columns: int | None,
    samples: int | None,
    stored: int | None,
    allocated: int | None,
) -> Iterator[Hit]:
    """Check fragments and codestreams of encapsulated pixel data (P007)."""
    fragments = element.fragments or []
    syntax = BY_UID.get(instance.tree.transfer_syntax)
    if syntax is not None and not syntax.encapsulated:
        yield Hit("P007", "the pixel data is encapsulated, and the transfer syntax is not", _PATH)
        return
    if len(fragments) < 2:
        yield Hit("P001", "the pixel data has no fragments", _PATH)
        return
    if syntax is None or syntax.family == "video":
        return
    data = instance.tree.data
    if len(fragments) - 1 < frames and instance.dataset.get(0x00280008) is not None:
        yield Hit("P007", "the pixel data has fewer fragments than frames", _PATH)
    if any(length & 1 for _offset, length in fragments):
        yield Hit("P007", "a fragment has an odd length", _PATH, severity="warning")
    yield from _check_offset_table(instance, fragments, frames)
    yield from _check_extended_table(instance, fragments, frames)
    offset, length = fragments[1]
    head = bytes(data[offset : offset + min(length, _HEAD_BYTES)])
    if syntax.family == "rle":
        expected = (samples or 1) * (((allocated or 8) + 7) // 8)
        count = struct.unpack_from("<I", head)[0] if len(head) >= 64 else 0
        if count != expected:
            message = f"the RLE frame has {count} segments; expected {expected}"
            yield Hit("P007", message, _PATH)
        elif rows and columns and length <= _MOST_MEASURED and frames in (1, len(fragments) - 1):
            pieces = fragments[1:] if frames == 1 else fragments[1:2]  # one each is the rule; A.4.2
            frame = b"".join(bytes(data[start : start + size]) for start, size in pieces)
            yield from _check_rle(frame, rows, columns, allocated)
        return
    header = parse_header(head)
    if header is None:
        if syntax.family in ("jpeg", "jpeg-lossless", "jpeg-ls", "jpeg2000"):
            yield Hit("P007", "the first frame has no header of its transfer syntax", _PATH)
        return
    unlike = syntax.family in _CHECKED_FAMILIES and header.family != syntax.family
    # The retired lossless processes count as JPEG in the table of transfer syntaxes.
    if unlike and not (syntax.retired and header.family.startswith(syntax.family)):
        message = f"the first frame is {header.family}, and the transfer syntax is not"
        yield Hit("P007", message, _PATH)
        return
    for name, said, found in (
        ("Rows", rows, header.rows),
        ("Columns", columns, header.columns),
        ("SamplesPerPixel", samples, header.samples),
    ):
        if said is not None and found and said != found:
            message = f"{name} differs from the codestream's"
            yield Hit("P007", message, _PATH, f"{said}, codestream {found}")
    if stored is not None and allocated is not None and header.bits > allocated:
        yield Hit("P007", "the codestream has more bits than BitsAllocated", _PATH)
    elif stored is not None and header.bits < stored:
        message = "the codestream has fewer bits than BitsStored"
        # JPEG has 8 or 12 bits, which the transfer syntax names; others may leave bits unused.
        severity = "" if syntax.family == "jpeg" else "warning"
        yield Hit("P007", message, _PATH, severity=severity)


def _check_rle(frame: bytes, rows: int, columns: int, allocated: int | None) -> Iterator[Hit]:
    """Check that the segments of a frame hold rows times columns bytes each (PS3.5 G.3)."""
    from imgconv.codecs.rle import measure

    try:
        lengths = measure(frame)
    except CorruptData:
        yield Hit("P007", "the RLE frame cannot be unpacked", _PATH)
        return
    expected = rows * columns if allocated != 1 else (rows * columns + 7) // 8
    # Less than a row too much is what sloppy writers pad.
    if any(not expected <= length < expected + columns for length in lengths):
        message = "an RLE segment does not hold as many bytes as rows and columns say"
        yield Hit("P007", message, _PATH, f"{sorted(set(lengths))}, expected {expected}")


def _check_offset_table(
    instance: Instance, fragments: list[tuple[int, int]], frames: int
) -> Iterator[Hit]:
    offset, length = fragments[0]
    if not length:
        return
    if length != 4 * frames:
        message = "the basic offset table has not one entry per frame"
        yield Hit("P007", message, _PATH)
        return
    table = struct.unpack_from(f"<{frames}I", instance.tree.data, offset)
    first = fragments[1][0]
    starts = {start - first for start, _length in fragments[1:]}
    if any(entry not in starts for entry in table) or list(table) != sorted(set(table)):
        yield Hit("P007", "the basic offset table does not point to fragments", _PATH)


def _check_extended_table(
    instance: Instance, fragments: list[tuple[int, int]], frames: int
) -> Iterator[Hit]:
    """Check the extended offset table (PS3.3 C.7.6.3.1.8): one fragment per frame, in order."""
    table, sizes = (instance.dataset.get(tag) for tag in (_OFFSETS, _LENGTHS))
    if table is None or table.items is not None:
        return
    offsets = [int(value) for value in table.values()]
    if len(offsets) != frames:
        yield Hit("P007", "ExtendedOffsetTable has not one entry per frame", table.path)
        return
    if fragments[0][1]:
        message = "there is an ExtendedOffsetTable, and the basic one is not empty"
        yield Hit("P007", message, table.path)
    first = fragments[1][0]
    known = {start - first: length for start, length in fragments[1:]}
    if any(offset not in known for offset in offsets):
        yield Hit("P007", "ExtendedOffsetTable does not point to fragments", table.path)
        return
    lengths = [int(value) for value in sizes.values()] if sizes is not None else []
    if len(lengths) != frames or any(
        not known[offset] - 1 <= length <= known[offset]
        for offset, length in zip(offsets, lengths, strict=True)
    ):
        message = "ExtendedOffsetTableLengths are not the lengths of the fragments"
        yield Hit("P007", message, instance.dataset.path_to(_LENGTHS))


def parse_header(head: bytes) -> CodestreamHeader | None:
    """Return what the first bytes of a JPEG, JPEG-LS or JPEG 2000 stream say, or None."""
    if head[:2] == b"\xff\xd8":
        return _parse_jpeg(head)
    start = head.find(b"\xff\x4f\xff\x51") if head[4:8] == b"jP  " else 0
    if start >= 0 and head[start : start + 4] == b"\xff\x4f\xff\x51":
        return _parse_jpeg2000(head[start:])
    return None


def _parse_jpeg(head: bytes) -> CodestreamHeader | None:
    pos = 2
    while pos + 10 <= len(head) and head[pos] == 0xFF:
        marker = head[pos + 1]
        if marker == 0xFF:
            pos += 1
            continue
        # SOF0 to SOF15 without DHT, JPG, DAC; SOF55 is JPEG-LS.
        if (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)) or marker == 0xF7:
            bits, rows, columns, samples = struct.unpack_from(">BHHB", head, pos + 4)
            family = _FRAME_FAMILIES.get(marker, "jpeg")
            return CodestreamHeader(rows, columns, samples, bits, family)
        (length,) = struct.unpack_from(">H", head, pos + 2)
        pos += 2 + length
    return None


def _parse_jpeg2000(head: bytes) -> CodestreamHeader | None:
    if len(head) < 43:
        return None
    right, bottom, left, top = struct.unpack_from(">IIII", head, 8)
    (samples,) = struct.unpack_from(">H", head, 40)
    bits = (head[42] & 0x7F) + 1
    return CodestreamHeader(bottom - top, right - left, samples, bits, "jpeg2000")
