"""The character sets of DICOM: defined terms, and whether bytes are text in them.

Source
------
PS3.3 C.12.1.1.2 (defined terms), PS3.5 6.1.2.5 (code extension)
"""

from __future__ import annotations

import re

__all__ = ["can_decode", "decode", "is_known_term"]

# Defined term -> Python codec that decodes the set without code extension.
_CODECS = {
    "": "ascii", "ISO_IR 6": "ascii", "ISO 2022 IR 6": "ascii",
    "ISO_IR 100": "latin-1", "ISO 2022 IR 100": "latin-1",
    "ISO_IR 101": "iso8859-2", "ISO 2022 IR 101": "iso8859-2",
    "ISO_IR 109": "iso8859-3", "ISO 2022 IR 109": "iso8859-3",
    "ISO_IR 110": "iso8859-4", "ISO 2022 IR 110": "iso8859-4",
    "ISO_IR 144": "iso8859-5", "ISO 2022 IR 144": "iso8859-5",
    "ISO_IR 127": "iso8859-6", "ISO 2022 IR 127": "iso8859-6",
    "ISO_IR 126": "iso8859-7", "ISO 2022 IR 126": "iso8859-7",
    "ISO_IR 138": "iso8859-8", "ISO 2022 IR 138": "iso8859-8",
    "ISO_IR 148": "iso8859-9", "ISO 2022 IR 148": "iso8859-9",
    "ISO_IR 203": "iso8859-15", "ISO 2022 IR 203": "iso8859-15",
    "ISO_IR 166": "tis-620", "ISO 2022 IR 166": "tis-620",
    "ISO_IR 13": "shift_jis", "ISO 2022 IR 13": "shift_jis",
    "ISO_IR 192": "utf-8", "GB18030": "gb18030", "GBK": "gbk",
    "ISO 2022 IR 87": "ascii", "ISO 2022 IR 159": "ascii",
    "ISO 2022 IR 149": "euc_kr", "ISO 2022 IR 58": "gb2312",
}  # fmt: skip

# What an escape sequence designates -> codec of the bytes that follow it.
_DESIGNATED = {
    b"(B": "ascii", b"-A": "latin-1", b"-B": "iso8859-2", b"-C": "iso8859-3", b"-D": "iso8859-4",
    b"-L": "iso8859-5", b"-G": "iso8859-6", b"-F": "iso8859-7", b"-H": "iso8859-8",
    b"-M": "iso8859-9", b"-b": "iso8859-15", b"-T": "tis-620", b"(J": "shift_jis",
    b")I": "shift_jis",
    b"$B": "iso2022_jp", b"$(D": "iso2022_jp_2", b"$)C": "euc_kr", b"$)A": "gb2312",
}  # fmt: skip
# Escape sequence -> what must be declared for it (PS3.3 C.12.1.1.2); ASCII needs nothing.
_DECLARED = {
    b"-A": "100", b"-B": "101", b"-C": "109", b"-D": "110", b"-L": "144", b"-G": "127",
    b"-F": "126", b"-H": "138", b"-M": "148", b"-b": "203", b"-T": "166", b"(J": "13",
    b")I": "13", b"$B": "87", b"$(D": "159", b"$)C": "149", b"$)A": "58",
}  # fmt: skip
_ESCAPE = re.compile(rb"\x1b(\([BJ]|-[ABCDLGFHMbT]|\)I|\$B|\$\(D|\$\)[CA])")


def is_known_term(term: str) -> bool:
    """Whether `term` is a defined term of Specific Character Set."""
    return term in _CODECS


def can_decode(value: bytes, terms: tuple[str, ...]) -> bool:
    """Whether `value` is text in the sets that are declared; True if one of them is unknown.

    Parameters
    ----------
    value
        Bytes as they stand in the file.
    terms
        The values of Specific Character Set.
    """
    first = _CODECS.get(terms[0] if terms else "")
    if first is None or any(term not in _CODECS for term in terms):
        return True
    if b"\x1b" not in value:
        return _decodes(value, first)
    parts = _ESCAPE.split(value)
    if b"\x1b" in parts[0] or not _decodes(parts[0], first):
        return False
    for designator, text in zip(parts[1::2], parts[2::2], strict=True):
        if not _is_declared(designator, terms):
            return False
        codec = _DESIGNATED[designator]
        whole = b"\x1b" + designator + text if codec.startswith("iso2022") else text
        if not _decodes(whole, codec):
            return False
    return True


def decode(value: bytes, terms: tuple[str, ...]) -> str:
    """Return the text that `can_decode` accepts, for terms without code extension.

    Raises
    ------
    UnicodeDecodeError
        The bytes are not in the first term's set.
    LookupError
        The term is unknown.
    """
    return value.decode(_CODECS[terms[0] if terms else ""])


def _is_declared(designator: bytes, terms: tuple[str, ...]) -> bool:
    number = _DECLARED.get(designator)
    return number is None or any(term.endswith((f"IR {number}", f"IR_{number}")) for term in terms)


def _decodes(value: bytes, codec: str) -> bool:
    try:
        value.decode(codec)
    except UnicodeDecodeError:
        return False
    return True
