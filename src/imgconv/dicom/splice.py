"""Split a DICOM file around its pixel data, so that all other bytes can be carried over.

The parts are always explicit VR little endian: a slice of the file where it
is so already, else converted by `reencode`. `patched` replaces single elements
and leaves every other byte alone.

Source
------
PS3.10 7.1 (preamble, meta information); PS3.5 7.1, A.4, A.5
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from imgconv.dicom.bytesource import ByteSource
from imgconv.dicom.frames import FrameReader
from imgconv.dicom.header import Header, parse_header
from imgconv.dicom.header_scan import inflate
from imgconv.dicom.reencode import format_element, reencode
from imgconv.dicom.scan import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    Element,
    Encoding,
    Need,
    walk,
)
from imgconv.errors import CorruptData, InputError, UnsupportedData
from imgconv.records import record
from imgconv.standard.transfer_syntaxes import BY_UID, TransferSyntax
from imgconv.standard.transfer_syntaxes import EXPLICIT_LITTLE as EXPLICIT_LITTLE_UID

__all__ = ["FileParts", "encoding_of", "format_meta", "iter_spans", "patched", "split_file"]

_MAP_BYTES = 16 << 20  # larger files are mapped, so that memory does not grow with them
_PREAMBLE = 128
_TAG = struct.Struct("<HH")


@record(frozen=False)
class FileParts:
    """A file in parts.

    Parameters
    ----------
    path
        The file.
    header
        Its attributes.
    syntax
        As the file was, even if the parts were converted.
    preamble
        128 bytes.
    meta
        Tag -> bytes of each element of the meta information, header included.
    before, after
        The data set before and after the pixel data element, explicit VR
        little endian.
    frames
        Reads the pixel data; None if there are none, or if they are a video,
        and then the data set is not in parts either.
    pixel_tag, pixel_vr
        Of the pixel data element.
    value
        Where native pixel data are in `buffer`: offset and length.
    buffer
        The file's bytes, inflated if they were deflated; maybe a memory map.
    warnings
        What was not as it should be, but could be dealt with.
    """

    path: Path
    header: Header
    syntax: TransferSyntax
    preamble: bytes
    meta: dict[int, bytes]
    before: bytes
    after: bytes
    buffer: bytes | mmap.mmap
    frames: FrameReader | None = None
    pixel_tag: int = 0
    pixel_vr: str = ""
    value: tuple[int, int] = (0, 0)
    warnings: tuple[str, ...] = ()

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes of `buffer`, without mapping them where it is a map."""
        if isinstance(self.buffer, bytes):
            return self.buffer[offset : offset + length]
        return ByteSource(self.path).read_exactly(offset, length)

    @property
    def size(self) -> int:
        """Size of the file, in bytes."""
        return self.path.stat().st_size


def encoding_of(syntax: TransferSyntax) -> Encoding:
    """Return how data sets are written in a transfer syntax."""
    if not syntax.explicit_vr:
        return IMPLICIT_LITTLE
    return EXPLICIT_LITTLE if syntax.little_endian else EXPLICIT_BIG


def split_file(path: Path, *, choice: Mapping[str, str] | None = None) -> FileParts:
    """Split a file around its pixel data.

    Raises
    ------
    UnknownFormat
        It is no DICOM.
    CorruptData
        It is truncated, or contradicts itself.
    UnsupportedData
        Its transfer syntax is unknown.
    InputError
        It cannot be read.
    """
    buffer = _load(path)
    try:
        return _split(path, buffer, choice or {})
    except InputError as error:
        raise error.with_path(path) from error.__cause__


def _load(path: Path) -> bytes | mmap.mmap:
    try:
        with path.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            if size < _MAP_BYTES:
                return file.read(size)
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or 'no file'}", path=path) from error


def _split(path: Path, buffer: bytes | mmap.mmap, choice: Mapping[str, str]) -> FileParts:
    preamble, meta, start = _read_meta(buffer)
    uid = _meta_uid(meta)
    syntax = BY_UID.get(uid)
    if uid and syntax is None:
        raise UnsupportedData("the transfer syntax is unknown")
    if syntax is not None and syntax.deflated:
        # From here on it is a file of explicit VR little endian.
        buffer = format_meta(preamble, meta, EXPLICIT_LITTLE_UID) + inflate(buffer[start:])
        start = _read_meta(buffer)[2]
    header = parse_header(buffer, path)  # type: ignore[arg-type]  # a map is sliced to bytes
    syntax = syntax or BY_UID[header.transfer_syntax_uid]
    encoding = header.encoding
    if not syntax.family and header.pixel_data is None and not syntax.deflated:
        raise UnsupportedData(f"transfer syntax `{syntax.name}` holds no data set of a file")
    anew, warnings = _judge_encoding(header, syntax)
    whole = partial(
        _whole, encoding=encoding, signed=header.get("PixelRepresentation") == 1, anew=anew
    )
    pixels = header.pixel_data
    if syntax.family == "video":  # it can be known, and copied, but not be read
        return FileParts(path, header, syntax, preamble, meta, b"", b"", buffer)
    if pixels is None:
        body = whole(buffer, start, len(buffer))
        return FileParts(path, header, syntax, preamble, meta, body, b"", buffer, warnings=warnings)
    frames = _frames(header, buffer, choice)
    end = frames.fragments.end if pixels.encapsulated else pixels.offset + pixels.length
    if end > len(buffer):
        raise CorruptData(
            f"pixel data end {end - len(buffer)} bytes beyond the file; it was truncated"
        )
    before_end = pixels.offset - _header_size(buffer, pixels.offset, encoding)
    after, dropped = _after(buffer, end, encoding, frames if pixels.encapsulated else None)
    return FileParts(
        path,
        header,
        syntax,
        preamble,
        meta,
        before=whole(buffer, start, before_end),
        after=whole(after, 0, len(after)),
        buffer=buffer,
        frames=frames,
        pixel_tag=pixels.tag,
        pixel_vr=pixels.vr,
        value=(pixels.offset, 0 if pixels.encapsulated else pixels.length),
        warnings=(*warnings, *dropped),
    )


def _judge_encoding(header: Header, syntax: TransferSyntax) -> tuple[bool, tuple[str, ...]]:
    """Tell whether a data set has to be written anew, and what is said about it."""
    stated = EXPLICIT_LITTLE if syntax.deflated else encoding_of(syntax)
    if header.lacks_vrs:
        return True, (f"{syntax.name} is stated, but elements have no VR; they were given one",)
    if header.encoding != stated:
        return False, (f"{syntax.name} is stated, but elements have a VR; it was believed",)
    return False, ()


def _frames(header: Header, buffer: bytes | mmap.mmap, choice: Mapping[str, str]) -> FrameReader:
    # Frames of a mapped file are read, not touched through the map: mapped pages count as ours.
    origin = buffer if isinstance(buffer, bytes) else header.path
    return FrameReader.from_header(header, origin=origin, choice=choice)


def _header_size(buffer: bytes | mmap.mmap, value: int, encoding: Encoding) -> int:
    """Return how many bytes stand in front of pixel data: all their VRs have long lengths."""
    if not encoding.explicit:
        return 8
    return (
        12
        if buffer[value - 8 : value - 7].isalpha() and buffer[value - 6 : value - 4] == b"\0\0"
        else 8
    )


def _after(
    buffer: bytes | mmap.mmap, end: int, encoding: Encoding, frames: FrameReader | None
) -> tuple[bytes, tuple[str, ...]]:
    """Return the bytes after the pixel data, empty if they are no data set."""
    rest = bytes(buffer[end:])
    if not rest:
        missing = frames is not None and not frames.fragments.delimited
        return b"", ("the sequence delimiter of the pixel data was missing",) if missing else ()
    try:
        stopped = walk(rest, 0, len(rest), encoding, {}, stops=frozenset())
    except CorruptData:
        stopped = Need(0, 0)
    if isinstance(stopped, int) and not (frames is not None and not frames.fragments.delimited):
        return rest, ()
    return b"", (f"{len(rest)} bytes after the pixel data are no data set; they were dropped",)


def _whole(
    buffer: bytes | mmap.mmap,
    start: int,
    stop: int,
    *,
    encoding: Encoding,
    signed: bool,
    anew: bool,
) -> bytes:
    data = bytes(buffer[start:stop])
    if encoding == EXPLICIT_LITTLE and not anew:
        return data
    return reencode(data, 0, len(data), encoding, EXPLICIT_LITTLE, signed=signed, anew=anew)


def _read_meta(buffer: bytes | mmap.mmap) -> tuple[bytes, dict[int, bytes], int]:
    """Return the preamble, the meta elements, and where the data set starts."""
    has_prefix = buffer[128:132] == b"DICM"
    preamble = bytes(buffer[:_PREAMBLE]) if has_prefix else bytes(_PREAMBLE)
    start = 132 if has_prefix else 0
    if buffer[start : start + 2] != b"\x02\0":
        return preamble, {}, start
    head = bytes(buffer[start : start + (1 << 16)])
    log = _Log()
    stopped = walk(head, 0, len(head), EXPLICIT_LITTLE, log, last_group=0x0002)
    if not isinstance(stopped, int):
        raise CorruptData("the file ends within its meta information")
    return preamble, _spans(head, log), start + stopped


def _spans(data: bytes, log: _Log) -> dict[int, bytes]:
    """Return each element's bytes with its header."""
    found: dict[int, bytes] = {}
    position = 0
    for tag, (_vr, value, length) in log.entries:
        found[tag] = data[position : value + length]
        position = value + length
    return found


def _meta_uid(meta: Mapping[int, bytes]) -> str:
    return meta.get(0x00020010, b"")[8:].decode("latin-1").strip("\0 ")


def format_meta(
    preamble: bytes, meta: Mapping[int, bytes], transfer_syntax_uid: str, **changes: bytes
) -> bytes:
    """Return preamble, prefix and meta information for another transfer syntax.

    Parameters
    ----------
    meta
        Elements by tag; all but the group length and the transfer syntax are
        carried over.
    changes
        ``sop_instance_uid``: the new value of (0002,0003).
    """
    elements = {tag: data for tag, data in meta.items() if tag >> 16 == 2 and tag != 0x00020000}
    elements[0x00020010] = format_element(0x00020010, "UI", transfer_syntax_uid.encode())
    if "sop_instance_uid" in changes:
        elements[0x00020003] = format_element(0x00020003, "UI", changes["sop_instance_uid"])
    body = b"".join(elements[tag] for tag in sorted(elements))
    length = format_element(0x00020000, "UL", struct.pack("<L", len(body)))
    return preamble + b"DICM" + length + body


def patched(data: bytes, changes: Mapping[int, bytes | None]) -> bytes:
    """Return a data set with some top-level elements replaced, added or left out.

    Parameters
    ----------
    data
        Explicit VR little endian.
    changes
        Tag -> the element's bytes with its header, or None to leave it out.

    Notes
    -----
    Retired group lengths of groups that change are corrected.
    """
    if not any(changes.values()) and not any(
        _TAG.pack(t >> 16, t & 0xFFFF) in data for t in changes
    ):
        return data  # there is nothing to leave out, which is seen without a walk
    spans = iter_spans(data)
    known = {tag for tag, _, _ in spans}
    added = sorted(tag for tag in changes if tag not in known)
    out: list[bytes] = []
    written = 0
    for tag, start, end in spans:
        while added and added[0] < tag:
            out += (data[written:start], changes[added.pop(0)] or b"")
            written = start
        if tag in changes:
            out += (data[written:start], changes[tag] or b"")
            written = end
    out.append(data[written:])
    out += [changes[tag] or b"" for tag in added]
    result = b"".join(out)
    groups = {tag >> 16 for tag in changes} & {tag >> 16 for tag in known if not tag & 0xFFFF}
    return _with_group_lengths(result, groups) if groups else result


class _Log(dict[int, Element]):
    """Keeps every element in the order of the file, a repeated one as well."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[tuple[int, Element]] = []

    def __setitem__(self, tag: int, element: Element) -> None:
        self.entries.append((tag, element))


def iter_spans(data: bytes) -> list[tuple[int, int, int]]:
    """Return ``(tag, start, end)`` of each top-level element, its header included.

    Raises
    ------
    CorruptData
        `data` is no data set in explicit VR little endian.
    """
    log = _Log()
    stopped = walk(data, 0, len(data), EXPLICIT_LITTLE, log, stops=frozenset())
    if not isinstance(stopped, int):
        raise CorruptData("the data set ends within an element")
    spans = []
    position = 0
    for tag, (_vr, value, length) in log.entries:  # elements follow each other without gaps
        spans.append((tag, position, value + length))
        position = value + length
    return spans


def _with_group_lengths(data: bytes, groups: set[int]) -> bytes:
    spans = iter_spans(data)
    out = []
    for tag, start, end in spans:
        if tag & 0xFFFF or tag >> 16 not in groups:
            out.append(data[start:end])
            continue
        size = sum(e - s for t, s, e in spans if t >> 16 == tag >> 16 and t & 0xFFFF)
        out.append(format_element(tag, "UL", struct.pack("<L", size)))
    return b"".join(out)
