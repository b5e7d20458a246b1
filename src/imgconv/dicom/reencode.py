"""Write a data set's bytes in another encoding: implicit or explicit VR, either byte order.

Values are carried over as they are but for byte order; undefined lengths stay
undefined, unknown and private elements are kept. What implicit VR does not
tell is looked up (standard attributes) or said to be unknown (UN).

Not supported: encapsulated pixel data, which only explicit VR little endian has.

Source
------
PS3.5 7.1, 7.3, 7.5, 6.2.2 (UN), A.1 to A.3
"""

from __future__ import annotations

import struct
from functools import lru_cache

import numpy as np

from imgconv.dicom.scan import EXPLICIT_LITTLE, IMPLICIT_LITTLE, Encoding
from imgconv.errors import CorruptData
from imgconv.records import record
from imgconv.standard.elements import find_vr
from imgconv.standard.private_vrs import find_private_vr

__all__ = ["LONG_VRS", "format_element", "reencode", "swap_bytes"]

LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_SHORT_VRS = frozenset(
    {
        *("AE", "AS", "AT", "CS", "DA", "DS", "DT", "FL", "FD", "IS", "LO", "LT", "PN"),
        *("SH", "SL", "SS", "ST", "TM", "UI", "UL", "US"),
    }
)
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_MAX_DEPTH = 64  # as in scan: real objects stay below ten

# Bytes that are swapped together, by VR; the others are text or bytes. PS3.5 7.3
_WORD = {
    **dict.fromkeys(("AT", "OW", "SS", "US"), 2),
    **dict.fromkeys(("FL", "OF", "OL", "SL", "UL"), 4),
    **dict.fromkeys(("FD", "OD", "OV", "SV", "UV"), 8),
}
# Where the dictionary leaves a choice that no other attribute decides: the words are the same.
_AMBIGUOUS = {"OB or OW": "OW", "US or OW": "OW", "US or SS or OW": "OW"}
# Waveform Bits Allocated, and what it decides: bytes have the VR OB. PS3.3 C.10.9.1.5
_WAVEFORM_BITS = 0x54001004
_WAVEFORM_VALUES = frozenset({0x5400100A, 0x54001010})
_REPEATING_GROUPS = (0x5000, 0x6000)  # curves and overlays: every even group up to 50FF, 60FF


def swap_bytes(value: bytes, vr: str) -> bytes:
    """Return a value in the other byte order; an incomplete last word is kept as it is."""
    size = _WORD.get(vr, 1)
    if size == 1:
        return value
    whole = len(value) - len(value) % size
    return np.frombuffer(value[:whole], f">u{size}").astype(f"<u{size}").tobytes() + value[whole:]


def format_element(tag: int, vr: str, value: bytes, encoding: Encoding = EXPLICIT_LITTLE) -> bytes:
    """Return an element's bytes; `value` is padded to even length and already in byte order."""
    if len(value) % 2:
        value += b"\0" if vr in ("UI", "OB", "UN") else b" "
    return format_header(tag, vr, len(value), encoding) + value


def format_header(tag: int, vr: str, length: int, encoding: Encoding) -> bytes:
    """Return what stands in front of a value; values too long for a short VR become UN."""
    order = ">" if encoding.big_endian else "<"
    head = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF)
    if not encoding.explicit:
        return head + struct.pack(order + "L", length)
    if vr not in LONG_VRS and length > 0xFFFF:  # PS3.5 6.2.2 note
        vr = "UN"
    if vr in LONG_VRS:
        return head + vr.encode("ascii") + b"\0\0" + struct.pack(order + "L", length)
    return head + vr.encode("ascii") + struct.pack(order + "H", length)


def reencode(
    buffer: bytes,
    start: int,
    stop: int,
    source: Encoding,
    target: Encoding,
    *,
    signed: bool = False,
    anew: bool = False,
) -> bytes:
    """Return ``buffer[start:stop]``, a data set in `source`, as a data set in `target`.

    Parameters
    ----------
    signed
        Pixel Representation of the data set, which decides between US and SS.
    anew
        Elements without a VR stand among others that have one.

    Raises
    ------
    CorruptData
        The bytes are no data set, or sequences are nested too deep.
    """
    if source == target and not anew:
        return buffer[start:stop]
    return _Converter(buffer, source, target).data_set(start, stop, signed=signed)[0]


@record(frozen=False)
class _Read:
    """An element's header as it was read; its VR may come from a dictionary of private elements."""

    tag: int
    vr: str
    length: int
    value: int  # where the value is
    guessed: bool = False


class _Converter:
    """Converts one buffer; `depth` counts the sequences that are open."""

    def __init__(self, buffer: bytes, source: Encoding, target: Encoding, depth: int = 0) -> None:
        self._buffer = buffer
        self._source = source
        self._target = target
        self._depth = depth
        order = ">" if source.big_endian else "<"
        self._tag_length = struct.Struct(order + "HHL")
        self._short = struct.Struct(order + "H")
        self._long = struct.Struct(order + "L")

    def data_set(
        self, position: int, stop: int, *, signed: bool, in_item: bool = False
    ) -> tuple[bytes, int]:
        """Convert up to `stop`, or up to the delimiter of an item of undefined length."""
        out: list[bytes] = []
        creators: dict[int, str] = {}  # group and block -> private creator
        wide = True  # whether samples of waveforms have more than a byte
        while position < stop:
            if position + 8 > stop:
                raise CorruptData("the data set ends within an element")
            read = self._read(position, stop)
            if read.tag == _ITEM_END and in_item:
                return b"".join(out), read.value
            if read.tag >> 16 == 0xFFFE:
                position = read.value  # a stray delimiter holds nothing
                continue
            if read.tag == 0x00280103 and read.length == 2:
                signed = any(self._buffer[read.value : read.value + 2])
            elif read.tag == _WAVEFORM_BITS and read.length == 2:
                wide = self._short.unpack_from(self._buffer, read.value)[0] > 8
            elif not read.vr and not wide and read.tag in _WAVEFORM_VALUES:
                read.vr = "OB"
            if not read.vr and read.tag & 0x10000:
                read.vr = self._private_vr(read, creators)
                read.guessed = True
            data, position = self._element(read, stop, signed=signed)
            out.append(data)
        if in_item:
            raise CorruptData("an item of undefined length has no end")
        return b"".join(out), position

    def _read(self, position: int, stop: int) -> _Read:
        group, number, length = self._tag_length.unpack_from(self._buffer, position)
        tag = group << 16 | number
        if group == 0xFFFE or not self._source.explicit:
            return _Read(tag, "", length, position + 8)
        vr = self._buffer[position + 4 : position + 6].decode("latin-1")
        if vr in _SHORT_VRS:
            (length,) = self._short.unpack_from(self._buffer, position + 6)
            return _Read(tag, vr, length, position + 8)
        if vr not in LONG_VRS and not (vr.isalpha() and vr.isascii() and vr.isupper()):
            # Some writers mix elements without VR in.
            (length,) = self._long.unpack_from(self._buffer, position + 4)
            return _Read(tag, "", length, position + 8)
        if position + 12 > stop:
            raise CorruptData("the data set ends within an element")
        (length,) = self._long.unpack_from(self._buffer, position + 8)
        return _Read(tag, vr if vr in LONG_VRS else "UN", length, position + 12)

    def _private_vr(self, read: _Read, creators: dict[int, str]) -> str:
        """Return the VR of a private element written without one, empty if it is not known."""
        number = read.tag & 0xFFFF
        if 0x10 <= number <= 0xFF:
            value = self._buffer[read.value : read.value + min(read.length, 64)]
            creators[read.tag] = value.decode("latin-1").strip(" \0")
            return "LO"
        creator = creators.get(read.tag & 0xFFFF0000 | number >> 8)
        vr = _known_private_vr(read.tag, creator) if creator else ""
        # A value that cannot have the VR of the dictionary is kept as it is. How many values
        # the dictionary has says nothing: GE writes five where it has one, (0043,xx1B).
        fits = read.length != _UNDEFINED and read.length % _WORD.get(vr, 1) == 0
        return vr if fits and (vr in _SHORT_VRS or vr in LONG_VRS) else ""

    def _element(self, read: _Read, stop: int, *, signed: bool) -> tuple[bytes, int]:
        vr = read.vr or _vr_of(read.tag, signed=signed)
        if read.length == _UNDEFINED:
            return self._undefined(read, vr, stop, signed=signed)
        end = read.value + read.length
        if end > stop:
            raise CorruptData(
                f"element ({read.tag >> 16:04X},{read.tag & 0xFFFF:04X}) reaches "
                f"{end - stop} bytes beyond its data set"
            )
        content = self._items_of(read, end, signed=signed) if vr == "SQ" else None
        if content is None:
            vr = "UN" if vr == "SQ" else vr
            content = self._buffer[read.value : end]
            if self._source.big_endian != self._target.big_endian:
                content = swap_bytes(content, vr)
        return format_header(read.tag, vr, len(content), self._target) + content, end

    def _items_of(self, read: _Read, end: int, *, signed: bool) -> bytes | None:
        """Return the items of a sequence; None if only a dictionary says that it is one."""
        try:
            return self._nested(self._source).items(read.value, end, signed=signed)[0]
        except CorruptData:
            if read.guessed:
                return None
            raise

    def _undefined(self, read: _Read, vr: str, stop: int, *, signed: bool) -> tuple[bytes, int]:
        if vr == "UN" and self._source.explicit:
            # Its content is implicit VR little endian whatever the data set is; PS3.5 6.2.2.
            _, end = self._nested(IMPLICIT_LITTLE).items(read.value, stop, signed=signed)
            content = self._buffer[read.value : end]
        else:
            if vr not in ("SQ", "UN"):
                raise CorruptData(f"an element with VR `{vr}` has an undefined length")
            vr = "SQ"
            content, end = self._nested(self._source).items(
                read.value, stop, signed=signed, defined=False
            )
            content += _delimiter(_SEQUENCE_END, self._target)
        return format_header(read.tag, vr, _UNDEFINED, self._target) + content, end

    def _nested(self, source: Encoding) -> _Converter:
        if self._depth >= _MAX_DEPTH:
            raise CorruptData(f"sequences are nested deeper than `{_MAX_DEPTH}` levels")
        return _Converter(self._buffer, source, self._target, self._depth + 1)

    def items(
        self, position: int, stop: int, *, signed: bool, defined: bool = True
    ) -> tuple[bytes, int]:
        """Convert a sequence's items; the delimiter at the end is read, not written."""
        out: list[bytes] = []
        while position < stop:
            if position + 8 > stop:
                raise CorruptData("a sequence ends within an item")
            group, number, length = self._tag_length.unpack_from(self._buffer, position)
            tag = group << 16 | number
            position += 8
            if tag == _SEQUENCE_END:
                return b"".join(out), position
            if tag != _ITEM:
                raise CorruptData(f"a sequence contains tag `({group:04X},{number:04X})`")
            undefined = length == _UNDEFINED
            end = stop if undefined else position + length
            if end > stop:
                raise CorruptData("an item is longer than its sequence")
            content, position = self.data_set(position, end, signed=signed, in_item=undefined)
            out.append(_delimiter(_ITEM, self._target, _UNDEFINED if undefined else len(content)))
            out.append(content)
            if undefined:
                out.append(_delimiter(_ITEM_END, self._target))
        if not defined:
            raise CorruptData("a sequence of undefined length has no end")
        return b"".join(out), position


def _delimiter(tag: int, encoding: Encoding, length: int = 0) -> bytes:
    order = ">" if encoding.big_endian else "<"
    return struct.pack(order + "HHL", tag >> 16, tag & 0xFFFF, length)


@lru_cache(maxsize=4096)
def _known_private_vr(tag: int, creator: str) -> str:
    own = find_private_vr(tag, creator)
    if own:
        return own
    from pydicom.datadict import private_dictionary_VR

    try:
        return str(private_dictionary_VR(tag, creator))
    except KeyError:
        return ""


@lru_cache(maxsize=1024)
def _repeating_vr(tag: int) -> str:
    from pydicom.datadict import dictionary_VR

    try:
        return str(dictionary_VR(tag))
    except KeyError:
        return "UN"


def _vr_of(tag: int, *, signed: bool) -> str:
    """Return the VR of an element that was written without."""
    group, number = tag >> 16, tag & 0xFFFF
    if number == 0:
        return "UL"
    if group % 2:
        return "LO" if 0x10 <= number <= 0xFF else "UN"
    vr = _repeating_vr(tag) if group & 0xFF00 in _REPEATING_GROUPS else find_vr(tag) or "UN"
    if vr == "US or SS":
        return "SS" if signed else "US"
    return _AMBIGUOUS.get(vr, vr)
