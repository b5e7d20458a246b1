"""Scan one file for its header: how it is encoded, where its elements and pixel data are.

Source
------
PS3.10 7.1 (meta information); PS3.5 A (transfer syntaxes)
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from imgconv.core.expansion import DATA_SET
from imgconv.dicom.layout import Layout, Places, make_layout
from imgconv.dicom.scan import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    Element,
    Encoding,
    Found,
    guess_encoding,
    looks_like_dicom,
    walk,
)
from imgconv.errors import CorruptData, UnknownFormat, UnsupportedData

__all__ = [
    "DEFLATED",
    "HeaderScan",
    "PixelData",
    "Scanned",
    "inflate",
    "inflate_file",
    "inflate_part",
    "walk_meta",
]

# Most headers are smaller than the first read; each read after it is four times as large,
# since a sequence that is cut by the end of a read is walked again.
_FIRST_READ = 1 << 16
# What a header may be longer than the one before it, before it is read in two parts
_MARGIN = 256
_PIECE = 1 << 20

_IMPLICIT = "1.2.840.10008.1.2"
_EXPLICIT = "1.2.840.10008.1.2.1"
_EXPLICIT_BIG = "1.2.840.10008.1.2.2"
_GE_BIG_ENDIAN_PIXELS = "1.2.840.113619.5.2"
# Transfer syntaxes whose data set is a deflated stream, PS3.5 A.5 and A.6
DEFLATED = frozenset({"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95"})


class PixelData(NamedTuple):
    """Where the pixel data of a file are.

    Parameters
    ----------
    tag
        (7FE0,0010), or (7FE0,0008) float, or (7FE0,0009) double.
    offset
        Byte of the file (of the inflated file, if it is deflated) where the
        value starts; for encapsulated data the item of the offset table.
    length
        Bytes of the value as declared; up to the end of the file if the
        length is undefined.
    vr
        ``OB``, ``OW``, ``OF``, ``OD``.
    encapsulated
        Whether the value is a sequence of fragments.
    available
        Bytes from `offset` to the end of the file.
    """

    tag: int
    offset: int
    length: int
    vr: str
    encapsulated: bool
    available: int


class Scanned(NamedTuple):
    """What a scan found: the file up to its pixel data, and where things are in it."""

    buffer: bytes
    transfer_syntax_uid: str
    encoding: Encoding
    table: dict[int, Element] | Places
    pixel_data: PixelData | None


class HeaderScan:
    """Reads as much of one file as its header needs."""

    def __init__(self, path: Path, size: int, fetch: Callable[[int, int], bytes]) -> None:
        self._path = path
        self._size = size
        self._fetch = fetch
        self._buffer = b""
        self._table: dict[int, Element] = {}
        self._encoding = EXPLICIT_LITTLE
        self._found: Found | None = None

    def read_like(self, layout: Layout) -> Scanned | None:
        """Return the elements if the file is laid out like others before, else None."""
        if len(self._buffer) < layout.size:
            # Values may be longer than in the file before.
            self._grow(min(self._size, layout.size + _MARGIN))
        located = layout.locate(self._buffer)
        if located is None:
            return None
        places, found = located
        raw = places.get(0x00020010)
        syntax = "" if raw is None else _text(self._buffer, raw)
        if not syntax:
            return None
        return self._scanned(syntax, layout.encoding, places, found)

    def read(self) -> Scanned:
        """Walk the file and return its elements.

        Raises
        ------
        UnknownFormat, CorruptData, UnsupportedData
            As `header.read_header`.
        """
        if not self._size:
            raise UnknownFormat("the file is empty; expected DICOM")
        self._grow(min(self._size, _FIRST_READ))
        if not looks_like_dicom(self._path, self._buffer[:1024]):
            raise UnknownFormat("no DICOM: neither the prefix `DICM` nor a data element")
        start, syntax = walk_meta(self._buffer, self._table)
        if not syntax:
            syntax, self._encoding = _guess_syntax(self._buffer, start)
        else:
            self._encoding = self._stated_encoding(syntax, start)
        if syntax in DEFLATED:
            self._inflate(start)
        self._found = self._walk(start, self._encoding)
        return self._scanned(syntax, self._encoding, self._table, self._found)

    def learn(self) -> Layout | None:
        """Return the layout of the file that was walked, None if there is none to learn."""
        start = 132 if self._buffer[128:132] == b"DICM" else -1
        if self._found is None or start < 0 or 0x00020010 not in self._table:
            return None
        if _text(self._buffer, self._table[0x00020010]) in DEFLATED:
            return None
        return make_layout(self._buffer, start, self._encoding, self._table, self._found)

    def _scanned(
        self,
        syntax: str,
        encoding: Encoding,
        table: dict[int, Element] | Places,
        found: Found | None,
    ) -> Scanned:
        pixels = None if found is None else self._pixel_data(found, found.element[1])
        buffer = self._buffer if found is None else self._buffer[: self._element_start(found)]
        return Scanned(buffer, syntax, encoding, table, pixels)

    def _stated_encoding(self, syntax: str, start: int) -> Encoding:
        """Return the encoding of a transfer syntax, but explicit VR where it is evident."""
        encoding = _encoding_of(syntax)
        if encoding.explicit or not guess_encoding(self._buffer, start).explicit:
            return encoding
        length = int.from_bytes(self._buffer[start + 4 : start + 8], "little")
        return EXPLICIT_LITTLE if length > self._size else encoding

    def _inflate(self, start: int) -> None:
        whole = self._buffer + self._fetch(len(self._buffer), self._size - len(self._buffer))
        self._buffer = whole[:start] + inflate_part(whole[start:])[0]
        self._size = len(self._buffer)

    def _walk(self, start: int, encoding: Encoding) -> Found | None:
        position = start
        while True:
            stopped = walk(self._buffer, position, len(self._buffer), encoding, self._table)
            if isinstance(stopped, Found):
                return stopped
            if isinstance(stopped, int):
                if len(self._buffer) >= self._size:
                    return None
                position, end = stopped, stopped + 1
            else:
                position, end = stopped
            if end > self._size:
                raise CorruptData(
                    f"the file ends after `{self._size}` bytes within its header; expected {end}"
                )
            self._grow(end)

    def _grow(self, end: int) -> None:
        have = len(self._buffer)
        if end <= have:
            return
        wanted = min(self._size, max(end, 4 * have))
        more = self._fetch(have, wanted - have)
        if not more:
            raise CorruptData("the file became shorter while it was read")
        self._buffer += more

    @staticmethod
    def _element_start(found: Found) -> int:
        vr, start, _length = found.element
        return start - (12 if vr in ("OB", "OW", "OF", "OD", "UN") else 8)

    def _pixel_data(self, found: Found, offset: int) -> PixelData:
        tag, (vr, _start, length) = found
        available = max(0, self._size - offset)
        undefined = length < 0
        return PixelData(
            tag=tag,
            offset=offset,
            length=available if undefined else length,
            vr=vr or {0x7FE00008: "OF", 0x7FE00009: "OD"}.get(tag, "OW"),
            encapsulated=undefined,
            available=available,
        )


def walk_meta(buffer: bytes, table: dict[int, Element]) -> tuple[int, str]:
    """Enter the meta information; return where the data set starts and its transfer syntax."""
    start = 132 if buffer[128:132] == b"DICM" else 0
    if buffer[start : start + 2] != b"\x02\0":
        return start, ""
    encoding = guess_encoding(buffer, start)
    stopped = walk(buffer, start, len(buffer), encoding, table, last_group=0x0002)
    if not isinstance(stopped, int):
        raise CorruptData("the file ends within its meta information")
    element = table.get(0x00020010)
    if element is None:
        return stopped, ""
    return stopped, _text(buffer, element)


def _text(buffer: bytes, element: Element) -> str:
    _vr, start, length = element
    return buffer[start : start + length].decode("latin-1").strip("\0 ")


def _encoding_of(transfer_syntax_uid: str) -> Encoding:
    if transfer_syntax_uid in (_IMPLICIT, _GE_BIG_ENDIAN_PIXELS):
        return IMPLICIT_LITTLE
    return EXPLICIT_BIG if transfer_syntax_uid == _EXPLICIT_BIG else EXPLICIT_LITTLE


def _guess_syntax(buffer: bytes, start: int) -> tuple[str, Encoding]:
    encoding = guess_encoding(buffer, start)
    if not encoding.explicit:
        return _IMPLICIT, IMPLICIT_LITTLE
    return (_EXPLICIT_BIG if encoding.big_endian else _EXPLICIT), encoding


def inflate(data: bytes) -> bytes:
    """Return what a deflated data set holds; errors as `inflate_part`, and CorruptData if cut."""
    inflated, complete = inflate_part(data)
    if not complete:
        raise CorruptData("the deflated data set is truncated")
    return inflated


def inflate_part(data: bytes) -> tuple[bytes, bool]:
    """Return what there is of a deflated data set, and whether that is all.

    Raises
    ------
    CorruptData
        It cannot be inflated.
    UnsupportedData
        It inflates so far that it was made to fill the memory.
    """
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    parts: list[bytes] = []
    size = 0
    try:
        for start in range(0, len(data), _PIECE):
            piece = data[start : start + _PIECE]
            while piece and not engine.eof:
                parts.append(engine.decompress(piece, DATA_SET.free_bytes))
                piece = engine.unconsumed_tail
                size += len(parts[-1])
                used = min(start + _PIECE, len(data)) - len(piece)
                if size >= DATA_SET.limit(used):
                    raise UnsupportedData(
                        "the deflated data set inflates too far; it is taken for hostile",
                        hint="if it is not, inflate it by another program first",
                    )
    except zlib.error as error:
        raise CorruptData("the deflated data set cannot be inflated") from error
    return b"".join(parts), engine.eof


def inflate_file(whole: bytes) -> bytes:
    """Return a deflated file with its data set inflated, the meta information as it is.

    Raises
    ------
    CorruptData, UnsupportedData
        The data set cannot be inflated, or is too large.
    """
    start, _syntax = walk_meta(whole, {})
    return whole[:start] + inflate_part(whole[start:])[0]
