"""Turn the bytes of an element's value into plain Python values.

Source
------
PS3.5 6.2 (value representations), 6.1 (character repertoires)
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

__all__ = ["decode_text", "decode_value"]

# VR -> struct code of one value
_NUMBERS = {
    "FD": "d",
    "FL": "f",
    "OD": "d",
    "OF": "f",
    "SL": "i",
    "SS": "h",
    "SV": "q",
    "UL": "I",
    "US": "H",
    "UV": "Q",
}
_BYTES = frozenset({"OB", "OW", "OL", "OV", "UN", "OB or OW", "US or OW", "US or SS or OW"})
_LONG_TEXT = frozenset({"LT", "ST", "UT"})
_ENCODED_TEXT = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
# Defined terms whose Python codec is at hand without pydicom, PS3.3 C.12.1.1.2
_CODECS = {
    "": "latin-1",  # seen in practice where the element is missing
    "ISO_IR 6": "latin-1",
    "ISO_IR 100": "latin-1",
    "ISO 2022 IR 6": "latin-1",
    "ISO 2022 IR 100": "latin-1",
    "ISO_IR 192": "utf-8",
}


def decode_value(vr: str, raw: bytes, *, big_endian: bool, charset: str) -> Any:
    """Return the value of an element; None if it is empty or cannot be read.

    Parameters
    ----------
    vr
        Value representation; sequences are not handled here.
    raw
        The bytes as stored.
    big_endian
        Byte order of binary numbers.
    charset
        Value of Specific Character Set, with its backslashes; empty if none.

    Returns
    -------
    Any
        str (stripped), int, float or bytes; a tuple of them if there are
        several values. Attribute tags are ints.
    """
    if not raw:
        return None
    if vr in _NUMBERS:
        return _binary_numbers(raw, _NUMBERS[vr], big_endian=big_endian)
    if vr in _BYTES:
        return raw
    if vr == "AT":
        return _tags(raw, big_endian=big_endian)
    text = decode_text(raw, charset if vr in _ENCODED_TEXT else "")
    if vr in ("DS", "IS"):
        return _text_numbers(text, float if vr == "DS" else _integer)
    if vr in _LONG_TEXT:
        return text.rstrip("\0 ") or None
    return _split_text(text)


def _split_text(text: str) -> str | tuple[str, ...] | None:
    values = [part.strip("\0 ") for part in text.split("\\")]
    if len(values) > 1:
        return tuple(values)
    return values[0] or None


def decode_text(raw: bytes, charset: str) -> str:
    """Return text in a DICOM character set; what cannot be decoded becomes U+FFFD."""
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii")
    codec = _CODECS.get(charset.strip("\0 "))
    if codec is not None:
        return raw.decode(codec, errors="replace")
    return _decode_text_by_pydicom(raw, charset)


def _decode_text_by_pydicom(raw: bytes, charset: str) -> str:
    import warnings

    from pydicom.charset import convert_encodings, decode_bytes

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a wrong term falls back to the default repertoire
        try:
            codecs = convert_encodings([part.strip() for part in charset.split("\\")])
            text: str = decode_bytes(raw, codecs, {"\\", "^", "=", "\r", "\n", "\t", "\f"})
        except (LookupError, ValueError):
            return raw.decode("latin-1")
    return text


def _binary_numbers(raw: bytes, code: str, *, big_endian: bool) -> Any:
    count = len(raw) // struct.calcsize(code)
    if count == 0:
        return None
    values = struct.unpack_from(f"{'>' if big_endian else '<'}{count}{code}", raw)
    return values[0] if count == 1 else values


def _tags(raw: bytes, *, big_endian: bool) -> Any:
    count = len(raw) // 4
    halves = struct.unpack_from(f"{'>' if big_endian else '<'}{2 * count}H", raw)
    tags = tuple(halves[n] << 16 | halves[n + 1] for n in range(0, 2 * count, 2))
    return tags[0] if len(tags) == 1 else tags or None


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return int(float(text))  # writers put "1.0" into IS


def _text_numbers(text: str, convert: Callable[[str], float]) -> Any:
    try:
        values = tuple(convert(part) for part in text.strip("\0 ").split("\\") if part.strip("\0 "))
    except (ValueError, OverflowError):
        return None
    return values[0] if len(values) == 1 else values or None
