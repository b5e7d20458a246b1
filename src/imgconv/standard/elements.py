"""Keyword, tag and VR of the standard's data elements, without importing pydicom.

Source
------
PS3.6 chapters 6 and 7
"""

from __future__ import annotations

from imgconv.standard._generated.elements import ELEMENTS

__all__ = ["find_keyword", "find_tag", "find_vr"]

_TAGS = {keyword: tag for tag, (_vr, keyword) in ELEMENTS.items()}


def find_tag(keyword: str) -> int | None:
    """Return the tag, ``group << 16 | element``, that `keyword` names, or None."""
    return _TAGS.get(keyword)


def find_keyword(tag: int) -> str | None:
    """Return the keyword of `tag`; None if it is private, repeating or unknown."""
    entry = ELEMENTS.get(tag)
    return None if entry is None else entry[1]


def find_vr(tag: int) -> str | None:
    """Return the VR of `tag`, such as ``"DS"`` or ``"US or SS"``, or None."""
    entry = ELEMENTS.get(tag)
    return None if entry is None else entry[0]
