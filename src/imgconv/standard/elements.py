"""Keyword, tag and VR of the standard's data elements, without importing pydicom.

Source
------
PS3.6 chapters 6 and 7
"""

from __future__ import annotations

from imgconv.standard._generated.elements import ELEMENTS

__all__ = ["find_keyword", "find_tag", "find_vr"]

_WORDS = ELEMENTS.split()
_NUMBERS = [int(word, 16) for word in _WORDS[0::3]]
_VRS = dict(zip(_NUMBERS, _WORDS[1::3], strict=True))
_KEYWORDS = dict(zip(_NUMBERS, _WORDS[2::3], strict=True))
_TAGS = dict(zip(_WORDS[2::3], _NUMBERS, strict=True))


def find_tag(keyword: str) -> int | None:
    """Return the tag, ``group << 16 | element``, that `keyword` names, or None."""
    return _TAGS.get(keyword)


def find_keyword(tag: int) -> str | None:
    """Return the keyword of `tag`; None if it is private, repeating or unknown."""
    return _KEYWORDS.get(tag)


def find_vr(tag: int) -> str | None:
    """Return the VR of `tag`, such as ``"DS"`` or ``"US or SS"``, or None."""
    vr = _VRS.get(tag)
    return vr if vr is None or len(vr) == 2 else vr.replace("_", " ")
