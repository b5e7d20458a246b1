"""Read the header of a DICOM file: fast, lazy, and without pydicom.

A `Header` knows where each element of a data set is and decodes a value when
it is asked for. Pixel data are located, never read, and what stands behind
them (padding, signatures) is not looked at. Files are opened once;
`Header.release` gives the memory back, the next access reads the file again.

Not supported: data sets that start in the middle of a file for other reasons
than a preamble (MIME parts, DIMSE dumps).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from imgconv.dicom.bytesource import ByteSource
from imgconv.dicom.element_values import decode_text, decode_value
from imgconv.dicom.header_scan import (
    DEFLATED,
    HeaderScan,
    PixelData,
    Scanned,
    inflate_file,
    walk_meta,
)
from imgconv.dicom.layout import Layout, Places
from imgconv.dicom.scan import IMPLICIT_LITTLE, Element, Encoding, Need, parse_items, walk
from imgconv.errors import CorruptData, InputError, InternalError, input_error
from imgconv.standard.elements import find_tag, find_vr

__all__ = ["Header", "HeaderReader", "PixelData", "parse_header", "read_header"]

# Short values that recur from file to file
_REMEMBERED_VRS = frozenset({"CS", "DS", "FD", "FL", "IS", "US"})
_NAME_VRS = frozenset({"LO", "SH", "UI"})
_MAX_REMEMBERED = 4096
_LONG_SEQUENCE = 16
# Files of so many series may alternate before layouts are learnt anew.
_MAX_LAYOUTS = 6
_MAX_WALKED = 64
_CHARSET_TAG = 0x00080005
_REPRESENTATION_TAG = 0x00280103


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

    @property
    def encoding(self) -> Encoding:
        """How the elements are written, whatever the transfer syntax says."""
        return self._encoding

    @property
    def lacks_vrs(self) -> bool:
        """Whether elements are written without VR among others with one, or instead of them."""
        table = self._elements()
        if not self._encoding.explicit or isinstance(table, Places):  # a layout has all VRs
            return False
        return any(not element[0] for element in table.values())

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
                if vr in _REMEMBERED_VRS or (vr in _NAME_VRS and _is_plain(key[1])):
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
        tag = group << 16 | block << 8 | element
        table = self._elements()
        found = table.get(tag)
        if found is None:
            return default
        own = found[0] if found[0] not in ("", "UN") else vr or "UN"
        if own in _REMEMBERED_VRS and isinstance(table, Places):
            value = self._remembered(tag, own, found, table.layout)
        else:
            value = self._decode(found, own)
        return default if value is None else value

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
        source = ByteSource(self.path)
        if not self.is_deflated:
            return source.read_exactly(pixels.offset + start, wanted)
        whole = inflate_file(source.read_exactly(0, source.size))
        return whole[pixels.offset + start : pixels.offset + start + wanted]

    def __reduce__(self) -> tuple[Any, ...]:
        state = {
            "transfer_syntax_uid": self.transfer_syntax_uid,
            "pixel_data": self.pixel_data,
            "is_deflated": self.is_deflated,
            "_buffer": self._buffer,
            "_charset": self._charset,
            "_signed": self._signed,
            "_table": self._table if isinstance(self._table, Places) else None,
        }
        return (Header, (self.path, b"", self._encoding, self._range), (None, state))

    def __repr__(self) -> str:
        return f"Header({str(self.path)!r})"

    def _remembered(self, tag: int, vr: str, element: Element, layout: Layout) -> Any:
        """Decode a value, or take what the same bytes gave before."""
        # The VR of a private attribute may be the caller's guess.
        key = (tag, vr, self._bytes(element))
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
                start = walk_meta(buffer, table)[0]
            stopped = walk(buffer, start, stop, self._encoding, table, stops=frozenset())
            if isinstance(stopped, Need):
                raise CorruptData("a sequence's item is truncated", path=self.path)
            self._table = table
        return self._table

    def _reload(self) -> None:
        if self._table is not None and not self.is_deflated:
            self._buffer = ByteSource(self.path).read_exactly(0, self._range[1])
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
        # Tags of the files walked last, as the keys of an ordered set
        self._walked: dict[tuple[int, ...], None] = {}

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
            raise input_error(error, path) from error
        try:
            return self._read(path, descriptor)
        except InputError as error:
            raise error.with_path(path) from error.__cause__
        except OSError as error:
            raise input_error(error, path) from error
        finally:
            os.close(descriptor)

    def _read(self, path: Path, descriptor: int) -> Header:
        size = os.fstat(descriptor).st_size
        scan = HeaderScan(path, size, lambda start, length: _read_at(descriptor, start, length))
        for layout in self._layouts:
            scanned = scan.read_like(layout)
            if scanned is not None:
                if layout is not self._layouts[0]:
                    self._layouts.remove(layout)
                    self._layouts.insert(0, layout)
                return _make_header(path, scanned)
        header = _make_header(path, scan.read())
        self._learn(header.tags(), scan)
        return header

    def _learn(self, tags: tuple[int, ...], scan: HeaderScan) -> None:
        """Learn the layout of a walked file if one with the same elements was walked before."""
        if tags in self._walked:
            layout = scan.learn()
            if layout is not None:
                self._layouts = [layout, *self._layouts[: _MAX_LAYOUTS - 1]]
            return
        self._walked[tags] = None
        if len(self._walked) > _MAX_WALKED:
            del self._walked[next(iter(self._walked))]


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
        scan = HeaderScan(Path(path), len(data), lambda start, length: data[start : start + length])
        return _make_header(Path(path), scan.read())
    except InputError as error:
        raise error.with_path(path) from error.__cause__


def _is_plain(raw: bytes) -> bool:
    """Whether text means the same in every character set."""
    return raw.isascii() and b"\x1b" not in raw


def _make_header(path: Path, scanned: Scanned) -> Header:
    header = Header(path, scanned.buffer, scanned.encoding, (0, len(scanned.buffer)))
    header.transfer_syntax_uid = scanned.transfer_syntax_uid
    header.is_deflated = scanned.transfer_syntax_uid in DEFLATED
    header._table = scanned.table  # noqa: SLF001  this function makes headers
    header.pixel_data = scanned.pixel_data
    return header


def _read_at(descriptor: int, start: int, length: int) -> bytes:
    os.lseek(descriptor, start, os.SEEK_SET)
    return os.read(descriptor, length)
