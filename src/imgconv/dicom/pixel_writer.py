"""Write a pixel data element, frame by frame, so that memory holds a few frames only.

Source
------
PS3.5 A.4 (fragments, Basic Offset Table), 8.1.1 (VR, padding);
PS3.3 C.7.6.3.1.8 (Extended Offset Table)
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import IO

from imgconv.dicom.reencode import format_header
from imgconv.dicom.scan import EXPLICIT_LITTLE, Encoding
from imgconv.errors import InternalError, UnsupportedData

__all__ = ["needs_extended_table", "write_encapsulated", "write_native"]

_PIXEL_DATA = 0x7FE00010
_EXTENDED_TABLE, _EXTENDED_LENGTHS = 0x7FE00001, 0x7FE00002
_ITEM = struct.Struct("<HHL")
_MAX_BASIC = 0xFFFFFFFF


def needs_extended_table(uncompressed_bytes: int, frame_count: int) -> bool:
    """Whether fragments might reach beyond what a Basic Offset Table can say.

    Compression is counted as if it failed, since the table is written first.
    """
    return frame_count > 1 and uncompressed_bytes * 2 > _MAX_BASIC


def write_encapsulated(
    stream: IO[bytes], frames: Iterable[bytes], frame_count: int, *, extended: bool = False
) -> int:
    """Write frames as fragments, one each, with an offset table if there are several.

    Parameters
    ----------
    stream
        Seekable: the table is filled in at the end.
    extended
        Whether to write the Extended Offset Table; the basic one is empty then.

    Returns
    -------
    int
        The sum of the frames' sizes in bytes, without padding.

    Raises
    ------
    InternalError
        There were not `frame_count` frames.
    """
    start = stream.tell()
    lengths_at = 0
    table = bytes(8 * frame_count)
    if extended:
        stream.write(format_header(_EXTENDED_TABLE, "OV", len(table), EXPLICIT_LITTLE) + table)
        stream.write(format_header(_EXTENDED_LENGTHS, "OV", len(table), EXPLICIT_LITTLE))
        lengths_at = stream.tell()
        stream.write(table)
    basic = bytes(4 * frame_count) if frame_count > 1 and not extended else b""
    stream.write(format_header(_PIXEL_DATA, "OB", 0xFFFFFFFF, EXPLICIT_LITTLE))
    stream.write(_ITEM.pack(0xFFFE, 0xE000, len(basic)))
    table_at = stream.tell()
    stream.write(basic)
    base = stream.tell()
    offsets: list[int] = []
    lengths: list[int] = []
    position = base
    for frame in frames:
        offsets.append(position - base)
        lengths.append(len(frame))
        padding = len(frame) % 2
        stream.write(_ITEM.pack(0xFFFE, 0xE000, len(frame) + padding))
        stream.write(frame)
        if padding:
            stream.write(b"\0")
        position += 8 + len(frame) + padding
    if len(offsets) != frame_count:
        raise InternalError(f"{len(offsets)} frames were written, {frame_count} announced")
    stream.write(_ITEM.pack(0xFFFE, 0xE0DD, 0))
    end = stream.tell()
    if extended:
        stream.seek(start + 12)
        stream.write(struct.pack(f"<{frame_count}Q", *offsets))
        stream.seek(lengths_at)
        stream.write(struct.pack(f"<{frame_count}Q", *lengths))
    elif basic:
        if offsets[-1] > _MAX_BASIC:
            raise UnsupportedData("the offsets of the frames do not fit a Basic Offset Table")
        stream.seek(table_at)
        stream.write(struct.pack(f"<{frame_count}L", *offsets))
    stream.seek(end)
    return sum(lengths)


def write_native(
    write: Callable[[bytes], object],
    chunks: Iterable[bytes],
    length: int,
    *,
    tag: int = _PIXEL_DATA,
    vr: str = "OW",
    encoding: Encoding = EXPLICIT_LITTLE,
) -> None:
    """Write an uncompressed pixel data element.

    Parameters
    ----------
    write
        Takes bytes; need not be seekable.
    chunks
        The value in parts, in the byte order of `encoding`.
    length
        Of the value; padded to even length here.

    Raises
    ------
    InternalError
        The chunks do not add up to `length`.
    UnsupportedData
        The value does not fit a length of 32 bits.
    """
    padding = length % 2
    if length + padding >= 0xFFFFFFFF:
        raise UnsupportedData(
            f"uncompressed pixel data of `{length}` bytes do not fit an element of 4 GiB",
            hint="choose `--to encapsulated`",
        )
    write(format_header(tag, vr, length + padding, encoding))
    written = 0
    for chunk in chunks:
        written += len(chunk)
        write(chunk)
    if written != length:
        raise InternalError(f"{written} bytes of pixel data were written, {length} announced")
    if padding:
        write(b"\0")
