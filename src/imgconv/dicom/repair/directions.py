"""Make direction cosines that were rounded or scaled unit vectors, at right angles.

Source
------
PS3.3 C.7.6.2.1.1 (Image Orientation (Patient))
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from imgconv.core.vectors import dot
from imgconv.dicom.elements import Element, Tree
from imgconv.dicom.repair.change import Change, replace_value

__all__ = ["mend_directions"]

_ORIENTATION = 0x00200037
# The direction is certain as long as the length is about 1; far from it the numbers are none.
_ROUGH = 0.02
# No rounding to one decimal or more slants a right angle so much.
_SLANTED = 0.2
# What five decimals give; checkers ask for 1e-4.
_EXACT = 9e-5
_MAX_DS = 16  # PS3.5 6.2


def mend_directions(tree: Tree) -> list[Change]:
    """Mend every Image Orientation (Patient) that is right but for its rounding or length.

    Lengths are mended where they are about 1. Angles are mended only if the
    change is smaller than the last decimal that was written: then it was rounded.
    """
    return [
        change
        for element in list(tree.dataset.walk())
        if element.tag == _ORIENTATION and element.vr == "DS"
        if (change := _mend(element)) is not None
    ]


def _mend(element: Element) -> Change | None:
    values = element.item.numbers(_ORIENTATION)
    if len(values) != 6:  # the cosines of the row, then those of the column
        return None
    row, column = values[:3], values[3:]
    error = max(abs(math.hypot(*vector) - 1) for vector in (row, column))
    if error > _ROUGH:
        return None
    exact = (*_normalize(row), *_normalize(column))
    slant = abs(dot(exact[:3], exact[3:]))
    if slant > _SLANTED:
        return None
    if slant > _EXACT:
        right = _at_right_angles(exact[:3], exact[3:])
        last_decimal = 10.0 ** -_count_decimals(element.item.texts(_ORIENTATION))
        if any(abs(new - old) > last_decimal for new, old in zip(right, values, strict=True)):
            return None
        exact = right
    elif error <= _EXACT:
        return None
    texts = [_format(value) for value in exact]
    return replace_value(
        element,
        "\\".join(texts).encode("ascii"),
        name="unit-vector",
        before="rounded or scaled vectors",
        after="orthogonal vectors of unit length, in the same directions",
        reason="direction cosines have unit length and right angles",
        source="PS3.3 C.7.6.2.1.1",
        keep=True,
    )


def _normalize(vector: Sequence[float]) -> list[float]:
    length = math.hypot(*vector)
    return [value / length for value in vector]


def _at_right_angles(row: Sequence[float], column: Sequence[float]) -> tuple[float, ...]:
    """Turn two unit vectors by the same angle, so that the angle between them is right."""
    middle = _normalize([a + b for a, b in zip(row, column, strict=True)])
    across = _normalize([a - b for a, b in zip(row, column, strict=True)])
    half = math.sqrt(0.5)
    pairs = list(zip(middle, across, strict=True))
    return (*(half * (a + b) for a, b in pairs), *(half * (a - b) for a, b in pairs))


def _count_decimals(texts: Sequence[str]) -> int:
    """Return how many decimals the values have at most; an exponent counts as many."""
    return max(
        _MAX_DS if "e" in text.lower() else len(text.strip().partition(".")[2]) for text in texts
    )


def _format(value: float) -> str:
    """Write a number with as many digits as a DS holds."""
    texts = (f"{value:.{digits}g}" for digits in range(_MAX_DS, 0, -1))
    return next(text for text in texts if len(text) <= _MAX_DS)
