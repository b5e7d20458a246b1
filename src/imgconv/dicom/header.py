"""Read the header of a DICOM file: fast, lazy, and without pydicom.

A `Header` knows where each element of a data set is and decodes a value when
it is asked for. Pixel data are located, never read. Files are opened once;
`Header.release` gives the memory back, the next access reads the file again.

Not supported: data sets that start in the middle of a file for other reasons
than a preamble (MIME parts, DIMSE dumps).
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from imgconv.dicom.element_values import decode_text, decode_value
from imgconv.dicom.layout import Layout, Places, make_layout
from imgconv.dicom.scan import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    Element,
    Encoding,
    Found,
    Need,
    guess_encoding,
    looks_like_dicom,
    parse_items,
    walk,
)
from imgconv.errors import CorruptData, InputError, InternalError, UnknownFormat, UnsupportedData
from imgconv.standard.elements import find_tag, find_vr

__all__ = ["Header", "HeaderReader", "PixelData", "parse_header", "read_header"]

# Most headers are smaller than the first read; the reads after it double.
_FIRST_READ = 1 << 16
# What a header may be longer than the one before it, before it is read in two parts
_MARGIN = 256
_MAX_INFLATED_BYTES = 1 << 32

_IMPLICIT = "1.2.840.10008.1.2"
_DEFLATED = frozenset({"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95"})
_EXPLICIT_BIG = "1.2.840.10008.1.2.2"
_GE_BIG_ENDIAN_PIXELS = "1.2.840.113619.5.2"
# Short values that recur from file to file
_REMEMBERED_VRS = frozenset({"CS", "DS", "FD", "FL", "IS", "US"})
_NAME_VRS = frozenset({"LO", "SH", "UI"})
_LONG_SEQUENCE = 16
_MAX_REMEMBERED = 4096
# Files of so many series may alternate before layouts are learnt anew.
_MAX_LAYOUTS = 4
_CHARSET_TAG = 0x00080005
_REPRESENTATION_TAG = 0x00280103


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


class Header:
    """One data set without its pixels: a file's, or a sequence item's.

    Headers come from `read_header`, `parse_header` and `get` of a sequence.
    They can be pickled.

    Attributes
    ----------
    path
        The file.
    transfer_syntax_uid
        As in the meta information, or as guessed if that is missing.
    pixel_data
        Where the pixel data are; None if there are none, or for an item.
    is_deflated
        Whether the file has to be inflated before `pixel_data` applies.
    """

    __slots__ = (
        "_blocks",
        "_buffer",
        "_charset",
        "_encoding",
        "_known",
        "_long",
        "_range",
        "_sequences",
        "_signed",
        "_table",
        "is_deflated",
        "path",
        "pixel_data",
        "transfer_syntax_uid",
    )

    def __init__(
        self, path: Path, buffer: bytes, encoding: Encoding, span: tuple[int, int]
    ) -> None:
        self.path = path
        self.transfer_syntax_uid = ""
        self.pixel_data: PixelData | None = None
        self.is_deflated = False
        self._buffer: bytes | None = buffer
        self._encoding = encoding
        self._range = span
        self._table: dict[int, Element] | Places | None = None
        self._charset: str | None = None
        self._signed: bool | None = None
        self._blocks: dict[tuple[int, str], int] | None = None
        # Keyword -> value or None, see `prefetch`
        self._known: dict[str | int, Any] = {}
        # A sequence of 10,000 frames is asked for once per frame.
        self._sequences: dict[int, tuple[Header, ...]] = {}
        # Where the items of long sequences are, kept by `release`
        self._long: dict[int, list[tuple[int, int, dict[int, Element] | None]]] = {}

    def get(self, keyword: str | int, default: Any = None) -> Any:
        """Return the value of a standard attribute.

        Parameters
        ----------
        keyword
            DICOM keyword, or a tag as ``group << 16 | element``.
        default
            Returned if the attribute is absent, empty, or cannot be read.

        Returns
        -------
        Any
            str for text, dates and UIDs, float for DS, FD, FL, int for IS
            and binary integers, a tuple if there are several values, a
            tuple of headers for a sequence (even for one item), bytes for
            OB, OW and UN.

        Raises
        ------
        CorruptData
            A sequence is broken.
        InternalError
            There is no such keyword.
        """
        if keyword in self._known:
            value = self._known[keyword]
            return default if value is None else value
        tag = keyword if isinstance(keyword, int) else find_tag(keyword)
        if tag is None:
            raise InternalError(f"keyword `{keyword}`")
        element = self._elements().get(tag)
        if element is None:
            return default
        vr = self._vr_of(tag, element)
        table = self._table
        if vr in _REMEMBERED_VRS and isinstance(table, Places):
            value = self._remembered(tag, vr, element, table.layout)
        else:
            value = self._decode(element, vr)
        return default if value is None else value

    def prefetch(self, keywords: tuple[str, ...]) -> None:
        """Decode many attributes at once, until `release`: faster than one by one.

        Parameters
        ----------
        keywords
            The same tuple for all headers.
        """
        table = self._elements()
        if not isinstance(table, Places):
            self._known = {keyword: self.get(keyword) for keyword in keywords}
            return
        # Sequences are not decoded here; get() finds them.
        known: dict[str | int, Any] = dict.fromkeys(keywords)
        remembered = table.layout.values
        if len(remembered) > _MAX_REMEMBERED:
            remembered.clear()
        buffer = self._buffer or b""
        for keyword, tag, (start, stop) in table.spans(keywords):
            key = (tag, buffer[start:stop])
            value = remembered.get(key, remembered)
            if value is remembered:
                element = ("", start, stop - start)
                vr = self._vr_of(tag, table.get(tag) or element)
                if vr == "SQ":
                    del known[keyword]
                    continue
                value = self._decode(element, vr)
                if vr in _REMEMBERED_VRS or (vr in _NAME_VRS and key[1].isascii()):
                    remembered[key] = value
            known[keyword] = value
        self._known = known

    def numbers(self, keyword: str) -> tuple[float, ...]:
        """Return the values of a numeric attribute as floats; empty if absent or unreadable."""
        value = self.get(keyword)
        if isinstance(value, tuple):
            return tuple(float(part) for part in value if isinstance(part, int | float))
        return (float(value),) if isinstance(value, int | float) else ()

    def texts(self, keyword: str) -> tuple[str, ...]:
        """Return the values of a text attribute; empty if absent."""
        value = self.get(keyword)
        if isinstance(value, tuple):
            return tuple(str(part) for part in value)
        return () if value is None else (str(value),)

    def items(self, keyword: str | int) -> tuple[Header, ...]:
        """Return the items of a sequence; empty if absent."""
        value = self.get(keyword)
        if isinstance(value, tuple) and value and isinstance(value[0], Header):
            return value
        return ()

    def raw(self, tag: int) -> bytes | None:
        """Return the bytes of an element as stored, None if it is absent."""
        element = self._elements().get(tag)
        return None if element is None else self._bytes(element)

    def tags(self) -> tuple[int, ...]:
        """Return the tags of all elements but pixel data, in the order of the file."""
        return tuple(self._elements())

    def __contains__(self, keyword: object) -> bool:
        tag = find_tag(keyword) if isinstance(keyword, str) else keyword
        return tag in self._elements()

    def private(
        self, group: int, creator: str, element: int, default: Any = None, *, vr: str = ""
    ) -> Any:
        """Return the value of a private attribute.

        Parameters
        ----------
        group
            Odd group number.
        creator
            Private creator that owns the block.
        element
            Low byte of the element number: 0x0C for (0019,xx0C).
        default
            Returned if it is absent, empty, or cannot be read.
        vr
            How to read the bytes if the file does not tell (implicit VR,
            UN); without it they are returned as bytes. ``"SQ"`` gives headers.
        """
        block = self._private_blocks().get((group, creator))
        if block is None:
            return default
        found = self._elements().get(group << 16 | block << 8 | element)
        if found is None:
            return default
        own = found[0] if found[0] not in ("", "UN") else vr or "UN"
        value = self._decode(found, own)
        return default if value is None else value

    def private_elements(self, group: int) -> tuple[tuple[str, int, str, bytes], ...]:
        """Return ``(creator, low byte of element, VR, bytes)`` of a group's private elements.

        The VR is empty where the file does not tell. Elements without a
        creator have an empty one.
        """
        creators = {
            block: name for (owner, name), block in self._private_blocks().items() if owner == group
        }
        return tuple(
            (creators.get(tag >> 8 & 0xFF, ""), tag & 0xFF, element[0], self._bytes(element))
            for tag, element in self._elements().items()
            if tag >> 16 == group and tag & 0xFFFF > 0xFF
        )

    def release(self) -> None:
        """Forget everything that can be read again; the next access reads the file."""
        if self.transfer_syntax_uid:
            self._buffer = None
            self._sequences = {}
            self._known = {}
            # A shared layout is small and holds for the file; to find the frames again is slow.
            if not isinstance(self._table, Places) and not self._long:
                self._table = None

    def read_pixel_bytes(self, start: int = 0, length: int | None = None) -> bytes:
        """Read bytes of the pixel data from the file.

        Parameters
        ----------
        start
            First byte, counted from the beginning of the value.
        length
            How many; None for all.

        Raises
        ------
        CorruptData
            The file ends before.
        InputError
            The file cannot be read, or has no pixel data.
        """
        pixels = self.pixel_data
        if pixels is None:
            raise InputError("there are no pixel data", path=self.path)
        wanted = pixels.length - start if length is None else length
        if wanted > pixels.available - start:
            raise CorruptData(
                f"the pixel data end after `{pixels.available}` bytes; expected {start + wanted}",
                path=self.path,
            )
        if self.is_deflated:
            whole = _inflated_file(self.path)
            return whole[pixels.offset + start : pixels.offset + start + wanted]
        with _open(self.path) as file:
            return _pread_all(file, pixels.offset + start, wanted, self.path)

    def __reduce__(self) -> tuple[Any, ...]:
        state = {
            "transfer_syntax_uid": self.transfer_syntax_uid,
            "pixel_data": self.pixel_data,
            "is_deflated": self.is_deflated,
            "_buffer": self._buffer,
            "_charset": self._charset,
            "_signed": self._signed,
        }
        return (Header, (self.path, b"", self._encoding, self._range), (None, state))

    def __repr__(self) -> str:
        return f"Header({str(self.path)!r})"

    def _remembered(self, tag: int, vr: str, element: Element, layout: Layout) -> Any:
        """Decode a value, or take what the same bytes gave before."""
        key = (tag, self._bytes(element))
        if key not in layout.values:
            if len(layout.values) > _MAX_REMEMBERED:
                layout.values.clear()
            layout.values[key] = self._decode(element, vr)
        return layout.values[key]

    def _elements(self) -> dict[int, Element] | Places:
        if self._buffer is None:
            self._reload()
        if self._table is None:
            table: dict[int, Element] = {}
            start, stop = self._range
            buffer = self._buffer or b""
            if self.transfer_syntax_uid:  # a file's header, no item's
                start = _walk_meta(buffer, table)[0]
            stopped = walk(buffer, start, stop, self._encoding, table, stops=frozenset())
            if isinstance(stopped, Need):
                raise CorruptData("a sequence's item is truncated", path=self.path)
            self._table = table
        return self._table

    def _reload(self) -> None:
        if self._table is not None and not self.is_deflated:
            with _open(self.path) as file:
                self._buffer = _pread_all(file, 0, self._range[1], self.path)
            return
        fresh = read_header(self.path)
        self._buffer = fresh._buffer  # noqa: SLF001  another of the same class
        self._range = fresh._range  # noqa: SLF001
        self._table = fresh._table  # noqa: SLF001

    def _bytes(self, element: Element) -> bytes:
        _vr, start, length = element
        return (self._buffer or b"")[start : start + length]

    def _vr_of(self, tag: int, element: Element) -> str:
        own = element[0]
        if own not in ("", "UN"):
            return own
        vr = find_vr(tag) or "UN"
        if vr == "US or SS":
            return "SS" if self._is_signed() else "US"
        return vr

    def _is_signed(self) -> bool:
        if self._signed is None:
            raw = self.raw(_REPRESENTATION_TAG)
            self._signed = raw is not None and any(raw)
        return self._signed

    def _character_set(self) -> str:
        if self._charset is None:
            raw = self.raw(_CHARSET_TAG)
            self._charset = "" if raw is None else raw.decode("latin-1").strip("\0 ")
        return self._charset

    def _decode(self, element: Element, vr: str) -> Any:
        if vr == "SQ":
            start = element[1]
            if start not in self._sequences:
                self._sequences[start] = self._items(element)
            return self._sequences[start]
        return decode_value(
            vr,
            self._bytes(element),
            big_endian=self._encoding.big_endian,
            charset=self._character_set(),
        )

    def _items(self, element: Element) -> tuple[Header, ...]:
        vr, start, length = element
        encoding = self._encoding if vr != "UN" else IMPLICIT_LITTLE
        buffer = self._buffer or b""
        charset, signed = self._character_set(), self._is_signed()
        items = []
        try:
            places = self._long.get(start) or parse_items(buffer, start, start + length, encoding)
            if len(places) > _LONG_SEQUENCE:
                self._long[start] = [(begin, end, None) for begin, end, _ in places]
            for begin, end, table in places:
                item = Header(self.path, buffer, encoding, (begin, end))
                item._table = table
                item._charset = charset
                item._signed = signed
                items.append(item)
        except CorruptData as error:
            raise error.with_path(self.path) from None
        return tuple(items)

    def _private_blocks(self) -> dict[tuple[int, str], int]:
        if self._blocks is None:
            table = self._elements()
            shared = table.layout if isinstance(table, Places) else None
            if shared is not None and shared.blocks is not None:
                self._blocks = shared.blocks
                return self._blocks
            self._blocks = {}
            for tag, element in self._elements().items():
                if tag & 0x10000 and 0x10 <= tag & 0xFFFF <= 0xFF:
                    name = decode_text(self._bytes(element), "").strip("\0 ")
                    self._blocks.setdefault((tag >> 16, name), tag & 0xFF)
            if shared is not None:
                shared.blocks = self._blocks
        return self._blocks


class HeaderReader:
    """Reads the headers of many files; the second file laid out alike is read faster.

    It keeps what it learnt about the layout of files, nothing else.
    """

    def __init__(self) -> None:
        self._layouts: list[Layout] = []
        self._last: tuple[int, ...] = ()

    def read(self, path: str | os.PathLike[str]) -> Header:
        """Read the header of a DICOM file; see `read_header`.

        Raises
        ------
        InputError
            As `read_header`.
        """
        path = path if isinstance(path, Path) else Path(path)
        try:
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", path=path) from error
        try:
            return self._read(path, descriptor)
        except InputError as error:
            raise error.with_path(path) from error.__cause__
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", path=path) from error
        finally:
            os.close(descriptor)

    def _read(self, path: Path, descriptor: int) -> Header:
        size = os.fstat(descriptor).st_size
        scanned = _HeaderScan(path, size, lambda start, length: _pread(descriptor, start, length))
        for layout in self._layouts:
            header = scanned.read_like(layout)
            if header is not None:
                if layout is not self._layouts[0]:
                    self._layouts.remove(layout)
                    self._layouts.insert(0, layout)
                return header
        header = scanned.read()
        tags = header.tags()
        if tags == self._last:
            learnt = scanned.learn()
            if learnt is not None:
                self._layouts = [learnt, *self._layouts[: _MAX_LAYOUTS - 1]]
        self._last = tags
        return header


def read_header(path: str | os.PathLike[str]) -> Header:
    """Read the header of a DICOM file.

    Raises
    ------
    UnknownFormat
        The file is empty, or no DICOM.
    CorruptData
        The file ends within its header, or the header is no data set.
    UnsupportedData
        It inflates beyond what can be handled.
    InputError
        It cannot be read.
    """
    return HeaderReader().read(path)


def parse_header(data: bytes, path: str | os.PathLike[str]) -> Header:
    """Read the header of a DICOM file that is in memory; `path` names it in messages.

    Its `release` and `read_pixel_bytes` go to `path`, so these need a real file.

    Raises
    ------
    UnknownFormat, CorruptData, UnsupportedData
        As `read_header`.
    """
    try:
        return _HeaderScan(
            Path(path), len(data), lambda start, length: data[start : start + length]
        ).read()
    except InputError as error:
        raise error.with_path(path) from error.__cause__


class _HeaderScan:
    """Reads as much of one file as its header needs."""

    def __init__(self, path: Path, size: int, fetch: Callable[[int, int], bytes]) -> None:
        self._path = path
        self._size = size
        self._fetch = fetch
        self._buffer = b""
        self._table: dict[int, Element] = {}
        self._encoding = EXPLICIT_LITTLE
        self._found: Found | None = None

    def read_like(self, layout: Layout) -> Header | None:
        """Return the header if the file is laid out like others before, else None."""
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
        return self._header(syntax, layout.encoding, places, found)

    def read(self) -> Header:
        """Walk the file and return its header."""
        if not self._size:
            raise UnknownFormat("the file is empty; expected DICOM")
        self._grow(min(self._size, _FIRST_READ))
        if not looks_like_dicom(self._path, self._buffer[:1024]):
            raise UnknownFormat("no DICOM: neither the prefix `DICM` nor a data element")
        start, syntax = _walk_meta(self._buffer, self._table)
        if not syntax:
            syntax, self._encoding = _guess_syntax(self._buffer, start)
        else:
            self._encoding = _encoding_of(syntax)
        if syntax in _DEFLATED:
            self._inflate(start)
        self._found = self._walk(start, self._encoding)
        return self._header(syntax, self._encoding, self._table, self._found)

    def learn(self) -> Layout | None:
        """Return the layout of the file that was walked, None if there is none to learn."""
        start = 132 if self._buffer[128:132] == b"DICM" else -1
        if self._found is None or start < 0 or 0x00020010 not in self._table:
            return None
        if _text(self._buffer, self._table[0x00020010]) in _DEFLATED:
            return None
        return make_layout(self._buffer, start, self._encoding, self._table, self._found)

    def _header(
        self,
        syntax: str,
        encoding: Encoding,
        table: dict[int, Element] | Places,
        found: Found | None,
    ) -> Header:
        buffer = self._trimmed(found)
        header = Header(self._path, buffer, encoding, (0, len(buffer)))
        header.transfer_syntax_uid = syntax
        header.is_deflated = syntax in _DEFLATED
        header._table = table  # noqa: SLF001  this function makes headers
        if found is not None:
            header.pixel_data = self._pixel_data(found, found.element[1])
        return header

    def _inflate(self, start: int) -> None:
        whole = self._buffer + self._fetch(len(self._buffer), self._size - len(self._buffer))
        self._buffer = whole[:start] + _inflate(whole[start:])
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
        wanted = min(self._size, max(end, 2 * have))
        more = self._fetch(have, wanted - have)
        if not more:
            raise CorruptData("the file became shorter while it was read")
        self._buffer += more

    def _trimmed(self, found: Found | None) -> bytes:
        return self._buffer if found is None else self._buffer[: self._element_start(found)]

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


def _walk_meta(buffer: bytes, table: dict[int, Element]) -> tuple[int, str]:
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


def _pread(descriptor: int, start: int, length: int) -> bytes:
    os.lseek(descriptor, start, os.SEEK_SET)
    return os.read(descriptor, length)


def _encoding_of(transfer_syntax_uid: str) -> Encoding:
    if transfer_syntax_uid in (_IMPLICIT, _GE_BIG_ENDIAN_PIXELS):
        return IMPLICIT_LITTLE
    return EXPLICIT_BIG if transfer_syntax_uid == _EXPLICIT_BIG else EXPLICIT_LITTLE


def _guess_syntax(buffer: bytes, start: int) -> tuple[str, Encoding]:
    encoding = guess_encoding(buffer, start)
    if not encoding.explicit:
        return _IMPLICIT, IMPLICIT_LITTLE
    return ("1.2.840.10008.1.2.2" if encoding.big_endian else "1.2.840.10008.1.2.1"), encoding


def _open(path: Path) -> Any:
    try:
        return path.open("rb", buffering=0)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=path) from error


def _pread_all(file: Any, start: int, length: int, path: Path) -> bytes:
    parts = list(_iter_pread(file.fileno(), start, length))
    data = parts[0] if len(parts) == 1 else b"".join(parts)
    if len(data) != length:
        raise CorruptData("the file became shorter while it was read", path=path)
    return data


def _iter_pread(descriptor: int, start: int, length: int) -> Iterator[bytes]:
    # One call reads at most 2 GiB on Linux.
    while length > 0:
        part = os.pread(descriptor, length, start)
        if not part:
            return
        yield part
        start += len(part)
        length -= len(part)


def _inflate(data: bytes) -> bytes:
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = engine.decompress(data, _MAX_INFLATED_BYTES)
    except zlib.error as error:
        raise CorruptData("the deflated data set cannot be inflated") from error
    if engine.unconsumed_tail:
        raise UnsupportedData(f"the data set inflates to more than `{_MAX_INFLATED_BYTES}` bytes")
    return inflated


def _inflated_file(path: Path) -> bytes:
    with _open(path) as file:
        whole = _pread_all(file, 0, os.fstat(file.fileno()).st_size, path)
    start, _syntax = _walk_meta(whole, {})
    return whole[:start] + _inflate(whole[start:])
