"""Find codes for the names of labels: ``left_kidney`` is SCT Kidney, modified by Left.

Only names that are, word for word, the meaning of a code in the standard's
value sets are found; nothing is guessed from parts of a name.

Source: PS3.16 CID 7150, 7191, 7192, 7194, 7193, 7197, 244 (laterality).
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from imgconv.core.image import Segment

__all__ = ["TISSUE", "with_codes"]

Code = tuple[str, str, str]

TISSUE: Code = ("85756007", "SCT", "Tissue")

# Value sets of property types, and the category that each belongs to.
_SETS: tuple[tuple[int, Code], ...] = (
    (7192, ("91723000", "SCT", "Anatomical Structure")),
    (7191, TISSUE),
    (7194, ("49755003", "SCT", "Morphologically Abnormal Structure")),
    (7193, ("260787004", "SCT", "Physical object")),
    (7197, ("91720002", "SCT", "Body Substance")),
)
_SIDES: dict[str, Code] = {
    "left": ("7771000", "SCT", "Left"),
    "right": ("24028007", "SCT", "Right"),
}


def with_codes(segment: Segment) -> Segment:
    """Return the segment with codes found by its label, if it has no type."""
    if segment.type is not None:
        return segment
    words = _words(segment.label)
    found = _types().get(" ".join(words))
    if found is not None:
        return _coded(segment, found, None)
    for place in (0, -1):
        side = _SIDES.get(words[place]) if len(words) > 1 else None
        rest = " ".join(words[1:] if place == 0 else words[:-1])
        if side is not None and rest in _types():
            return _coded(segment, _types()[rest], side)
    return segment


def _coded(segment: Segment, found: tuple[Code, Code], side: Code | None) -> Segment:
    category, kind = found
    return replace(
        segment,
        category=segment.category or category,
        type=kind,
        type_modifier=segment.type_modifier or side,
    )


def _words(label: str) -> list[str]:
    return re.sub(r"[\W_]+", " ", label.lower()).split()


@cache
def _types() -> dict[str, tuple[Code, Code]]:
    """Return category and type by the words of a meaning; the first set wins."""
    from pydicom.sr._cid_dict import cid_concepts
    from pydicom.sr._concepts_dict import concepts

    table: dict[str, tuple[Code, Code]] = {}
    for number, category in _SETS:
        for name in cid_concepts.get(number, {}).get("SCT", ()):
            for value, (meaning, cids) in concepts["SCT"].get(name, {}).items():
                if number in cids:
                    code = (value, "SCT", meaning)
                    table.setdefault(" ".join(_words(meaning)), (category, code))
    return table
