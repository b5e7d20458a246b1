"""Decompress pixel data that are nested in sequences: icons.

An icon's frames, if they are encapsulated, are in the transfer syntax of the
file; in a file of another one they must be native.

Source
------
PS3.3 F.7 (Icon Image Key), C.7.6.1.1.6; PS3.5 A.4 (pixel data in nested data sets)
"""

from __future__ import annotations

from pathlib import Path

from imgconv.codecs.frame import encode_native
from imgconv.core.expansion import ICONS
from imgconv.dicom.frames import FrameReader
from imgconv.dicom.header import parse_header
from imgconv.dicom.reencode import format_element
from imgconv.dicom.scan import EXPLICIT_LITTLE, iter_items
from imgconv.dicom.splice import format_meta, iter_spans, patched
from imgconv.errors import CorruptData, UnsupportedData

__all__ = ["decode_nested", "has_nested_frames"]

_PIXEL_DATA = 0x7FE00010
_MARKS = tuple(b"\xe0\x7f\x10\x00" + vr + b"\0\0\xff\xff\xff\xff" for vr in (b"OB", b"OW", b"UN"))
_MAX_DEPTH = 64
_UNDEFINED = b"\xff\xff\xff\xff"
_ITEM, _ITEM_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0\0\0\0\0"
_SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
_SEQUENCE_HEADER = 12  # of an SQ with explicit VR


def has_nested_frames(data: bytes) -> bool:
    """Whether encapsulated pixel data may stand somewhere in a data set's bytes."""
    return any(mark in data for mark in _MARKS)


def decode_nested(data: bytes, transfer_syntax_uid: str) -> bytes:
    """Return a data set with all encapsulated pixel data in its sequences decoded.

    Parameters
    ----------
    data
        Explicit VR little endian, without pixel data at the top level.
    transfer_syntax_uid
        Of the file, and so of the nested frames.

    Raises
    ------
    CorruptData
        An icon is damaged.
    UnsupportedData
        They are taken for a bomb.
    """
    return _Decoder(transfer_syntax_uid, ICONS.limit(len(data))).elements(data, 0)


class _Decoder:
    """Decodes the icons of one file, as long as they are `left` bytes together."""

    def __init__(self, transfer_syntax_uid: str, left: int) -> None:
        self._uid = transfer_syntax_uid
        self._left = left

    def elements(self, data: bytes, depth: int) -> bytes:
        """Return a data set with the icons in its sequences decoded."""
        if depth > _MAX_DEPTH:
            raise CorruptData(f"sequences are nested deeper than `{_MAX_DEPTH}` levels")
        out = []
        for tag, start, end in iter_spans(data):
            chunk = data[start:end]
            is_sequence = chunk[4:6] == b"SQ" and tag != _PIXEL_DATA
            out.append(
                self._sequence(chunk, depth) if is_sequence and has_nested_frames(chunk) else chunk
            )
        return b"".join(out)

    def _sequence(self, chunk: bytes, depth: int) -> bytes:
        items: list[bytes] = []
        for start, stop in iter_items(chunk, _SEQUENCE_HEADER, len(chunk), EXPLICIT_LITTLE):
            content = self._item(chunk[start:stop], depth)
            undefined = chunk[start - 4 : start] == _UNDEFINED
            length = _UNDEFINED if undefined else len(content).to_bytes(4, "little")
            items += (_ITEM, length, content, _ITEM_END if undefined else b"")
        value = b"".join(items)
        if chunk[8:12] == _UNDEFINED:
            return chunk[:12] + value + _SEQUENCE_END
        return chunk[:8] + len(value).to_bytes(4, "little") + value

    def _item(self, content: bytes, depth: int) -> bytes:
        content = self.elements(content, depth + 1)
        header_at = {tag: start for tag, start, _ in iter_spans(content)}.get(_PIXEL_DATA)
        if header_at is None or content[header_at + 8 : header_at + 12] != _UNDEFINED:
            return content
        file = format_meta(bytes(128), {}, self._uid) + content
        frames = FrameReader.from_header(parse_header(file, Path("icon")), origin=file)
        target = frames.decoded_format
        self._left -= target.array_bytes * frames.frame_count
        if self._left < 0:
            raise UnsupportedData("its icons decompress too far; they are taken for hostile")
        value = b"".join(encode_native(samples, target) for samples in frames)
        vr = "OW" if target.bits_allocated > 8 else "OB"
        name = target.photometric_interpretation.encode()
        changes: dict[int, bytes | None] = {
            0x00280004: format_element(0x00280004, "CS", name),
            _PIXEL_DATA: format_element(_PIXEL_DATA, vr, value + b"\0" * (len(value) % 2)),
        }
        if target.samples_per_pixel > 1:
            changes[0x00280006] = format_element(0x00280006, "US", b"\0\0")
        return patched(content, changes)
